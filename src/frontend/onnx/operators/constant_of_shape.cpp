#include "frontend/onnx/operator.h"

namespace kappa {

KAPPA_ONNX_OPERATOR(ConstantOfShape) {
  return {.build = [](OnnxCall& call) {
    Array value = call.number(0, call.floating());
    if (call.has_attribute("value")) {
      value = reshape(call.constant(call.tensor("value").read(call.floating())), {});
    }
    return std::vector<Array>{broadcast_to(value, call.known_integers(0))};
  }};
}

}  // namespace kappa
