#include "primitives/gather.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "kappa/error.h"
#include "primitives/axes.h"

namespace kappa {

void refuse_index(const char* primitive, const Array& indices, std::int64_t extent) {
  if (indices.is_literal() || !is_constant(indices.node())) return;
  const Tensor& value = indices.node().attributes.tensor("value");
  for (std::int64_t i = 0; i < value.size(); ++i) {
    if (value.at(i) < 0 || value.at(i) >= static_cast<double>(extent)) {
      throw Error(ErrorKind::value, fmt::format("[{}] index {} at position {}; expected 0 to {}",
                                                primitive, value.at(i), i, extent - 1));
    }
  }
}

void refuse_index_type(const char* primitive, const Type& indices) {
  if (indices.dtype != DType::i64) {
    throw Error(ErrorKind::type, fmt::format("[{}] operand 1, the indices, is {}; expected i64",
                                             primitive, to_string(indices)));
  }
}

Array indices_into_blocks(const Array& indices, std::int64_t extent) {
  Shape column(indices.shape().size(), 1);
  column[0] = indices.shape()[0];
  const Array block = iota(indices, column[0], DType::i64);
  const Array offset = block * full(indices, static_cast<double>(extent), {}, DType::i64);
  return indices + reshape(offset, column);
}

std::vector<std::int32_t> indexed_places(const Shape& shape, const Tensor& indices,
                                         std::int64_t axis, std::int64_t count) {
  const std::int64_t extent = shape[static_cast<std::size_t>(axis)];
  std::int64_t inner = 1;
  for (auto d = static_cast<std::size_t>(axis) + 1; d < shape.size(); ++d) inner *= shape[d];
  const std::int64_t width = indices.size() * inner;
  const auto* index = indices.as<std::int64_t>();
  std::vector<std::int32_t> places(static_cast<std::size_t>(count));
  for (std::int64_t e = 0; e < count; ++e) {
    const std::int64_t entry = std::clamp<std::int64_t>(index[e % width / inner], 0, extent - 1);
    places[static_cast<std::size_t>(e)] =
        static_cast<std::int32_t>((e / width * extent + entry) * inner + e % inner);
  }
  return places;
}

namespace {

Type infer(const Attributes& attributes, std::span<const Type> operands) {
  refuse_index_type("gather", operands[1]);
  const std::int64_t axis = attributes.integer("axis");
  const Shape& shape = operands[0].shape;
  if (axis < 0 || axis >= static_cast<std::int64_t>(shape.size())) {
    shape_error("gather", fmt::format("axis {} of {}", axis, to_string(operands[0])));
  }
  const Shape& indices = operands[1].shape;
  if (shape[static_cast<std::size_t>(axis)] == 0 && num_elements(indices) > 0) {
    shape_error("gather",
                fmt::format("axis {} of {} has no entries", axis, to_string(operands[0])));
  }
  Shape result(shape.begin(), shape.begin() + axis);
  result.insert(result.end(), indices.begin(), indices.end());
  result.insert(result.end(), shape.begin() + axis + 1, shape.end());
  return {operands[0].dtype, result};
}

void run(const KernelCall& call) {
  const auto axis = static_cast<std::size_t>(call.attributes.integer("axis"));
  const Shape& shape = call.input_types[0].shape;
  std::int64_t outer = 1, inner = size_of(call.output_type.dtype);
  for (std::size_t i = 0; i < axis; ++i) outer *= shape[i];
  for (std::size_t i = axis + 1; i < shape.size(); ++i) inner *= shape[i];
  const std::int64_t extent = shape[axis];
  const std::int64_t count = num_elements(call.input_types[1].shape);
  const auto* in = static_cast<const std::byte*>(call.inputs[0]);
  const auto* indices = static_cast<const std::int64_t*>(call.inputs[1]);
  auto* out = static_cast<std::byte*>(call.output);
  for (std::int64_t o = 0; o < outer; ++o, in += extent * inner) {
    for (std::int64_t i = 0; i < count; ++i, out += inner) {
      const std::int64_t index = std::clamp<std::int64_t>(indices[i], 0, extent - 1);
      std::memcpy(out, in + index * inner, static_cast<std::size_t>(inner));
    }
  }
}

Array batch(const Call& call, const std::vector<bool>& batched, std::int64_t extent) {
  const std::int64_t axis = call.attributes.integer("axis");
  const Array& x = call.operands[0];
  const Array& indices = call.operands[1];
  if (!batched[1]) return gather(x, indices, axis + 1);
  if (!batched[0]) {
    const Array taken = gather(x, indices, axis);
    return transpose(taken, move_axis(taken.rank(), axis, 0));
  }
  // Both: the batch axis joins the gathered one, and indices count through the blocks.
  Shape merged(x.shape().begin() + 1, x.shape().end());
  std::int64_t& entries = merged[static_cast<std::size_t>(axis)];
  const std::int64_t block = entries;
  entries *= extent;
  const Array beside = transpose(x, move_axis(x.rank(), 0, axis));
  const Array taken = gather(reshape(beside, merged), indices_into_blocks(indices, block), axis);
  return transpose(taken, move_axis(taken.rank(), axis, 0));
}

}  // namespace

KAPPA_PRIMITIVE(gather) {
  Primitive p;
  p.name = "gather";
  p.doc =
      "Entries of operand 0 along an axis at the int64 indices of operand 1. Indices must be in "
      "range: constant ones are checked when the program is built, others are clamped.";
  p.num_operands = 2;
  p.infer = infer;
  p.linear_operands = {0};
  p.transpose = [](const Call& call, int, const Array& cotangent) {
    const std::int64_t axis = call.attributes.integer("axis");
    return scatter_add(cotangent, call.operands[1],
                       call.operands[0].shape()[static_cast<std::size_t>(axis)], axis);
  };
  p.batch = batch;
  p.sparsity = [](const SparsityCall& call, int) -> std::optional<ElementGroups> {
    if (call.known[1] == nullptr) return std::nullopt;
    return ElementGroups{.of_result = indexed_places(call.operands[0].shape, *call.known[1],
                                                     call.attributes.integer("axis"),
                                                     num_elements(call.result.shape))};
  };
  p.kernel.run = run;
  p.samples = [] {
    const auto sample = [](Shape x, Shape indices, std::int64_t axis, double last) {
      return Sample{{{DType::f64, std::move(x)}, {DType::i64, std::move(indices)}},
                    {{"axis", axis}},
                    {{-2, 2}, {0, last}}};
    };
    return std::vector<Sample>{sample({5}, {3}, 0, 4), sample({4, 3}, {6}, 0, 3),
                               sample({2, 4, 3}, {2, 2}, 1, 3), sample({3, 1}, {2}, 1, 0),
                               sample({4}, {}, 0, 3)};
  };
  return p;
}

Array gather(const Array& x, const Array& indices, std::int64_t axis) {
  const std::int64_t normal = normalize_axis(axis, x.rank(), "gather");
  const Array whole = indices.is_literal() ? full(x, indices.literal(), {}, DType::i64) : indices;
  refuse_index("gather", whole, x.shape()[static_cast<std::size_t>(normal)]);
  return apply(kappa_primitive_gather(), {{"axis", normal}}, {x, whole});
}

}  // namespace kappa
