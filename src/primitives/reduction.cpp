#include "primitives/reduction.h"

#include <fmt/format.h>

namespace kappa {

Type infer_reduction(const char* primitive, const Attributes& attributes, const Type& operand) {
  refuse_boolean(primitive, operand);
  const Dims& axes = attributes.dims("axes");
  const auto rank = static_cast<std::int64_t>(operand.shape.size());
  for (std::size_t i = 0; i < axes.size(); ++i) {
    if (axes[i] < 0 || axes[i] >= rank || (i > 0 && axes[i] <= axes[i - 1])) {
      shape_error(primitive, fmt::format("axes {} of {}; expected increasing axes below {}",
                                         to_string(axes), to_string(operand), rank));
    }
  }
  return {operand.dtype, drop_axes(operand.shape, axes)};
}

Array drop_unit_axes(const Primitive& primitive, const Call& call) {
  const Array& x = call.operands[0];
  Dims unit, rest;
  for (const std::int64_t axis : call.attributes.dims("axes")) {
    if (x.shape()[static_cast<std::size_t>(axis)] == 1) {
      unit.push_back(axis);
    } else {
      rest.push_back(axis - static_cast<std::int64_t>(unit.size()));
    }
  }
  if (rest.empty()) return reshape(x, drop_axes(x.shape(), unit));
  if (unit.empty()) return {};
  return apply(primitive, {{"axes", rest}}, {reshape(x, drop_axes(x.shape(), unit))});
}

Array reduce(const Primitive& primitive, const Array& x, const Dims& axes, bool keep,
             const char* verb) {
  const Dims normal = normalize_axes(axes, x.rank(), verb);
  const Array number = x.dtype() == DType::boolean ? convert(x, DType::i64) : x;
  const Array result = apply(primitive, {{"axes", normal}}, {number});
  return keep ? reshape(result, keep_axes(x.shape(), normal)) : result;
}

Array expand_reduced(const Array& reduced, const Dims& axes, const Shape& shape) {
  return broadcast_to(reshape(reduced, keep_axes(shape, axes)), shape);
}

std::optional<ElementGroups> reduction_sparsity(const SparsityCall& call, int) {
  return reduction_groups(call.operands[0].shape, call.attributes.dims("axes"));
}

std::vector<Sample> reduction_samples() {
  const auto sample = [](Shape shape, Dims axes) {
    return Sample{{{DType::f64, std::move(shape)}}, {{"axes", axes}}};
  };
  return {sample({5}, {0}),       sample({3, 4}, {1}),       sample({3, 4}, {0}),
          sample({2, 3, 4}, {1}), sample({2, 3, 4}, {0, 2}), sample({2, 1, 3}, {1, 2}),
          sample({7, 37}, {0, 1})};
}

std::pair<std::string, int> print_reduction(const char* name, const Attributes& attributes,
                                            const std::pair<std::string, int>& operand) {
  const Dims& axes = attributes.dims("axes");
  // A formula's sum without an axis is over all of them, which axes 0, 1, ... most often are.
  bool leading = true;
  for (std::size_t i = 0; i < axes.size(); ++i) {
    leading = leading && axes[i] == static_cast<std::int64_t>(i);
  }
  if (leading && axes.size() != 1) return {fmt::format("{}({})", name, operand.first), 9};
  if (axes == Dims{0}) return {fmt::format("{}({})", name, operand.first), 9};
  return {fmt::format("{}({}, axis={})", name, operand.first, fmt::join(axes, ",")), 9};
}

}  // namespace kappa
