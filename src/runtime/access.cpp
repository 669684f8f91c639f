#include "runtime/access.h"

#include <algorithm>
#include <cstring>

#include "runtime/cpu/fill.h"

namespace kappa {

Access identity_access(const Shape& shape) {
  Access access{0, shape, contiguous_strides(shape), {}, {}};
  return merge_axes(std::move(access));
}

Access merge_axes(Access access) {
  Access merged;
  merged.offset = access.offset;
  const bool bounded = access.bounded();
  bool any_bound = false;
  for (std::size_t d = 0; d < access.extents.size(); ++d) {
    const std::int64_t extent = access.extents[d];
    const std::int64_t low = bounded ? std::max<std::int64_t>(access.lower[d], 0) : 0;
    const std::int64_t high = bounded ? std::min(access.upper[d], extent) : extent;
    const bool limits = low > 0 || high < extent;
    if (extent == 1 && !limits) continue;
    any_bound = any_bound || limits;
    const bool previous_limits =
        !merged.extents.empty() &&
        (merged.lower.back() > 0 || merged.upper.back() < merged.extents.back());
    if (!merged.extents.empty() && !limits && !previous_limits &&
        merged.strides.back() == access.strides[d] * extent) {
      merged.extents.back() *= extent;
      merged.strides.back() = access.strides[d];
      merged.upper.back() = merged.extents.back();
    } else if (!merged.extents.empty() && !limits && previous_limits &&
               merged.strides.back() == access.strides[d] * extent) {
      // A bounded outer axis over a plain inner one is a bounded run of elements.
      merged.lower.back() *= extent;
      merged.upper.back() *= extent;
      merged.extents.back() *= extent;
      merged.strides.back() = access.strides[d];
    } else {
      merged.extents.push_back(extent);
      merged.strides.push_back(access.strides[d]);
      merged.lower.push_back(low);
      merged.upper.push_back(high);
    }
  }
  if (!any_bound) {
    merged.lower.clear();
    merged.upper.clear();
  }
  return merged;
}

std::optional<Access> through_view(const Access& access, const View& view,
                                   const Shape& view_shape) {
  if (view.same_order) return access;
  if (std::find(view_shape.begin(), view_shape.end(), 0) != view_shape.end()) {
    return Access{0, {0}, {1}, {}, {}};  // nothing is read
  }
  // Split the flat walk over the view's result into steps along its axes.
  const Dims natural = contiguous_strides(view_shape);
  const std::size_t axes = view_shape.size();
  Dims start(axes, 0);
  std::int64_t rest = access.offset;
  for (std::size_t a = 0; a < axes; ++a) {
    start[a] = rest / natural[a];
    rest -= start[a] * natural[a];
  }
  if (rest != 0 || access.offset < 0) return std::nullopt;
  for (std::size_t a = 0; a < axes; ++a) {
    if (start[a] < 0 || start[a] >= view_shape[a]) return std::nullopt;
  }

  Access result;
  const bool bounded = access.bounded() || !view.lower.empty();
  Dims low = start;  // extreme coordinates reached so far
  Dims high = start;
  std::vector<int> steps_on_axis(axes, 0);
  result.offset = view.offset;
  for (std::size_t a = 0; a < axes; ++a) result.offset += start[a] * view.strides[a];
  for (std::size_t d = 0; d < access.extents.size(); ++d) {
    // One walked axis may cross several axes of the view: peel from the innermost.
    std::int64_t extent = access.extents[d];
    const std::int64_t stride = access.strides[d];
    const bool limits =
        access.bounded() && (access.lower[d] > 0 || access.upper[d] < access.extents[d]);
    if (stride == 0) {
      result.extents.push_back(extent);
      result.strides.push_back(0);
      if (bounded) {
        result.lower.push_back(access.bounded() ? access.lower[d] : 0);
        result.upper.push_back(access.bounded() ? access.upper[d] : extent);
      }
      continue;
    }
    struct Piece {
      std::int64_t extent, step;
      std::size_t axis;
    };
    std::vector<Piece> pieces;
    std::int64_t walked = stride;
    while (true) {
      // The axis on which `walked` is a whole number of steps that stays inside.
      std::size_t axis = axes;
      for (std::size_t a = axes; a-- > 0;) {
        if (view_shape[a] > 1 && walked % natural[a] == 0 &&
            std::abs(walked / natural[a]) < view_shape[a]) {
          axis = a;
          break;
        }
      }
      if (axis == axes) {
        if (extent == 1) break;
        return std::nullopt;
      }
      const std::int64_t step = walked / natural[axis];
      const std::int64_t room =
          step > 0 ? (view_shape[axis] - 1 - high[axis]) / step : low[axis] / -step;
      if (extent - 1 <= room) {
        pieces.push_back({extent, step, axis});
        extent = 1;
        break;
      }
      // It runs over the end of this axis: whole rows are needed to go on along the next.
      if (step != 1 || view_shape[axis] == 0 || low[axis] != 0 || high[axis] != 0 ||
          extent % view_shape[axis] != 0) {
        return std::nullopt;
      }
      pieces.push_back({view_shape[axis], 1, axis});
      extent /= view_shape[axis];
      high[axis] = view_shape[axis] - 1;
      walked = natural[axis] * view_shape[axis];
      if (extent == 1) break;
    }
    if (pieces.size() > 1 && limits) return std::nullopt;
    for (std::size_t p = pieces.size(); p-- > 0;) {
      const Piece& piece = pieces[p];
      const std::int64_t reach = (piece.extent - 1) * piece.step;
      if (p + 1 == pieces.size()) {
        if (reach > 0) high[piece.axis] += reach;
        if (reach < 0) low[piece.axis] += reach;
      }
      std::int64_t lower = limits ? access.lower[d] : 0;
      std::int64_t upper = limits ? access.upper[d] : piece.extent;
      if (!view.lower.empty()) {
        const std::int64_t bound_low = view.lower[piece.axis];
        const std::int64_t bound_high = view.upper[piece.axis];
        const bool cuts = bound_low > 0 || bound_high < view_shape[piece.axis];
        if (cuts) {
          if (piece.step != 1 || steps_on_axis[piece.axis] > 0) return std::nullopt;
          lower = std::max(lower, bound_low - start[piece.axis]);
          upper = std::min(upper, bound_high - start[piece.axis]);
        }
      }
      ++steps_on_axis[piece.axis];
      result.extents.push_back(piece.extent);
      result.strides.push_back(piece.step * view.strides[piece.axis]);
      if (bounded) {
        result.lower.push_back(std::clamp<std::int64_t>(lower, 0, piece.extent));
        result.upper.push_back(std::clamp<std::int64_t>(upper, 0, piece.extent));
      }
    }
  }
  // Axes of the view that are not walked must not be cut away by its bounds.
  if (!view.lower.empty()) {
    for (std::size_t a = 0; a < axes; ++a) {
      const bool cuts = view.lower[a] > 0 || view.upper[a] < view_shape[a];
      if (!cuts) continue;
      if (steps_on_axis[a] > 1) return std::nullopt;
      if (steps_on_axis[a] == 0 && (start[a] < view.lower[a] || start[a] >= view.upper[a])) {
        return std::nullopt;
      }
    }
  }
  return merge_axes(std::move(result));
}

namespace {

constexpr std::int64_t least_long_run = 32;

template <class Element>
void repeat(Element* target, std::int64_t count, Element value) {
  if constexpr (sizeof(Element) >= 4) {
    if (count >= least_long_run) return fill_elements(target, count, value);
  }
  std::fill(target, target + count, value);
}

// Positions of the walk are kept as an odometer so that a range costs one division an axis.
template <class Element>
void gather_typed(const Access& access, std::int64_t first, std::int64_t last,
                  const Element* source, Element* target) {
  const std::size_t axes = access.extents.size();
  if (axes == 0) {
    return repeat(target, last - first, source[access.offset]);
  }
  Dims index(axes);
  std::int64_t rest = first;
  std::int64_t offset = access.offset;
  for (std::size_t a = axes; a-- > 0;) {
    index[a] = rest % access.extents[a];
    rest /= access.extents[a];
    if (a + 1 < axes) offset += index[a] * access.strides[a];
  }
  const std::size_t inner = axes - 1;
  const std::int64_t inner_extent = access.extents[inner];
  const std::int64_t inner_stride = access.strides[inner];
  const bool bounded = access.bounded();
  std::int64_t position = first;
  while (position < last) {
    const std::int64_t begin = index[inner];
    const std::int64_t count = std::min(inner_extent - begin, last - position);
    bool outside = false;
    if (bounded) {
      for (std::size_t a = 0; a < inner; ++a) {
        outside = outside || index[a] < access.lower[a] || index[a] >= access.upper[a];
      }
    }
    std::int64_t from = begin;
    std::int64_t to = begin + count;
    if (bounded) {
      from = std::clamp(access.lower[inner], begin, begin + count);
      to = std::clamp(access.upper[inner], from, begin + count);
      if (outside) to = from;
      std::fill(target, target + (from - begin), Element{});
      std::fill(target + (to - begin), target + count, Element{});
    }
    const Element* row = source + offset;
    Element* out = target + (from - begin);
    if (inner_stride == 1) {
      std::copy(row + from, row + to, out);
    } else if (inner_stride == 0) {
      if (to > from) repeat(out, to - from, row[0]);
    } else {
      for (std::int64_t i = from; i < to; ++i) *out++ = row[i * inner_stride];
    }
    target += count;
    position += count;
    index[inner] = 0;
    for (std::size_t a = inner; a-- > 0;) {
      offset += access.strides[a];
      if (++index[a] < access.extents[a]) break;
      offset -= access.strides[a] * access.extents[a];
      index[a] = 0;
    }
  }
}

}  // namespace

void gather_elements(const Access& access, std::int64_t first, std::int64_t last,
                     std::int64_t bytes, const std::byte* source, std::byte* target) {
  switch (bytes) {
    case 8:
      gather_typed(access, first, last, reinterpret_cast<const std::uint64_t*>(source),
                   reinterpret_cast<std::uint64_t*>(target));
      break;
    case 4:
      gather_typed(access, first, last, reinterpret_cast<const std::uint32_t*>(source),
                   reinterpret_cast<std::uint32_t*>(target));
      break;
    default:
      gather_typed(access, first, last, reinterpret_cast<const std::uint8_t*>(source),
                   reinterpret_cast<std::uint8_t*>(target));
  }
}

}  // namespace kappa
