#include <fmt/format.h>

#include <algorithm>

#include "primitives/axes.h"

namespace kappa {

const Primitive& kappa_primitive_cumsum();

namespace {

Array cumsum_along(const Array& x, std::int64_t axis, bool reverse) {
  return apply(kappa_primitive_cumsum(), {{"axis", axis}, {"reverse", std::int64_t{reverse}}}, {x});
}

// Floating sums run in double and are rounded at each entry.
template <class T, class Sum>
void cumsum_kernel(const KernelCall& call) {
  const auto axis = static_cast<std::size_t>(call.attributes.integer("axis"));
  const bool reverse = call.attributes.integer("reverse") != 0;
  const Shape& shape = call.output_type.shape;
  std::int64_t outer = 1, inner = 1;
  for (std::size_t i = 0; i < axis; ++i) outer *= shape[i];
  for (std::size_t i = axis + 1; i < shape.size(); ++i) inner *= shape[i];
  const std::int64_t extent = shape[axis];
  const T* x = static_cast<const T*>(call.inputs[0]);
  T* out = static_cast<T*>(call.output);
  if (inner == 1) {  // the running sum stays in a register
    for (std::int64_t o = 0; o < outer; ++o, x += extent, out += extent) {
      Sum total = 0;
      for (std::int64_t i = 0; i < extent; ++i) {
        const std::int64_t at = reverse ? extent - 1 - i : i;
        total += static_cast<Sum>(x[at]);
        out[at] = static_cast<T>(total);
      }
    }
    return;
  }
  constexpr std::int64_t tile = 256;
  Sum sums[tile];
  for (std::int64_t o = 0; o < outer; ++o) {
    for (std::int64_t first = 0; first < inner; first += tile) {
      const std::int64_t width = std::min(tile, inner - first);
      std::fill_n(sums, width, Sum{0});
      for (std::int64_t i = 0; i < extent; ++i) {
        const std::int64_t row = reverse ? extent - 1 - i : i;
        const std::int64_t at = (o * extent + row) * inner + first;
        for (std::int64_t j = 0; j < width; ++j) {
          sums[j] += static_cast<Sum>(x[at + j]);
          out[at + j] = static_cast<T>(sums[j]);
        }
      }
    }
  }
}

}  // namespace

KAPPA_PRIMITIVE(cumsum) {
  Primitive p;
  p.name = "cumsum";
  p.doc = "Running sums along an axis, from its end where `reverse` is set.";
  p.infer = [](const Attributes& attributes, std::span<const Type> operands) {
    refuse_boolean("cumsum", operands[0]);
    const std::int64_t axis = attributes.integer("axis");
    if (axis < 0 || axis >= static_cast<std::int64_t>(operands[0].shape.size())) {
      shape_error("cumsum", fmt::format("axis {} of {}", axis, to_string(operands[0])));
    }
    return operands[0];
  };
  p.linear_operands = {0};
  p.transpose = [](const Call& call, int, const Array& cotangent) {
    return cumsum_along(cotangent, call.attributes.integer("axis"),
                        call.attributes.integer("reverse") == 0);
  };
  p.batch = [](const Call& call, const std::vector<bool>&, std::int64_t) {
    return cumsum_along(call.operands[0], call.attributes.integer("axis") + 1,
                        call.attributes.integer("reverse") != 0);
  };
  p.sparsity = [](const SparsityCall& call, int) {
    const auto axis = static_cast<std::size_t>(call.attributes.integer("axis"));
    Dims strides =
        contiguous_strides(keep_axes(call.result.shape, {call.attributes.integer("axis")}));
    strides[axis] = 0;
    const std::vector<std::int32_t> lines = strided_places(call.result.shape, strides);
    return ElementGroups{lines, lines,
                         call.attributes.integer("reverse") != 0
                             ? ElementGroups::Within::not_before
                             : ElementGroups::Within::not_after};
  };
  p.simplify = [](const Call& call) -> Array {
    const auto axis = static_cast<std::size_t>(call.attributes.integer("axis"));
    return call.operands[0].shape()[axis] <= 1 ? call.operands[0] : Array();
  };
  p.kernel.run = [](const KernelCall& call) {
    switch (call.output_type.dtype) {
      case DType::f64: return cumsum_kernel<double, double>(call);
      case DType::f32: return cumsum_kernel<float, double>(call);
      default: return cumsum_kernel<std::int64_t, std::int64_t>(call);
    }
  };
  p.samples = [] {
    const auto sample = [](Shape shape, std::int64_t axis, std::int64_t reverse) {
      return Sample{{{DType::f64, std::move(shape)}}, {{"axis", axis}, {"reverse", reverse}}};
    };
    return std::vector<Sample>{sample({5}, 0, 0),       sample({5}, 0, 1),    sample({2, 3}, 1, 0),
                               sample({3, 2, 4}, 1, 1), sample({3, 1}, 0, 0), sample({1, 3}, 0, 1)};
  };
  p.print = [](const Attributes& attributes,
               std::span<const std::pair<std::string, int>> operands) {
    const std::int64_t axis = attributes.integer("axis");
    std::string text = "cumsum(" + operands[0].first;
    if (axis != 0) text += fmt::format(", axis={}", axis);
    if (attributes.integer("reverse") != 0) text += ", reverse=1";
    return std::pair{text + ")", 9};
  };
  return p;
}

Array cumsum(const Array& x, std::int64_t axis, bool reverse) {
  const Array number = x.dtype() == DType::boolean ? convert(x, DType::i64) : x;
  return cumsum_along(number, normalize_axis(axis, x.rank(), "cumsum"), reverse);
}

}  // namespace kappa
