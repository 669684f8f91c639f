#include "frontend/onnx/operator.h"

namespace kappa {

// x / (bias + alpha/size * sum of x^2 over `size` neighbouring channels)^beta. The window's sums
// are differences of shifted slices: `size` of them, as wide windows are not made.
KAPPA_ONNX_OPERATOR(LRN) {
  return {.build = [](OnnxCall& call) {
    const Array x = call.input(0);
    if (x.rank() < 2) call.fail("data without an axis of channels");
    const std::int64_t size = call.integer("size");
    if (size < 1 || size > 1024) call.fail("a window of " + std::to_string(size) + " channels");
    const double alpha = call.real("alpha", 1e-4), beta = call.real("beta", 0.75),
                 bias = call.real("bias", 1);
    Dims low(x.shape().size(), 0), high(x.shape().size(), 0);
    low[1] = (size - 1) / 2;
    high[1] = size - 1 - low[1];
    const Array squares = pad(square(x), low, high);
    Array total;
    for (std::int64_t k = 0; k < size; ++k) {
      Dims starts(x.shape().size(), 0), stops = squares.shape();
      starts[1] = k;
      stops[1] = k + x.shape()[1];
      const Array part = slice(squares, starts, stops);
      total = k == 0 ? part : total + part;
    }
    return std::vector<Array>{x * pow(bias + alpha / static_cast<double>(size) * total, -beta)};
  }};
}

}  // namespace kappa
