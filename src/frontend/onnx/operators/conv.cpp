#include "frontend/onnx/window.h"

namespace kappa {

KAPPA_ONNX_OPERATOR(Conv) {
  return {.note = "1 to 3 spatial axes", .build = [](OnnxCall& call) {
            const Array x = call.input(0), weight = call.input(1), bias = call.optional_input(2);
            const OnnxWindow window = onnx_window(call, x, weight);
            const Array y = convolution(x, weight, window.window, call.integer("group", 1));
            return std::vector<Array>{plus_channel_bias(y, bias)};
          }};
}

}  // namespace kappa
