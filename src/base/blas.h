#pragma once

#include <cstdint>

namespace kappa {

/// C = op(A) op(B) + beta C, row-major, op the transpose where asked: op(A) is rows x inner, op(B)
/// inner x columns. beta is 0 (C is not read) or 1. Leading dimensions count elements.
///
/// Runs on the calling thread alone and gives the same bits on every thread. Small products are
/// computed here; larger ones by oneDNN (single precision) and OpenBLAS (double precision), which
/// is loaded at the first such call. Throws Error(resource) where OpenBLAS cannot be loaded.
struct GemmShape {
  std::int64_t rows, columns, inner;
  bool transpose_a = false, transpose_b = false;
};
void gemm(const GemmShape& shape, const double* a, std::int64_t lda, const double* b,
          std::int64_t ldb, double beta, double* c, std::int64_t ldc);
void gemm(const GemmShape& shape, const float* a, std::int64_t lda, const float* b,
          std::int64_t ldb, float beta, float* c, std::int64_t ldc);

}  // namespace kappa
