// ReduceSum, ReduceMean and their family: `axes` is an attribute first and an input later (from
// opset 13 on for ReduceSum, 18 for the others); none means all, unless noop_with_empty_axes.

#include <algorithm>
#include <limits>

#include "frontend/onnx/operator.h"

namespace kappa {
namespace {

using Function = Array (*)(const Array& x, const Dims& axes, bool keep);

OnnxOperator reduction(Function function, int axes_are_input) {
  return {.build = [function, axes_are_input](OnnxCall& call) {
    const Array x = call.input(0);
    Dims axes;
    if (call.opset() < axes_are_input) {
      axes = call.integers("axes");
    } else if (call.has(1)) {
      axes = call.known_integers(1);
    }
    axes = onnx_axes(axes, x.rank());
    if (axes.empty()) {
      if (call.integer("noop_with_empty_axes", 0) != 0) return std::vector<Array>{x};
      for (std::int64_t axis = 0; axis < x.rank(); ++axis) axes.push_back(axis);
    }
    if (axes.empty()) return std::vector<Array>{function(reshape(x, {1}), {0}, false)};
    return std::vector<Array>{function(x, axes, call.integer("keepdims", 1) != 0)};
  }};
}

// What is taken over no elements at all has the neutral element's value.
bool takes_none(const Array& x, const Dims& axes) {
  for (const std::int64_t axis : axes) {
    if (x.shape()[static_cast<std::size_t>(axis)] == 0) return true;
  }
  return false;
}

Array neutral(double value, const Array& x, const Dims& axes, bool keep) {
  const Array shape_of = sum(convert(x, DType::i64), axes, keep);
  const bool whole = x.dtype() == DType::i64;
  const double limit = 0x1p62;  // stands for infinity among integers
  return full(x, whole ? std::clamp(value, -limit, limit) : value, shape_of.shape(), x.dtype());
}

constexpr double infinity = std::numeric_limits<double>::infinity();

Array log_sum_exp(const Array& x, const Dims& axes, bool keep) {
  return takes_none(x, axes) ? neutral(-infinity, x, axes, keep) : logsumexp(x, axes, keep);
}

Array greatest(const Array& x, const Dims& axes, bool keep) {
  if (x.dtype() == DType::boolean) {
    return convert(greatest(convert(x, DType::i64), axes, keep), DType::boolean);
  }
  return takes_none(x, axes) ? neutral(-infinity, x, axes, keep) : max(x, axes, keep);
}

Array least(const Array& x, const Dims& axes, bool keep) {
  if (x.dtype() == DType::boolean) {
    return convert(least(convert(x, DType::i64), axes, keep), DType::boolean);
  }
  return takes_none(x, axes) ? neutral(infinity, x, axes, keep) : min(x, axes, keep);
}

// Integers keep their type.
Array integer_mean(const Array& x, const Dims& axes, bool keep) {
  if (x.dtype() == DType::i64) return convert(mean(convert(x, DType::f64), axes, keep), DType::i64);
  return mean(x, axes, keep);
}

}  // namespace

KAPPA_ONNX_OPERATOR(ReduceSum) { return reduction(sum, 13); }
KAPPA_ONNX_OPERATOR(ReduceMean) { return reduction(integer_mean, 18); }
KAPPA_ONNX_OPERATOR(ReduceProd) { return reduction(prod, 18); }
KAPPA_ONNX_OPERATOR(ReduceMax) { return reduction(greatest, 18); }
KAPPA_ONNX_OPERATOR(ReduceMin) { return reduction(least, 18); }
KAPPA_ONNX_OPERATOR(ReduceL1) {
  return reduction(
      [](const Array& x, const Dims& axes, bool keep) { return sum(abs(x), axes, keep); }, 18);
}
KAPPA_ONNX_OPERATOR(ReduceL2) {
  return reduction(
      [](const Array& x, const Dims& axes, bool keep) { return sqrt(sum(square(x), axes, keep)); },
      18);
}
KAPPA_ONNX_OPERATOR(ReduceLogSum) {
  return reduction(
      [](const Array& x, const Dims& axes, bool keep) { return log(sum(x, axes, keep)); }, 18);
}
KAPPA_ONNX_OPERATOR(ReduceLogSumExp) { return reduction(log_sum_exp, 18); }
KAPPA_ONNX_OPERATOR(ReduceSumSquare) {
  return reduction(
      [](const Array& x, const Dims& axes, bool keep) { return sum(square(x), axes, keep); }, 18);
}

}  // namespace kappa
