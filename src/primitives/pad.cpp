#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "primitives/axes.h"

namespace kappa {

const Primitive& kappa_primitive_pad();

namespace {

bool all_zero(const Dims& values) {
  return std::all_of(values.begin(), values.end(), [](std::int64_t v) { return v == 0; });
}

Type infer(const Attributes& attributes, std::span<const Type> operands) {
  const Dims& low = attributes.dims("low");
  const Dims& high = attributes.dims("high");
  const Dims& interior = attributes.dims("interior");
  Shape shape = operands[0].shape;
  if (low.size() != shape.size() || high.size() != shape.size() ||
      interior.size() != shape.size()) {
    shape_error("pad", fmt::format("{} has {} axes; {} low, {} high and {} interior given",
                                   to_string(operands[0]), shape.size(), low.size(), high.size(),
                                   interior.size()));
  }
  for (std::size_t i = 0; i < shape.size(); ++i) {
    if (low[i] < 0 || high[i] < 0 || interior[i] < 0) {
      shape_error("pad", fmt::format("low {}, high {}, interior {} on axis {}; expected 0 or more",
                                     low[i], high[i], interior[i], i));
    }
    if (shape[i] > 0) shape[i] += (shape[i] - 1) * interior[i];
    shape[i] += low[i] + high[i];
  }
  return {operands[0].dtype, shape};
}

// With gaps between neighbours the result is no view: elements are copied one by one.
void run(const KernelCall& call) {
  const Shape& shape = call.input_types[0].shape;
  const auto bytes = static_cast<std::size_t>(size_of(call.output_type.dtype));
  std::memset(call.output, 0, static_cast<std::size_t>(num_bytes(call.output_type)));
  Dims strides = contiguous_strides(call.output_type.shape);
  std::int64_t offset = 0;
  for (std::size_t i = 0; i < shape.size(); ++i) {
    offset += call.attributes.dims("low")[i] * strides[i];
    strides[i] *= call.attributes.dims("interior")[i] + 1;
  }
  const auto* source = static_cast<const std::byte*>(call.inputs[0]);
  auto* target = static_cast<std::byte*>(call.output);
  const auto copy = [&](const auto& self, std::size_t axis, std::int64_t at) -> void {
    if (axis == shape.size()) {
      std::memcpy(target + at * static_cast<std::int64_t>(bytes), source, bytes);
      source += bytes;
      return;
    }
    for (std::int64_t i = 0; i < shape[axis]; ++i) self(self, axis + 1, at + i * strides[axis]);
  };
  copy(copy, 0, offset);
}

std::optional<View> view(const Attributes& attributes, std::span<const Type> operands,
                         const Type&) {
  if (!all_zero(attributes.dims("interior"))) return std::nullopt;
  const Shape& shape = operands[0].shape;
  View view{.strides = contiguous_strides(shape), .lower = attributes.dims("low")};
  view.upper = view.lower;
  for (std::size_t i = 0; i < shape.size(); ++i) {
    view.offset -= view.lower[i] * view.strides[i];
    view.upper[i] += shape[i];
  }
  return view;
}

Array simplify(const Call& call) {
  const Array& x = call.operands[0];
  const Dims& low = call.attributes.dims("low");
  const Dims& high = call.attributes.dims("high");
  if (low.empty()) return x;
  const Type operand = x.node().type;
  const Type result = infer(call.attributes, {&operand, 1});
  if (result.shape == x.shape()) return x;
  if (constant_value(x) == 0.0 || x.size() == 0) {
    return full(x, 0, result.shape, x.dtype());
  }
  if (is_call(x, kappa_primitive_pad()) && all_zero(call.attributes.dims("interior")) &&
      all_zero(x.node().attributes.dims("interior"))) {
    Dims inner_low = x.node().attributes.dims("low"), inner_high = x.node().attributes.dims("high");
    for (std::size_t i = 0; i < low.size(); ++i) {
      inner_low[i] += low[i];
      inner_high[i] += high[i];
    }
    return pad(operand_of(x), inner_low, inner_high);
  }
  return {};
}

}  // namespace

KAPPA_PRIMITIVE(pad) {
  Primitive p;
  p.name = "pad";
  p.doc = "Zeros before, after and between the entries along each axis.";
  p.infer = infer;
  p.linear_operands = {0};
  p.transpose = [](const Call& call, int, const Array& cotangent) {
    const Shape& shape = call.operands[0].shape();
    const Dims& low = call.attributes.dims("low");
    Dims stops = low, steps = call.attributes.dims("interior");
    for (std::size_t i = 0; i < shape.size(); ++i) {
      ++steps[i];
      if (shape[i] > 0) stops[i] += (shape[i] - 1) * steps[i] + 1;
    }
    return slice(cotangent, low, stops, steps);
  };
  p.batch = [](const Call& call, const std::vector<bool>&, std::int64_t) {
    return pad(call.operands[0], prepend(0, call.attributes.dims("low")),
               prepend(0, call.attributes.dims("high")),
               prepend(0, call.attributes.dims("interior")));
  };
  p.sparsity = [](const SparsityCall& call, int) {
    Dims strides = contiguous_strides(call.result.shape);
    std::int64_t offset = 0;
    for (std::size_t i = 0; i < strides.size(); ++i) {
      offset += call.attributes.dims("low")[i] * strides[i];
      strides[i] *= call.attributes.dims("interior")[i] + 1;
    }
    return ElementGroups{.of_operand = strided_places(call.operands[0].shape, strides, offset)};
  };
  p.simplify = simplify;
  p.kernel.view = view;
  p.kernel.run = run;
  p.samples = [] {
    const auto sample = [](Shape shape, Dims low, Dims high, Dims interior) {
      return Sample{{{DType::f64, std::move(shape)}},
                    {{"low", low}, {"high", high}, {"interior", interior}}};
    };
    return std::vector<Sample>{sample({3}, {1}, {2}, {0}), sample({3}, {0}, {1}, {2}),
                               sample({1}, {1}, {0}, {3}), sample({2, 3}, {1, 0}, {0, 2}, {0, 0}),
                               sample({2, 2, 1}, {0, 1, 1}, {1, 0, 0}, {1, 0, 0})};
  };
  return p;
}

Array pad(const Array& x, const Dims& low, const Dims& high, const Dims& interior) {
  const Dims none(low.size(), 0);
  return apply(kappa_primitive_pad(),
               {{"low", low}, {"high", high}, {"interior", interior.empty() ? none : interior}},
               {x});
}

}  // namespace kappa
