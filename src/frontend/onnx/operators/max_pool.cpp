#include "frontend/onnx/window.h"

namespace kappa {

KAPPA_ONNX_OPERATOR(MaxPool) {
  return {.note = "1 to 3 spatial axes; no output of indices", .build = [](OnnxCall& call) {
            const Array x = call.input(0);
            if (call.wants(1)) call.fail("the indices of the maxima are not given");
            const OnnxWindow window = onnx_window(call, x.shape());
            if (x.dtype() == DType::i64) {  // integers below 2^53 are exact in double precision
              const Array y = max_pool(convert(x, DType::f64), window.kernel, window.window);
              return std::vector<Array>{convert(y, DType::i64)};
            }
            return std::vector<Array>{max_pool(x, window.kernel, window.window)};
          }};
}

}  // namespace kappa
