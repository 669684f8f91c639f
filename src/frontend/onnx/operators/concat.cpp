#include "frontend/onnx/operator.h"

namespace kappa {

KAPPA_ONNX_OPERATOR(Concat) {
  return {.build = [](OnnxCall& call) {
    std::vector<Array> parts = call.inputs();
    const std::int64_t axis = onnx_axis(call.integer("axis", 1), parts[0].rank());
    if (parts.size() == 1) return parts;
    return std::vector<Array>{concat(parts, axis)};
  }};
}

}  // namespace kappa
