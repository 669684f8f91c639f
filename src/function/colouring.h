#pragma once

#include <cstdint>
#include <vector>

#include "transform/sparsity.h"

namespace kappa {

/// Colours of the columns of a matrix, 0 to count - 1; all columns of a colour are added up in one
/// product.
struct Colouring {
  std::vector<std::int32_t> colour;  ///< -1: not taken
  std::int32_t count = 0;
  std::int64_t num_dense = 0;  ///< columns with a colour of their own because they are long
};

/// A star colouring of a symmetric pattern's graph: neighbours differ, and every path of four
/// vertices has three colours. Then of H_ij and H_ji one at least can be read off a product.
///
/// Greedy (the restricted star colouring of Gebremedhin, Manne, Pothen, SIAM Review 47, 2005,
/// after Powell and Toint 1979), the best of several orderings. The longest columns first get
/// colours of their own where that takes fewer in all: with d of them peeled, d + 1 + the longest
/// column left is what a band would need.
Colouring star_colouring(const SparsityPattern& symmetric);

/// Columns that share a row among the taken ones differ in colour (Curtis, Powell, Reid 1974), so
/// every entry of those rows can be read off. Greedy, the best of several orderings.
Colouring column_colouring(const SparsityPattern& pattern, const std::vector<bool>& row_taken);

/// Which rows to leave out of a column colouring and take by a product of their own each.
std::vector<bool> short_rows(const SparsityPattern& pattern);

}  // namespace kappa
