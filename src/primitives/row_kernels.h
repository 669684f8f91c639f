#pragma once

#include <cstdint>

namespace kappa {

// Vector kernels over contiguous rows, dispatched at run time to the widest SIMD of the machine.
// The order of every sum depends on the counts alone, never on alignment or the calling thread.

/// @name Sum of `count` elements, in double
/// @{
double sum_row(const float* x, std::int64_t count);
double sum_row(const double* x, std::int64_t count);
/// @}

/// @name sums[j] += sum over r of x[r * stride + j], in double
/// @{
void add_rows(const float* x, std::int64_t rows, std::int64_t stride, std::int64_t columns,
              double* sums);
void add_rows(const double* x, std::int64_t rows, std::int64_t stride, std::int64_t columns,
              double* sums);
/// @}

/// @name y[r, :] = softmax(x[r, :])
/// @{
void softmax_rows(const float* x, std::int64_t rows, std::int64_t columns, float* y);
void softmax_rows(const double* x, std::int64_t rows, std::int64_t columns, double* y);
/// @}

/// @name y[r] = log(sum over j of exp(x[r, j]))
/// @{
void logsumexp_rows(const float* x, std::int64_t rows, std::int64_t columns, float* y);
void logsumexp_rows(const double* x, std::int64_t rows, std::int64_t columns, double* y);
/// @}

}  // namespace kappa
