#include "frontend/onnx/operator.h"

namespace kappa {

KAPPA_ONNX_OPERATOR(Transpose) {
  return {.build = [](OnnxCall& call) {
    const Array x = call.input(0);
    return std::vector<Array>{x.rank() < 2 ? x : transpose(x, call.integers("perm"))};
  }};
}

}  // namespace kappa
