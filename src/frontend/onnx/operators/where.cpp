#include "frontend/onnx/operator.h"

namespace kappa {

KAPPA_ONNX_OPERATOR(Where) {
  return {.build = [](OnnxCall& call) {
    return std::vector<Array>{where(call.input(0), call.input(1), call.input(2))};
  }};
}

}  // namespace kappa
