#include "frontend/onnx/operator.h"

namespace kappa {

// The derivative outside the bounds is 0; at a bound it is that of x.
KAPPA_ONNX_OPERATOR(Clip) {
  return {.build = [](OnnxCall& call) {
    Array x = call.input(0);
    if (call.opset() < 11) {
      if (call.has_attribute("min")) x = maximum(x, call.real("min", 0));
      if (call.has_attribute("max")) x = minimum(x, call.real("max", 0));
      return std::vector<Array>{x};
    }
    // The bounds are no parameters: a clipped network is trained with its bounds fixed.
    if (call.has(1)) x = maximum(x, reshape(call.buffer(1), {}));
    if (call.has(2)) x = minimum(x, reshape(call.buffer(2), {}));
    return std::vector<Array>{x};
  }};
}

}  // namespace kappa
