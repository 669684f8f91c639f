#include "frontend/onnx/operator.h"

namespace kappa {

KAPPA_ONNX_OPERATOR(MatMul) {
  return {.build = [](OnnxCall& call) {
    return std::vector<Array>{matmul(call.input(0), call.input(1))};
  }};
}

}  // namespace kappa
