#pragma once

#include "base/blas.h"

namespace kappa {

/// gemm without a library's overhead: for small matrices, and for matrices by vectors of any size,
/// which are bound by memory. Sums run over `inner` in an order that depends on the shape alone.
void small_gemm(const GemmShape& shape, const double* a, std::int64_t lda, const double* b,
                std::int64_t ldb, double beta, double* c, std::int64_t ldc);
void small_gemm(const GemmShape& shape, const float* a, std::int64_t lda, const float* b,
                std::int64_t ldb, float beta, float* c, std::int64_t ldc);

}  // namespace kappa
