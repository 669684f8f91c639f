#include <fmt/format.h>

#include <cstring>

#include "kappa/error.h"
#include "primitives/axes.h"

namespace kappa {

const Primitive& kappa_primitive_concat();

namespace {

Type infer(const Attributes& attributes, std::span<const Type> operands) {
  if (operands.empty()) throw Error(ErrorKind::usage, "[concat] no operands");
  const std::int64_t axis = attributes.integer("axis");
  Type result = operands[0];
  if (axis < 0 || axis >= static_cast<std::int64_t>(result.shape.size())) {
    shape_error("concat", fmt::format("axis {} of {}", axis, to_string(operands[0])));
  }
  std::int64_t& extent = result.shape[static_cast<std::size_t>(axis)];
  for (std::size_t i = 1; i < operands.size(); ++i) {
    Type expected = operands[0];
    if (operands[i].shape.size() == expected.shape.size()) {
      expected.shape[static_cast<std::size_t>(axis)] =
          operands[i].shape[static_cast<std::size_t>(axis)];
    }
    if (!(operands[i] == expected)) {
      shape_error("concat", fmt::format("operand {} is {}, operand 0 is {}; they may differ only "
                                        "on axis {}",
                                        i, to_string(operands[i]), to_string(operands[0]), axis));
    }
    extent += operands[i].shape[static_cast<std::size_t>(axis)];
  }
  return result;
}

Array join(std::span<const Array> parts, std::int64_t axis) {
  return parts[0].builder()->apply(kappa_primitive_concat(), {{"axis", axis}}, parts);
}

Array part_of(const Call& call, int index, const Array& cotangent) {
  const auto axis = static_cast<std::size_t>(call.attributes.integer("axis"));
  Dims starts(cotangent.shape().size(), 0), stops = cotangent.shape();
  for (int i = 0; i < index; ++i) {
    starts[axis] += call.operands[static_cast<std::size_t>(i)].shape()[axis];
  }
  stops[axis] = starts[axis] + call.operands[static_cast<std::size_t>(index)].shape()[axis];
  return slice(cotangent, starts, stops);
}

void run(const KernelCall& call) {
  const auto axis = static_cast<std::size_t>(call.attributes.integer("axis"));
  const Shape& shape = call.output_type.shape;
  std::int64_t outer = 1, inner = size_of(call.output_type.dtype);
  for (std::size_t i = 0; i < axis; ++i) outer *= shape[i];
  for (std::size_t i = axis + 1; i < shape.size(); ++i) inner *= shape[i];
  auto* out = static_cast<std::byte*>(call.output);
  const std::int64_t row = shape[axis] * inner;
  std::int64_t before = 0;
  for (std::size_t k = 0; k < call.input_types.size(); ++k) {
    const std::int64_t bytes = call.input_types[k].shape[axis] * inner;
    const auto* in = static_cast<const std::byte*>(call.inputs[k]);
    for (std::int64_t i = 0; bytes > 0 && i < outer; ++i) {
      std::memcpy(out + i * row + before, in + i * bytes, static_cast<std::size_t>(bytes));
    }
    before += bytes;
  }
}

}  // namespace

KAPPA_PRIMITIVE(concat) {
  Primitive p;
  p.name = "concat";
  p.doc = "The operands joined along one axis.";
  p.num_operands = -1;
  p.infer = infer;
  p.jvp = [](const Call& call, std::span<const Array> tangents) {
    std::vector<Array> parts;
    for (std::size_t i = 0; i < tangents.size(); ++i) {
      const Array& x = call.operands[i];
      parts.push_back(tangents[i].defined() ? tangents[i] : full(x, 0, x.shape(), x.dtype()));
    }
    return join(parts, call.attributes.integer("axis"));
  };
  p.transpose = part_of;
  p.batch = [](const Call& call, const std::vector<bool>& batched, std::int64_t extent) {
    std::vector<Array> parts;
    for (std::size_t i = 0; i < batched.size(); ++i) {
      parts.push_back(with_batch_axis(call.operands[i], batched[i], extent));
    }
    return join(parts, call.attributes.integer("axis") + 1);
  };
  p.sparsity = [](const SparsityCall& call, int index) {
    const auto axis = static_cast<std::size_t>(call.attributes.integer("axis"));
    const auto operand = static_cast<std::size_t>(index);
    const Dims strides = contiguous_strides(call.result.shape);
    std::int64_t before = 0;
    for (std::size_t k = 0; k < operand; ++k) before += call.operands[k].shape[axis];
    return ElementGroups{.of_operand = strided_places(call.operands[operand].shape, strides,
                                                      before * strides[axis])};
  };
  p.simplify = [](const Call& call) -> Array {
    if (call.operands.size() == 1) return call.operands[0];
    const auto axis = static_cast<std::size_t>(call.attributes.integer("axis"));
    std::vector<Array> parts;
    for (const Array& x : call.operands) {
      if (x.shape()[axis] != 0) parts.push_back(x);
    }
    if (parts.empty() || parts.size() == call.operands.size()) return {};
    return join(parts, call.attributes.integer("axis"));
  };
  p.kernel.run = run;
  p.samples = [] {
    const auto sample = [](std::vector<Shape> shapes, std::int64_t axis) {
      Sample made{.attributes = {{"axis", axis}}};
      for (Shape& shape : shapes) made.operands.push_back({DType::f64, std::move(shape)});
      return made;
    };
    return std::vector<Sample>{sample({{3}, {2}, {4}}, 0), sample({{2, 3}, {2, 1}}, 1),
                               sample({{1, 2, 3}, {2, 2, 3}}, 0),
                               sample({{2, 1, 3}, {2, 3, 3}, {2, 1, 3}}, 1)};
  };
  return p;
}

Array concat(std::span<const Array> parts, std::int64_t axis) {
  std::vector<Array> arrays = resolve_literals(parts);
  DType dtype = arrays[0].dtype();
  for (const Array& x : arrays) dtype = promote(dtype, x.dtype());
  for (Array& x : arrays) {
    x = convert(x, dtype);
    if (x.rank() == 0) x = reshape(x, {1});  // numbers join as vectors of one entry
  }
  return join(arrays, normalize_axis(axis, arrays[0].rank(), "concat"));
}

}  // namespace kappa
