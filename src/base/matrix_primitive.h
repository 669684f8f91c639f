#pragma once

#include "base/blas.h"

namespace kappa {

/// Whether oneDNN's matrix primitive is worth trying: it reads A in place where sgemm copies it,
/// and is 3 to 10 % the faster one for these shapes where there is no sum to add to (decision
/// 0002).
bool wants_matrix_primitive(const GemmShape& shape, float beta);

/// C = A op(B) by the primitive, on the calling thread, or false where this processor has no kernel
/// for it. Kernels are generated once a shape and thread; the bits depend on the shape alone.
bool matrix_primitive(const GemmShape& shape, const float* a, std::int64_t lda, const float* b,
                      std::int64_t ldb, float* c, std::int64_t ldc);

}  // namespace kappa
