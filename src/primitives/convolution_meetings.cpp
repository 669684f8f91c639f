#include "primitives/convolution_meetings.h"

#include <algorithm>
#include <map>
#include <numeric>

namespace kappa {
namespace {

// One axis: each target position meets a run of sources from its base on. The first tap and how
// many follow is its kind; from one to the next, tap and source go by steps of the axis.
struct AxisWalk {
  struct Kind {
    std::int64_t tap, count;
    auto operator<=>(const Kind&) const = default;
  };
  std::vector<std::int64_t> base;  // by target position
  std::vector<std::size_t> kind;
  std::vector<Kind> kinds;
  std::int64_t tap_step = 1, source_step = 1;

  AxisWalk(const Convolution& c, std::size_t axis) {
    const bool data = c.part == ConvolutionPart::data;
    const std::int64_t targets = (data ? c.x : c.y).extents[axis];
    const std::int64_t sources = (data ? c.y : c.x).extents[axis];
    const std::int64_t stride = c.window.strides[axis], dilation = c.window.dilations[axis];
    const std::int64_t common = std::gcd(stride, dilation);
    // In the transpose the stride steps over taps, and sources ascend as taps descend.
    tap_step = data ? -stride / common : 1;
    source_step = data ? dilation / common : dilation;
    std::map<Kind, std::size_t> known;
    for (std::int64_t p = 0; p < targets; ++p) {
      Kind own{0, 0};
      std::int64_t first = 0;
      for (std::int64_t i = 0; i < c.kernel[axis]; ++i) {
        const std::int64_t t = data ? c.kernel[axis] - 1 - i : i;
        std::int64_t source = data ? p + c.window.pads_low[axis] - t * dilation
                                   : p * stride - c.window.pads_low[axis] + t * dilation;
        if (source < 0 || (data && source % stride != 0)) continue;
        if (data) source /= stride;
        if (source >= sources) break;
        if (own.count++ == 0) {
          own.tap = t;
          first = source;
        }
      }
      const auto [entry, is_new] = known.try_emplace(own, kinds.size());
      if (is_new) kinds.push_back(own);
      base.push_back(first);
      kind.push_back(entry->second);
    }
  }
};

}  // namespace

Meetings::Meetings(const Convolution& c, std::int64_t most, std::int64_t pitch) {
  const bool data = c.part == ConvolutionPart::data;
  const Dims& targets = (data ? c.x : c.y).extents;
  Dims sources = (data ? c.y : c.x).extents;
  sources.back() = pitch;
  const std::size_t rank = targets.size();
  std::vector<AxisWalk> axes;
  Dims num_kinds;
  for (std::size_t axis = 0; axis < rank; ++axis) {
    axes.emplace_back(c, axis);
    num_kinds.push_back(static_cast<std::int64_t>(axes.back().kinds.size()));
  }
  // Meetings of every kind: the runs of its axes, one inside the other.
  for_each_position(num_kinds, [&](const Dims& which, std::int64_t) {
    begin_.push_back(meetings_.size());
    Dims counts;
    for (std::size_t axis = 0; axis < rank; ++axis) {
      counts.push_back(axes[axis].kinds[static_cast<std::size_t>(which[axis])].count);
    }
    for_each_position(counts, [&](const Dims& at, std::int64_t) {
      std::int64_t position = 0, tap = 0;
      for (std::size_t axis = 0; axis < rank; ++axis) {
        const AxisWalk& walk = axes[axis];
        const AxisWalk::Kind& kind = walk.kinds[static_cast<std::size_t>(which[axis])];
        position = position * sources[axis] + at[axis] * walk.source_step;
        tap = tap * c.kernel[axis] + kind.tap + at[axis] * walk.tap_step;
      }
      meetings_.push_back({static_cast<std::int32_t>(position), static_cast<std::int32_t>(tap)});
    });
  });
  begin_.push_back(meetings_.size());

  // Neighbours of the last axis that are of one kind stand a source position apart, or a stride.
  const AxisWalk& last = axes.back();
  const std::int64_t stride = c.window.strides.back(), row = targets.back();
  const std::int64_t step = data ? stride : 1, shift = data ? 1 : stride;
  std::vector<PositionGroup> of_row;
  for (std::int64_t residue = 0; residue < std::min(step, row); ++residue) {
    for (std::int64_t i = residue; i < row;) {
      const auto first = static_cast<std::size_t>(i);
      std::int64_t count = 1;
      while (count < most && i + count * step < row) {
        const auto next = static_cast<std::size_t>(i + count * step);
        if (last.kind[next] != last.kind[first] ||
            last.base[next] != last.base[first] + count * shift) {
          break;
        }
        ++count;
      }
      of_row.push_back({i, count, last.base[first], last.kind[first]});
      i += count * step;
    }
  }
  const Dims outer(targets.begin(), targets.end() - 1);
  for_each_position(outer, [&](const Dims& at, std::int64_t flat) {
    std::int64_t base = 0;
    std::size_t kind = 0;
    for (std::size_t axis = 0; axis < at.size(); ++axis) {
      const auto position = static_cast<std::size_t>(at[axis]);
      base = base * sources[axis] + axes[axis].base[position];
      kind = kind * axes[axis].kinds.size() + axes[axis].kind[position];
    }
    for (const PositionGroup& group : of_row) {
      groups_.push_back({flat * row + group.first, group.count, base * sources.back() + group.base,
                         kind * last.kinds.size() + group.kind});
    }
  });
  if (rank == 1) {
    rows_ = {{0, 1}};
  } else {
    const AxisWalk& walk = axes.front();
    for (std::size_t p = 0; p < walk.base.size(); ++p) {
      const std::int64_t count = walk.kinds[walk.kind[p]].count;
      rows_.push_back(count == 0
                          ? Rows{}
                          : Rows{walk.base[p], walk.base[p] + (count - 1) * walk.source_step + 1});
    }
  }
  groups_a_row_ = static_cast<std::int64_t>(groups_.size() / rows_.size());
}

}  // namespace kappa
