#pragma once

#include <cstdint>

namespace kappa {

// Products of tall matrices with few columns, column-major with leading dimension n, in the widest
// SIMD the machine has. All are bound by memory: each reads a tall matrix once, by panels of rows.
// Sums are taken in a fixed order, so a machine repeats its bits. Small matrices have leading
// dimension `ld`.

/// gram (m x k) = V' W for V n x m, W n x k.
void tall_gram(std::int64_t n, std::int64_t m, const double* v, std::int64_t k, const double* w,
               double* gram, std::int64_t ld);

/// W -= V C for V n x m, C m x k.
void tall_subtract(std::int64_t n, std::int64_t m, const double* v, std::int64_t k, const double* c,
                   std::int64_t ld, double* w);

/// out (n x p) = V Y for V n x m, Y m x p. `out` may be V itself when p <= m.
void tall_product(std::int64_t n, std::int64_t m, const double* v, std::int64_t p, const double* y,
                  std::int64_t ld, double* out);

double tall_dot(std::int64_t n, const double* x, const double* y);
double tall_norm(std::int64_t n, const double* x);
void tall_scale(std::int64_t n, double scale, double* x);

}  // namespace kappa
