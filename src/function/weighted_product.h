#pragma once

#include <cstdint>

namespace kappa {

constexpr std::int64_t kSumLanes = 8;  ///< room for the running sums of an entry

/// Sums over k in [first, last) of a[i][k] weights[k] b[j][k], added to entries (i, j) of `sums`,
/// `rows` x `columns`: for a few rows by a few, which are multiplied where they stand. An entry is
/// a running sum of each lane; `sums` is aligned to 64 bytes. With `lower`, entries with j > i need
/// not be right.
void add_weighted_product(const double* const* a, std::int64_t rows, const double* weights,
                          const double* const* b, std::int64_t columns, std::int64_t first,
                          std::int64_t last, bool lower, double* sums);
/// The entries from their running sums, in place.
void add_lanes(std::int64_t count, double* sums);

/// c[k] = a[k] b[k], or added to c.
void multiply_elements(const double* a, const double* b, std::int64_t count, bool add, double* c);

}  // namespace kappa
