#include <fmt/format.h>

#include <algorithm>

#include "primitives/axes.h"

namespace kappa {
namespace {

Shape permuted(const Shape& shape, const Dims& permutation) {
  Shape result;
  for (const std::int64_t axis : permutation) {
    result.push_back(shape[static_cast<std::size_t>(axis)]);
  }
  return result;
}

Dims inverse(const Dims& permutation) {
  Dims result(permutation.size());
  for (std::size_t i = 0; i < permutation.size(); ++i) {
    result[static_cast<std::size_t>(permutation[i])] = static_cast<std::int64_t>(i);
  }
  return result;
}

// Axes of extent 1 may go anywhere without moving an element.
bool keeps_order(const Shape& shape, const Dims& permutation) {
  std::int64_t last = -1;
  for (const std::int64_t axis : permutation) {
    if (shape[static_cast<std::size_t>(axis)] == 1) continue;
    if (axis < last) return false;
    last = axis;
  }
  return true;
}

Type infer(const Attributes& attributes, std::span<const Type> operands) {
  const Dims& permutation = attributes.dims("permutation");
  Dims sorted = permutation;
  std::sort(sorted.begin(), sorted.end());
  bool valid = sorted.size() == operands[0].shape.size();
  for (std::size_t i = 0; valid && i < sorted.size(); ++i) {
    valid = sorted[i] == static_cast<std::int64_t>(i);
  }
  if (!valid) {
    shape_error("transpose", fmt::format("{} is no permutation of the axes of {}",
                                         to_string(permutation), to_string(operands[0])));
  }
  return {operands[0].dtype, permuted(operands[0].shape, permutation)};
}

}  // namespace

KAPPA_PRIMITIVE(transpose) {
  Primitive p;
  p.name = "transpose";
  p.doc = "Axes reordered: axis i of the result is axis permutation[i] of the operand.";
  p.infer = infer;
  p.linear_operands = {0};
  p.transpose = [](const Call& call, int, const Array& cotangent) {
    return transpose(cotangent, inverse(call.attributes.dims("permutation")));
  };
  p.batch = [](const Call& call, const std::vector<bool>&, std::int64_t) {
    return transpose(call.operands[0], prepend(0, shift_axes(call.attributes.dims("permutation"))));
  };
  p.simplify = [](const Call& call) -> Array {
    const Array& x = call.operands[0];
    const Dims& permutation = call.attributes.dims("permutation");
    if (keeps_order(x.shape(), permutation)) return reshape(x, permuted(x.shape(), permutation));
    if (is_call(x, kappa_primitive_transpose())) {
      const Dims& inner = x.node().attributes.dims("permutation");
      return transpose(operand_of(x), permuted(inner, permutation));
    }
    if (const auto source = uniform_source(x)) {
      return broadcast_to(*source, permuted(x.shape(), permutation));
    }
    return {};
  };
  p.kernel.view = [](const Attributes& attributes, std::span<const Type> operands, const Type&) {
    return View{
        .strides = permuted(contiguous_strides(operands[0].shape), attributes.dims("permutation"))};
  };
  p.samples = [] {
    return std::vector<Sample>{{{{DType::f64, {2, 3}}}, {{"permutation", Dims{1, 0}}}},
                               {{{DType::f64, {2, 3, 4}}}, {{"permutation", Dims{2, 0, 1}}}},
                               {{{DType::f64, {1, 3, 1}}}, {{"permutation", Dims{1, 2, 0}}}}};
  };
  p.print = [](const Attributes& attributes,
               std::span<const std::pair<std::string, int>> operands) {
    const auto& [text, precedence] = operands[0];
    const std::string base = precedence >= 9 ? text : "(" + text + ")";
    const Dims& permutation = attributes.dims("permutation");
    if (std::is_sorted(permutation.rbegin(), permutation.rend())) {
      return std::pair<std::string, int>{base + ".T", 9};
    }
    return std::pair<std::string, int>{
        fmt::format("transpose({}, {})", text, fmt::join(permutation, ", ")), 9};
  };
  return p;
}

Array transpose(const Array& x, const Dims& permutation) {
  Dims axes = permutation;
  if (axes.empty()) {
    for (std::int64_t i = x.rank(); i-- > 0;) axes.push_back(i);
  }
  return apply(kappa_primitive_transpose(), {{"permutation", axes}}, {x});
}

}  // namespace kappa
