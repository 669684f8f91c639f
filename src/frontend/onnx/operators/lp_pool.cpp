#include "frontend/onnx/window.h"

namespace kappa {

// (sum of |x|^p under the window)^(1/p): a convolution of |x|^p with ones, channel by channel.
KAPPA_ONNX_OPERATOR(LpPool) {
  return {.note = "1 to 3 spatial axes", .build = [](OnnxCall& call) {
            const Array x = call.input(0);
            const OnnxWindow window = onnx_window(call, x.shape());
            const auto p = static_cast<double>(call.integer("p", 2));
            const std::int64_t channels = x.shape()[1];
            Shape ones{channels, 1};
            ones.insert(ones.end(), window.kernel.begin(), window.kernel.end());
            const Array sums =
                convolution(p == 1 ? abs(x) : pow(abs(x), p),
                            broadcast_to(call.number(1, x.dtype()), ones), window.window, channels);
            return std::vector<Array>{p == 1 ? sums : p == 2 ? sqrt(sums) : pow(sums, 1 / p)};
          }};
}

}  // namespace kappa
