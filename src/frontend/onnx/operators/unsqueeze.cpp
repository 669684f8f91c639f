#include <set>

#include "frontend/onnx/operator.h"

namespace kappa {

KAPPA_ONNX_OPERATOR(Unsqueeze) {
  return {.build = [](OnnxCall& call) {
    const Array x = call.input(0);
    const Dims axes = call.opset() < 13 ? call.integers("axes") : call.known_integers(1);
    const std::int64_t rank = x.rank() + static_cast<std::int64_t>(axes.size());
    std::set<std::int64_t> added;
    for (const std::int64_t axis : onnx_axes(axes, rank)) {
      if (!added.insert(axis).second) call.fail("the same axis twice");
    }
    Shape shape;
    auto next = x.shape().begin();
    for (std::int64_t i = 0; i < rank; ++i) shape.push_back(added.contains(i) ? 1 : *next++);
    return std::vector<Array>{reshape(x, shape)};
  }};
}

}  // namespace kappa
