#pragma once

#include "base/blas.h"

namespace kappa {

/// Rows by a few rows (op(B) is a transpose with few columns): small_gemm takes any size of them.
inline bool is_few_dots(const GemmShape& s) {
  return !s.transpose_a && s.transpose_b && s.columns >= 2 && s.columns <= 16 && s.inner >= 64 &&
         s.rows >= 4;
}

/// gemm without a library's overhead: for small matrices, and for matrices by vectors of any size,
/// which are bound by memory. Sums run over `inner` in an order that depends on the shape alone.
void small_gemm(const GemmShape& shape, const double* a, std::int64_t lda, const double* b,
                std::int64_t ldb, double beta, double* c, std::int64_t ldc);
void small_gemm(const GemmShape& shape, const float* a, std::int64_t lda, const float* b,
                std::int64_t ldb, float beta, float* c, std::int64_t ldc);

}  // namespace kappa
