#include "frontend/onnx/operator.h"
#include "program/type.h"

namespace kappa {

// 0 copies the operand's extent (unless allowzero), -1 takes what is left.
KAPPA_ONNX_OPERATOR(Reshape) {
  return {.build = [](OnnxCall& call) {
    const Array x = call.input(0);
    Shape shape = call.opset() < 5 ? call.integers("shape") : call.known_integers(1);
    const bool keeps_zero = call.integer("allowzero", 0) != 0;
    std::int64_t* rest = nullptr;
    std::int64_t others = 1;
    for (std::size_t i = 0; i < shape.size(); ++i) {
      if (shape[i] == 0 && !keeps_zero) {
        if (i >= x.shape().size()) call.fail("the shape's 0 copies an extent that is not there");
        shape[i] = x.shape()[i];
      }
      if (shape[i] == -1) {
        if (rest != nullptr) call.fail("the shape holds -1 twice");
        rest = &shape[i];
      } else {
        others = num_elements({others, shape[i]});
      }
    }
    if (rest != nullptr) *rest = others == 0 ? 0 : x.size() / others;
    return std::vector<Array>{reshape(x, shape)};
  }};
}

}  // namespace kappa
