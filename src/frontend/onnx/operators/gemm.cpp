#include "frontend/onnx/operator.h"

namespace kappa {

// alpha op(A) op(B) + beta C.
KAPPA_ONNX_OPERATOR(Gemm) {
  return {.build = [](OnnxCall& call) {
    const Array a = call.input(0), b = call.input(1), c = call.optional_input(2);
    if (a.rank() != 2 || b.rank() != 2) call.fail("operands that are no matrices");
    const double alpha = call.real("alpha", 1), beta = call.real("beta", 1);
    Array y = matmul(a, b, call.integer("transA", 0) != 0, call.integer("transB", 0) != 0);
    if (alpha != 1) y = alpha * y;
    if (c.defined() && beta != 0) y = y + (beta == 1 ? c : beta * c);
    return std::vector<Array>{y};
  }};
}

}  // namespace kappa
