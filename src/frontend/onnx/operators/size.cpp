#include "frontend/onnx/operator.h"

namespace kappa {

KAPPA_ONNX_OPERATOR(Size) {
  return {.build = [](OnnxCall& call) {
    return std::vector<Array>{reshape(call.integers_constant({call.input(0).size()}), {})};
  }};
}

}  // namespace kappa
