#pragma once

#include <cmath>
#include <cstddef>
#include <limits>
#include <span>
#include <vector>

namespace kappa {

using Vector = std::vector<double>;

/// a'b, summed in eight interleaved partial sums: the same order on every machine, and one the
/// compiler can vectorise without being allowed to reassociate.
inline double dot(std::span<const double> a, std::span<const double> b) {
  double sum[8] = {};
  const std::size_t n = a.size(), whole = n / 8 * 8;
  for (std::size_t i = 0; i < whole; i += 8) {
    for (std::size_t j = 0; j < 8; ++j) sum[j] += a[i + j] * b[i + j];
  }
  for (std::size_t i = whole; i < n; ++i) sum[i - whole] += a[i] * b[i];
  return ((sum[0] + sum[4]) + (sum[2] + sum[6])) + ((sum[1] + sum[5]) + (sum[3] + sum[7]));
}

/// Largest |a_i|; NaN where an entry is NaN.
inline double max_abs(std::span<const double> a) {
  double largest[4] = {};
  double nan = 0;  // x != x as a number, so that the loop has no branch
  const std::size_t n = a.size(), whole = n / 4 * 4;
  for (std::size_t i = 0; i < whole; i += 4) {
    for (std::size_t j = 0; j < 4; ++j) {
      const double x = std::fabs(a[i + j]);
      largest[j] = x > largest[j] ? x : largest[j];
      nan += x != x ? 1.0 : 0.0;
    }
  }
  for (std::size_t i = whole; i < n; ++i) {
    const double x = std::fabs(a[i]);
    largest[0] = x > largest[0] ? x : largest[0];
    nan += x != x ? 1.0 : 0.0;
  }
  if (nan > 0) return std::numeric_limits<double>::quiet_NaN();
  return std::fmax(std::fmax(largest[0], largest[1]), std::fmax(largest[2], largest[3]));
}

/// Euclidean norm, safe where squares over- or underflow.
inline double norm(std::span<const double> a) {
  const double square = dot(a, a);
  if (square > 1e-280 && square < 1e280) return std::sqrt(square);
  const double scale = max_abs(a);
  if (!(scale > 0) || !std::isfinite(scale)) return scale;
  double sum = 0;
  for (const double x : a) sum += (x / scale) * (x / scale);
  return scale * std::sqrt(sum);
}

/// y += alpha x
inline void axpy(double alpha, std::span<const double> x, std::span<double> y) {
  for (std::size_t i = 0; i < y.size(); ++i) y[i] += alpha * x[i];
}

/// y += alpha x, then z'y: one pass over memory in place of two, summed as dot() does.
inline double axpy_dot(double alpha, std::span<const double> x, std::span<double> y,
                       std::span<const double> z) {
  double sum[8] = {};
  const std::size_t n = y.size(), whole = n / 8 * 8;
  for (std::size_t i = 0; i < whole; i += 8) {
    for (std::size_t j = 0; j < 8; ++j) {
      const double updated = y[i + j] + alpha * x[i + j];
      y[i + j] = updated;
      sum[j] += z[i + j] * updated;
    }
  }
  for (std::size_t i = whole; i < n; ++i) {
    y[i] += alpha * x[i];
    sum[i - whole] += z[i] * y[i];
  }
  return ((sum[0] + sum[4]) + (sum[2] + sum[6])) + ((sum[1] + sum[5]) + (sum[3] + sum[7]));
}

/// out = x + alpha d
inline void add_scaled(std::span<const double> x, double alpha, std::span<const double> d,
                       std::span<double> out) {
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = x[i] + alpha * d[i];
}

/// |a - b|
inline double distance(std::span<const double> a, std::span<const double> b) {
  double sum[4] = {};
  const std::size_t n = a.size(), whole = n / 4 * 4;
  for (std::size_t i = 0; i < whole; i += 4) {
    for (std::size_t j = 0; j < 4; ++j) sum[j] += (a[i + j] - b[i + j]) * (a[i + j] - b[i + j]);
  }
  for (std::size_t i = whole; i < n; ++i) sum[0] += (a[i] - b[i]) * (a[i] - b[i]);
  return std::sqrt((sum[0] + sum[2]) + (sum[1] + sum[3]));
}

/// Whether every entry is finite.
inline bool all_finite(std::span<const double> a) {
  double sum[8] = {};  // 0 * x is NaN exactly where x is not finite
  const std::size_t n = a.size(), whole = n / 8 * 8;
  for (std::size_t i = 0; i < whole; i += 8) {
    for (std::size_t j = 0; j < 8; ++j) sum[j] += 0 * a[i + j];
  }
  for (std::size_t i = whole; i < n; ++i) sum[0] += 0 * a[i];
  for (std::size_t j = 1; j < 8; ++j) sum[0] += sum[j];
  return sum[0] == 0;
}

}  // namespace kappa
