#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "program/program.h"

namespace kappa {

/// Which entries of a matrix may be other than zero, by rows; columns ascending.
struct SparsityPattern {
  std::int64_t rows = 0, columns = 0;
  std::vector<std::int64_t> starts;   ///< rows + 1
  std::vector<std::int32_t> indices;  ///< columns

  [[nodiscard]] std::int64_t num_entries() const { return starts.back(); }
  /// The columns of row i, ascending.
  [[nodiscard]] std::span<const std::int32_t> row(std::int64_t i) const {
    const auto first = static_cast<std::size_t>(starts[static_cast<std::size_t>(i)]);
    const auto last = static_cast<std::size_t>(starts[static_cast<std::size_t>(i) + 1]);
    return {indices.data() + first, last - first};
  }
};

/// The pattern of the Jacobian of a program's one output by its first input, row-major: an upper
/// bound from the operations alone, whatever the input's values. Cost: linear in the sizes of the
/// arrays and of the pattern. Throws Error(resource) beyond `max_entries`.
///
/// The pattern of a Hessian is that of the gradient's Jacobian, see symmetric_part.
SparsityPattern jacobian_pattern(const Program& program,
                                 std::int64_t max_entries = std::int64_t{1} << 28);

/// P and its transpose in common: where P bounds the pattern of a symmetric matrix, so does its
/// transpose, and what both allow is the better bound.
SparsityPattern symmetric_part(const SparsityPattern& pattern);

SparsityPattern transpose(const SparsityPattern& pattern);

}  // namespace kappa
