#include <set>

#include "frontend/onnx/operator.h"

namespace kappa {

KAPPA_ONNX_OPERATOR(Squeeze) {
  return {.build = [](OnnxCall& call) {
    const Array x = call.input(0);
    const bool given = call.opset() < 13 ? call.has_attribute("axes") : call.has(1);
    const Dims axes = !given              ? Dims{}
                      : call.opset() < 13 ? call.integers("axes")
                                          : call.known_integers(1);
    std::set<std::int64_t> dropped;
    for (const std::int64_t axis : onnx_axes(axes, x.rank())) dropped.insert(axis);
    Shape shape;
    for (std::int64_t i = 0; i < x.rank(); ++i) {
      const std::int64_t extent = x.shape()[static_cast<std::size_t>(i)];
      if (given ? !dropped.contains(i) : extent != 1) shape.push_back(extent);
      if (given && dropped.contains(i) && extent != 1) {
        call.fail("an axis of extent " + std::to_string(extent) + " cannot be dropped");
      }
    }
    return std::vector<Array>{reshape(x, shape)};
  }};
}

}  // namespace kappa
