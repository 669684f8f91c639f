#include <algorithm>

#include "frontend/onnx/operator.h"

namespace kappa {

// Each axis cut, or filled up with zeros, to its new extent around the middle.
KAPPA_ONNX_OPERATOR(CenterCropPad) {
  return {.first = 18, .build = [](OnnxCall& call) {
            const Array x = call.input(0);
            const Dims extents = call.known_integers(1);
            Dims axes;
            if (call.has_attribute("axes")) {
              axes = onnx_axes(call.integers("axes"), x.rank());
            } else {
              for (std::int64_t i = 0; i < x.rank(); ++i) axes.push_back(i);
            }
            if (axes.size() != extents.size()) call.fail("an extent an axis is needed");
            Dims starts(x.shape().size(), 0), stops = x.shape(), low = starts, high = starts;
            for (std::size_t i = 0; i < axes.size(); ++i) {
              const auto axis = static_cast<std::size_t>(axes[i]);
              if (extents[i] < 0) call.fail("a negative extent");
              const std::int64_t more = extents[i] - x.shape()[axis];
              starts[axis] = std::max<std::int64_t>(0, -more) / 2;
              stops[axis] = starts[axis] + std::min(extents[i], x.shape()[axis]);
              low[axis] = std::max<std::int64_t>(0, more) / 2;
              high[axis] = std::max<std::int64_t>(0, more) - low[axis];
            }
            return std::vector<Array>{pad(slice(x, starts, stops), low, high)};
          }};
}

}  // namespace kappa
