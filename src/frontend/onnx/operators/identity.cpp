#include "frontend/onnx/operator.h"

namespace kappa {

KAPPA_ONNX_OPERATOR(Identity) {
  return {.build = [](OnnxCall& call) { return std::vector<Array>{call.input(0)}; }};
}

}  // namespace kappa
