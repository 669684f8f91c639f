#include "frontend/onnx/operator.h"
#include "program/type.h"

namespace kappa {

// The shape broadcasts with the operand's: an extent of 1 in it keeps the operand's.
KAPPA_ONNX_OPERATOR(Expand) {
  return {.build = [](OnnxCall& call) {
    const Array x = call.input(0);
    return std::vector<Array>{
        broadcast_to(x, broadcast_shapes(x.shape(), call.known_integers(1), "Expand"))};
  }};
}

}  // namespace kappa
