#pragma once

#include <optional>
#include <vector>

#include "program/builder.h"

namespace kappa {

/// How the elements of one shape, in row-major order, are found in a buffer: a View whose runs of
/// axes that are walked together have been merged.
struct Access {
  std::int64_t offset = 0;
  Dims extents;       // outermost first; product = number of elements
  Dims strides;       // in elements of the buffer
  Dims lower, upper;  // empty, or bounds per axis outside of which elements are zero

  [[nodiscard]] bool bounded() const { return !lower.empty(); }
  /// Elements offset, offset + 1, ... in order.
  [[nodiscard]] bool contiguous() const {
    return !bounded() && (extents.empty() || (extents.size() == 1 && strides[0] == 1));
  }
  /// One element, repeated.
  [[nodiscard]] bool uniform() const {
    return !bounded() && (extents.empty() || (extents.size() == 1 && strides[0] == 0));
  }
  /// Length of the innermost run of consecutive elements; 0 where there is none.
  [[nodiscard]] std::int64_t inner_run() const {
    return !extents.empty() && strides.back() == 1 ? extents.back() : 0;
  }
};

/// The access of all elements of `shape` in order.
Access identity_access(const Shape& shape);

/// `access` finds elements of a view's result (as if stored); returns the access that finds them in
/// the view's operand. Nothing where that is no strided access.
std::optional<Access> through_view(const Access& access, const View& view, const Shape& view_shape);

/// Merges neighbouring axes where that changes nothing.
Access merge_axes(Access access);

/// Writes elements [first, last) of the access (in order) to `target`, elements of `bytes` bytes.
void gather_elements(const Access& access, std::int64_t first, std::int64_t last,
                     std::int64_t bytes, const std::byte* source, std::byte* target);

}  // namespace kappa
