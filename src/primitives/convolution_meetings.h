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
  /// Groups take at most `most` neighbours along the last axis.
  Meetings(const Convolution& convolution, std::int64_t most);
  [[nodiscard]] const std::vector<PositionGroup>& groups() const { return groups_; }
  [[nodiscard]] std::span<const Meeting> of(const PositionGroup& group) const {
    return {meetings_.data() + begin_[group.kind], meetings_.data() + begin_[group.kind + 1]};
  }

 private:
  std::vector<PositionGroup> groups_;
  std::vector<Meeting> meetings_;
  std::vector<std::size_t> begin_;  // by kind
};

/// What each tap meets at each position of the output; taps fastest.
std::vector<Contact> make_contacts(const Convolution& convolution);

}  // namespace kappa
