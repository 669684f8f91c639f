#include "frontend/onnx/operator.h"

namespace kappa {

// Negative indices count from the end.
KAPPA_ONNX_OPERATOR(Gather) {
  return {.build = [](OnnxCall& call) {
    const Array x = call.input(0), indices = call.input(1);
    const std::int64_t axis = onnx_axis(call.integer("axis", 0), x.rank());
    const auto extent = static_cast<double>(x.shape()[static_cast<std::size_t>(axis)]);
    return std::vector<Array>{gather(x, where(indices < 0.0, indices + extent, indices), axis)};
  }};
}

}  // namespace kappa
