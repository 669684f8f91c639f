#include <algorithm>

#include "frontend/onnx/operator.h"

namespace kappa {

// The entries along an axis (or of the flattened array) where the condition holds.
KAPPA_ONNX_OPERATOR(Compress) {
  return {
      .first = 9, .note = "the condition must be known in advance", .build = [](OnnxCall& call) {
        Array x = call.input(0);
        const Dims condition = call.known_integers(1);
        std::int64_t axis = 0;
        if (call.has_attribute("axis")) {
          axis = onnx_axis(call.integer("axis"), x.rank());
        } else {
          x = reshape(x, {x.size()});
        }
        const auto extent = static_cast<std::size_t>(x.shape()[static_cast<std::size_t>(axis)]);
        Dims chosen;
        for (std::size_t i = 0; i < std::min(condition.size(), extent); ++i) {
          if (condition[i] != 0) chosen.push_back(static_cast<std::int64_t>(i));
        }
        return std::vector<Array>{gather(x, call.integers_constant(chosen), axis)};
      }};
}

}  // namespace kappa
