#pragma once

#include <cstddef>

/// The chained Rosenbrock function by hand,
///
///     f(x) = sum_{i<n-1} 100 (x_{i+1} - x_i^2)^2 + (1 - x_i)^2,   n >= 2,
///
/// as the baseline for formulas over long arrays: one pass over memory each, loops that the
/// compiler vectorises without -ffast-math, compiled for three instruction sets and chosen at load
/// time.
namespace rosenbrock_hand {

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
#define ROSENBROCK_HAND_CLONES \
  __attribute__((noinline, target_clones("avx512f", "avx2", "default")))
#else
#define ROSENBROCK_HAND_CLONES __attribute__((noinline))
#endif

/// Reads n doubles. Independent partial sums let the reduction vectorise.
ROSENBROCK_HAND_CLONES static double value(std::size_t n, const double* __restrict x) {
  constexpr std::size_t kLanes = 32;
  double partial[kLanes] = {};
  std::size_t i = 0;
  for (; i + kLanes < n; i += kLanes) {
    for (std::size_t lane = 0; lane < kLanes; ++lane) {
      const double a = x[i + lane];
      const double r = x[i + lane + 1] - a * a;
      const double s = 1 - a;
      partial[lane] += 100 * r * r + s * s;
    }
  }
  double sum = 0;
  for (double p : partial) sum += p;
  for (; i + 1 < n; ++i) {
    const double r = x[i + 1] - x[i] * x[i];
    const double s = 1 - x[i];
    sum += 100 * r * r + s * s;
  }
  return sum;
}

/// g = f'(x). Reads n doubles, writes n.
ROSENBROCK_HAND_CLONES static void gradient(std::size_t n, const double* __restrict x,
                                            double* __restrict g) {
  g[0] = -400 * x[0] * (x[1] - x[0] * x[0]) - 2 * (1 - x[0]);
  for (std::size_t i = 1; i + 1 < n; ++i) {
    const double a = x[i];
    const double before = x[i - 1];
    g[i] = 200 * (a - before * before) - 400 * a * (x[i + 1] - a * a) - 2 * (1 - a);
  }
  g[n - 1] = 200 * (x[n - 1] - x[n - 2] * x[n - 2]);
}

/// product = f''(x) v, f'' tridiagonal. Reads 2n doubles, writes n.
ROSENBROCK_HAND_CLONES static void hessian_product(std::size_t n, const double* __restrict x,
                                                   const double* __restrict v,
                                                   double* __restrict product) {
  product[0] = (1200 * x[0] * x[0] - 400 * x[1] + 2) * v[0] - 400 * x[0] * v[1];
  for (std::size_t i = 1; i + 1 < n; ++i) {
    const double a = x[i];
    product[i] =
        (1200 * a * a - 400 * x[i + 1] + 202) * v[i] - 400 * (a * v[i + 1] + x[i - 1] * v[i - 1]);
  }
  product[n - 1] = 200 * v[n - 1] - 400 * x[n - 2] * v[n - 2];
}

#undef ROSENBROCK_HAND_CLONES

}  // namespace rosenbrock_hand
