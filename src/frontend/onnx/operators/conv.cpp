#include <algorithm>

#include "frontend/onnx/window.h"

namespace kappa {

KAPPA_ONNX_OPERATOR(Conv) {
  return {.note = "1 to 3 spatial axes", .build = [](OnnxCall& call) {
            const Array x = call.input(0), weight = call.input(1), bias = call.optional_input(2);
            if (weight.rank() != x.rank()) call.fail("weights and data of different ranks");
            const Shape& w = weight.shape();
            const OnnxWindow window =
                onnx_window(call, x.shape(),
                            Dims(w.begin() + std::min<std::ptrdiff_t>(2, weight.rank()), w.end()));
            Array y = convolution(x, weight, window.window, call.integer("group", 1));
            if (bias.defined()) {
              Shape along(static_cast<std::size_t>(x.rank() - 1), 1);
              along[0] = bias.size();
              y = y + reshape(bias, along);
            }
            return std::vector<Array>{y};
          }};
}

}  // namespace kappa
