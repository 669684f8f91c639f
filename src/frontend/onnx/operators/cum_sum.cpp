#include "frontend/onnx/operator.h"

namespace kappa {

KAPPA_ONNX_OPERATOR(CumSum) {
  return {.build = [](OnnxCall& call) {
    const Array x = call.input(0);
    const std::int64_t axis = onnx_axis(call.known_integer(1), x.rank());
    const bool reverse = call.integer("reverse", 0) != 0;
    const Array sums = cumsum(x, axis, reverse);
    // The exclusive sum leaves the element itself out.
    return std::vector<Array>{call.integer("exclusive", 0) != 0 ? sums - x : sums};
  }};
}

}  // namespace kappa
