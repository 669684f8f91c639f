#include <algorithm>

#include "frontend/onnx/operator.h"

namespace kappa {

// As NumPy: starts and ends beyond the array are cut to it.
KAPPA_ONNX_OPERATOR(Slice) {
  return {.build = [](OnnxCall& call) {
    const Array x = call.input(0);
    const bool attributes = call.opset() < 10;
    const Dims starts = attributes ? call.integers("starts") : call.known_integers(1);
    const Dims ends = attributes ? call.integers("ends") : call.known_integers(2);
    Dims axes = attributes ? call.integers("axes") : call.has(3) ? call.known_integers(3) : Dims{};
    Dims given = !attributes && call.has(4) ? call.known_integers(4) : Dims{};
    const auto count = starts.size();
    if (axes.empty()) {
      for (std::size_t i = 0; i < count; ++i) axes.push_back(static_cast<std::int64_t>(i));
    }
    if (given.empty()) given.assign(count, 1);
    if (ends.size() != count || axes.size() != count || given.size() != count) {
      call.fail("starts, ends, axes and steps of different lengths");
    }
    Dims low(x.shape().size(), 0), high = x.shape(), steps(x.shape().size(), 1);
    axes = onnx_axes(axes, x.rank());
    for (std::size_t i = 0; i < count; ++i) {
      const auto axis = static_cast<std::size_t>(axes[i]);
      const std::int64_t extent = x.shape()[axis], step = given[i];
      if (step == 0) call.fail("a step of 0");
      const auto place = [&](std::int64_t p) {
        if (p < 0) p += extent;
        return step > 0 ? std::clamp<std::int64_t>(p, 0, extent)
                        : std::clamp<std::int64_t>(p, -1, extent - 1);
      };
      low[axis] = place(starts[i]);
      high[axis] = place(ends[i]);
      // An end so far down that no extent reaches it means "from the first on".
      if (step < 0 && ends[i] < -extent) high[axis] = -1;
      if (step > 0) high[axis] = std::max(high[axis], low[axis]);
      if (step < 0) high[axis] = std::min(high[axis], low[axis]);
      steps[axis] = std::clamp<std::int64_t>(step, -std::max<std::int64_t>(extent, 1),
                                             std::max<std::int64_t>(extent, 1));
      if (extent == 0) low[axis] = high[axis] = 0, steps[axis] = 1;
    }
    return std::vector<Array>{slice(x, low, high, steps)};
  }};
}

}  // namespace kappa
