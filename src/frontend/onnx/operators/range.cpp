#include <algorithm>
#include <cmath>

#include "frontend/onnx/operator.h"

namespace kappa {

KAPPA_ONNX_OPERATOR(Range) {
  return {.build = [](OnnxCall& call) {
    const DType dtype = call.input(0).dtype();
    const double start = call.known_number(0), limit = call.known_number(1),
                 step = call.known_number(2);
    const double count = std::max(0.0, std::ceil((limit - start) / step));
    if (!(count <= 1e9)) call.fail("a range without end");
    const Array places = iota(call.input(0), static_cast<std::int64_t>(count), dtype);
    return std::vector<Array>{call.number(start, dtype) + places * call.number(step, dtype)};
  }};
}

}  // namespace kappa
