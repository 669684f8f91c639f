#include <algorithm>

#include "frontend/onnx/operator.h"

namespace kappa {

// The shape is static, so this is a constant and shape arithmetic vanishes.
KAPPA_ONNX_OPERATOR(Shape) {
  return {.build = [](OnnxCall& call) {
    const Shape shape = call.input(0).shape();
    const auto rank = static_cast<std::int64_t>(shape.size());
    const auto clamp = [rank](std::int64_t axis) {
      return std::clamp<std::int64_t>(axis < 0 ? axis + rank : axis, 0, rank);
    };
    const std::int64_t start = clamp(call.integer("start", 0));
    const std::int64_t end = std::max(start, clamp(call.integer("end", rank)));
    return std::vector<Array>{call.integers_constant({shape.begin() + start, shape.begin() + end})};
  }};
}

}  // namespace kappa
