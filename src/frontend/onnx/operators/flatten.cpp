#include "frontend/onnx/operator.h"
#include "program/type.h"

namespace kappa {

KAPPA_ONNX_OPERATOR(Flatten) {
  return {.build = [](OnnxCall& call) {
    const Array x = call.input(0);
    const std::int64_t given = call.integer("axis", 1);
    const std::int64_t axis = given == x.rank() ? given : onnx_axis(given, x.rank());
    const Shape& shape = x.shape();
    return std::vector<Array>{reshape(x, {num_elements({shape.begin(), shape.begin() + axis}),
                                          num_elements({shape.begin() + axis, shape.end()})})};
  }};
}

}  // namespace kappa
