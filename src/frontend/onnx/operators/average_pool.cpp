#include <algorithm>

#include "frontend/onnx/window.h"

namespace kappa {

// Padding counts where the node says so, but never the places that ceil_mode added at the end.
KAPPA_ONNX_OPERATOR(AveragePool) {
  return {.note = "1 to 3 spatial axes", .build = [](OnnxCall& call) {
            const Array x = call.input(0);
            OnnxWindow window = onnx_window(call, x.shape());
            const bool count = call.integer("count_include_pad", 0) != 0;
            const bool cut = std::any_of(window.extra.begin(), window.extra.end(),
                                         [](std::int64_t e) { return e > 0; });
            if (!count || !cut) {
              return std::vector<Array>{average_pool(x, window.kernel, window.window, count)};
            }
            Dims low{0, 0}, high{0, 0};
            Window rest = window.window;
            for (std::size_t i = 0; i < window.kernel.size(); ++i) {
              low.push_back(rest.pads_low[i]);
              high.push_back(rest.pads_high[i] - window.extra[i]);
              rest.pads_low[i] = 0;
              rest.pads_high[i] = window.extra[i];
            }
            return std::vector<Array>{average_pool(pad(x, low, high), window.kernel, rest, false)};
          }};
}

}  // namespace kappa
