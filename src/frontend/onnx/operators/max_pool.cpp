#include <algorithm>
#include <numeric>

#include "frontend/onnx/window.h"
#include "program/pooled_places.h"

namespace kappa {
namespace {

// Each element's place in the flattened array; `column_major` counts the spatial axes from the
// first. In double precision, where they are exact.
Array places(const Array& x, bool column_major) {
  Shape shape = x.shape();
  if (!column_major) return reshape(iota(x, x.size(), DType::f64), shape);
  std::reverse(shape.begin() + 2, shape.end());
  Dims order(shape.size());
  std::iota(order.begin(), order.end(), 0);
  std::reverse(order.begin() + 2, order.end());
  return transpose(reshape(iota(x, x.size(), DType::f64), shape), order);
}

}  // namespace

KAPPA_ONNX_OPERATOR(MaxPool) {
  return {.note = "1 to 3 spatial axes", .build = [](OnnxCall& call) {
            const Array x = call.input(0);
            const OnnxWindow window = onnx_window(call, x.shape());
            // Integers below 2^53 are exact in double precision.
            const bool integers = x.dtype() == DType::i64;
            const Array data = integers ? convert(x, DType::f64) : x;
            const Array y = max_pool(data, window.kernel, window.window);
            std::vector<Array> results{integers ? convert(y, DType::i64) : y};
            if (call.wants(1)) {
              const Array at =
                  take_at_maxima(data, places(x, call.integer("storage_order", 0) != 0),
                                 window.kernel, window.window);
              results.push_back(convert(at, DType::i64));
            }
            return results;
          }};
}

}  // namespace kappa
