#include "frontend/onnx/operator.h"

namespace kappa {

KAPPA_ONNX_OPERATOR(Split) {
  return {.build = [](OnnxCall& call) {
    const Array x = call.input(0);
    const auto axis = static_cast<std::size_t>(onnx_axis(call.integer("axis", 0), x.rank()));
    const std::int64_t extent = x.shape()[axis];
    Dims sizes;
    if (call.opset() < 13) {
      sizes = call.integers("split");
    } else if (call.has(1)) {
      sizes = call.known_integers(1);
    }
    if (sizes.empty()) {  // equal parts; the last is smaller where they do not come out even
      const std::int64_t parts =
          call.integer("num_outputs", static_cast<std::int64_t>(call.num_outputs()));
      if (parts < 1 || parts > 65536) call.fail("a split into no parts, or too many");
      const std::int64_t part = (extent + parts - 1) / parts;
      for (std::int64_t i = 0, left = extent; i < parts; ++i, left -= part) {
        sizes.push_back(left < 0 ? 0 : left < part ? left : part);
      }
    }
    std::vector<Array> outputs;
    std::int64_t start = 0;
    for (const std::int64_t size : sizes) {
      Dims low(x.shape().size(), 0), high = x.shape();
      if (size < 0 || size > extent - start) call.fail("parts that are larger than the whole");
      low[axis] = start;
      high[axis] = start += size;
      outputs.push_back(slice(x, low, high));
    }
    if (start != extent) call.fail("parts that are smaller than the whole");
    return outputs;
  }};
}

}  // namespace kappa
