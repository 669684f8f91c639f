#pragma once

#include <cstdint>

namespace kappa {

/// c[i, j] += sum over k of a[i][k] weights[k] b[j][k], c of `rows` x `columns` without gaps: for
/// a few rows by a few, which are multiplied where they stand. The order of the sums depends on the
/// shape alone. At most 24 rows and columns. With `lower`, entries with j > i need not be.
void add_weighted_product(const double* const* a, std::int64_t rows, const double* weights,
                          const double* const* b, std::int64_t columns, std::int64_t count,
                          bool lower, double* c);

/// c[k] = a[k] b[k], or added to c.
void multiply_elements(const double* a, const double* b, std::int64_t count, bool add, double* c);

}  // namespace kappa
