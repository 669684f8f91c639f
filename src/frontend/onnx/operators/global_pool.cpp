// GlobalAveragePool, GlobalMaxPool, GlobalLpPool: over all spatial axes, which stay with extent 1.

#include <cmath>

#include "frontend/onnx/operator.h"

namespace kappa {
namespace {

Dims spatial_axes(const Array& x) {
  Dims axes;
  for (std::int64_t axis = 2; axis < x.rank(); ++axis) axes.push_back(axis);
  return axes;
}

template <class Function>
OnnxOperator global(Function function) {
  return {.build = [function](OnnxCall& call) {
    const Array x = call.input(0);
    if (x.rank() < 3) return std::vector<Array>{x};
    return std::vector<Array>{function(call, x, spatial_axes(x))};
  }};
}

}  // namespace

KAPPA_ONNX_OPERATOR(GlobalAveragePool) {
  return global([](OnnxCall&, const Array& x, const Dims& axes) { return mean(x, axes, true); });
}
KAPPA_ONNX_OPERATOR(GlobalMaxPool) {
  return global([](OnnxCall&, const Array& x, const Dims& axes) { return max(x, axes, true); });
}
KAPPA_ONNX_OPERATOR(GlobalLpPool) {
  return global([](OnnxCall& call, const Array& x, const Dims& axes) {
    const auto p = static_cast<double>(call.integer("p", 2));
    return pow(sum(pow(abs(x), p), axes, true), 1 / p);
  });
}

}  // namespace kappa
