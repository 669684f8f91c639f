#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "primitives/convolution.h"
#include "primitives/convolution_tiles.h"

// Which rows of the source each position of the target meets, and under which tap: a product over
// the axes, made anew by every call.
namespace kappa {

/// Positions taken together: `count` of them from `first` on, in steps, all of one kind. Meetings
/// are relative to `base`, for the first of them.
struct PositionGroup {
  std::int64_t first, count, base;
  std::size_t kind;
};

/// Along an axis most positions meet the same but for a shift, so there are few kinds: nothing here
/// grows with positions times taps.
///
/// Meetings of the convolution's output with its input, or for the transpose in the image of its
/// input with its output.
class Meetings {
 public:
  /// Groups take at most `most` neighbours along the last axis; in the source, a row along it
  /// starts `pitch` positions after the one before.
  Meetings(const Convolution& convolution, std::int64_t most, std::int64_t pitch);
  /// Of the target's rows [first, last); a row is all positions of one index of its first axis
  /// where it has several, else everything.
  [[nodiscard]] std::span<const PositionGroup> groups(std::int64_t first, std::int64_t last) const {
    return {groups_.data() + first * groups_a_row_, groups_.data() + last * groups_a_row_};
  }
  [[nodiscard]] std::int64_t num_rows() const { return static_cast<std::int64_t>(rows_.size()); }
  /// Rows of the source, [first, last), that a row of the target meets; none where both are 0.
  struct Rows {
    std::int64_t first = 0, last = 0;
  };
  [[nodiscard]] Rows sources(std::int64_t row) const {
    return rows_[static_cast<std::size_t>(row)];
  }
  [[nodiscard]] std::span<const Meeting> of(const PositionGroup& group) const {
    return {meetings_.data() + begin_[group.kind], meetings_.data() + begin_[group.kind + 1]};
  }

 private:
  std::vector<PositionGroup> groups_;
  std::int64_t groups_a_row_ = 0;
  std::vector<Rows> rows_;
  std::vector<Meeting> meetings_;
  std::vector<std::size_t> begin_;  // by kind
};

}  // namespace kappa
