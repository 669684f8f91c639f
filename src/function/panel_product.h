#pragma once

#include <cstdint>

namespace kappa {

/// @name C += A' B by panels of B
/// A is packed once for many panels, a panel once for all rows of C.
/// @{

constexpr std::int64_t kPanelWidth = 32;    ///< columns of a panel
constexpr std::int64_t kPanelHeight = 128;  ///< rows: a panel fits a first-level cache
constexpr std::int64_t kGroupWidth = 6;     ///< columns of A multiplied at a time

/// Some columns of a panel: row k is `rows[k * stride]` and what follows, times `weights[k *
/// weight_stride]`. Up to a vector of elements behind the last is read and written; the pieces of a
/// panel stand in order.
struct PanelPiece {
  const double* rows;
  std::int64_t stride;
  const double* weights;
  std::int64_t weight_stride;
  std::int64_t place, count;  // columns in the panel
};

constexpr std::int64_t num_groups(std::int64_t columns) {
  return (columns + kGroupWidth - 1) / kGroupWidth;
}

/// `count` rows of A, packed, groups of columns behind each other; missing columns are zero.
void pack_groups(const double* a, std::int64_t columns, std::int64_t count, double* packed);
/// `count` rows of a panel, which has room for a vector more.
void pack_panel(const PanelPiece* pieces, std::int64_t num_pieces, std::int64_t count,
                double* panel);
/// Rows of C, kPanelWidth wide, for groups [first, last) of A; C is added to or written.
void multiply_panel(const double* packed, std::int64_t first, std::int64_t last,
                    const double* panel, std::int64_t count, bool add, double* c);
/// @}

}  // namespace kappa
