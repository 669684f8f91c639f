#include <limits>

#include "frontend/onnx/operator.h"

namespace kappa {

KAPPA_ONNX_OPERATOR(IsInf) {
  return {.first = 10, .build = [](OnnxCall& call) {
            const Array x = call.input(0);
            constexpr double infinity = std::numeric_limits<double>::infinity();
            const bool negative = call.integer("detect_negative", 1) != 0;
            const bool positive = call.integer("detect_positive", 1) != 0;
            if (negative && positive) return std::vector<Array>{equal(abs(x), infinity)};
            if (!negative && !positive)
              return std::vector<Array>{call.zeros(x.shape(), DType::boolean)};
            return std::vector<Array>{equal(x, positive ? infinity : -infinity)};
          }};
}

}  // namespace kappa
