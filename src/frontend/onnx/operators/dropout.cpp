#include "frontend/onnx/operator.h"

namespace kappa {

// The identity: curvature is asked of the network as it is used, not of a random one.
KAPPA_ONNX_OPERATOR(Dropout) {
  return {.note = "the identity; training mode with a ratio above 0 is refused",
          .build = [](OnnxCall& call) {
            const Array x = call.input(0);
            if (call.opset() >= 12 && call.has(2) && call.known_number(2) != 0) {
              if (!call.has(1) || call.known_number(1) != 0) {
                call.fail("dropout in training mode is random; export the model for inference");
              }
            }
            return std::vector<Array>{
                x, call.wants(1) ? equal(call.zeros(x.shape(), DType::i64), 0.0) : Array{}};
          }};
}

}  // namespace kappa
