#pragma once

// Packs and jets for the instruction set that this translation unit is compiled for.
//
// The .inc files are templates over the instruction set in the only way that a header has: they are
// included once for each, inside a namespace and, but for this first time, a `#pragma GCC target`
// region (dispatch.h). docs/decisions/simd-dispatch.md has the measurements.

#include <cmath>
#include <concepts>
#include <cstdint>
#include <cstring>
#include <type_traits>

#if defined(__AVX512F__) && defined(__AVX512DQ__)
#define KAPPA_BASE_LANES 8
#define KAPPA_BASE_NAMESPACE base_avx512
#elif defined(__AVX2__)
#define KAPPA_BASE_LANES 4
#define KAPPA_BASE_NAMESPACE base_avx2
#else
#define KAPPA_BASE_LANES 2
#define KAPPA_BASE_NAMESPACE base
#endif

namespace kappa {
namespace detail {

template <class...>
inline constexpr bool never = false;

/// Set when a condition on a pack held in some lanes only (PackMask::operator bool).
inline constinit thread_local bool lanes_diverged = false;

/// log |Gamma(x)| without the global `signgam` of std::lgamma, which is a data race.
inline double log_gamma(double x) {
#if defined(__GLIBC__)
  int sign = 0;
  return ::lgamma_r(x, &sign);
#else
  return std::lgamma(x);
#endif
}

inline constexpr double kPi = 3.14159265358979323846;

/// psi(x) = d/dx log Gamma(x). Reflection for x < 1/2, recurrence to x >= 10, then the asymptotic
/// series (Abramowitz and Stegun 6.3.18) with an error below 1e-16.
inline double digamma(double x) {
  if (x <= 0.0 && x == std::floor(x)) return std::nan("");
  if (x < 0.5) return digamma(1.0 - x) - kPi / std::tan(kPi * x);
  double r = 0.0;
  for (; x < 10.0; x += 1.0) r -= 1.0 / x;
  const double y = 1.0 / (x * x);
  const double series =
      y * (1.0 / 12 -
           y * (1.0 / 120 -
                y * (1.0 / 252 -
                     y * (1.0 / 240 - y * (1.0 / 132 - y * (691.0 / 32760 - y * (1.0 / 12)))))));
  return r + std::log(x) - 0.5 / x - series;
}

/// psi'(x), by the same steps (Abramowitz and Stegun 6.4.7, 6.4.12).
inline double trigamma(double x) {
  if (x <= 0.0 && x == std::floor(x)) return std::nan("");
  if (x < 0.5) {
    const double s = kPi / std::sin(kPi * x);
    return s * s - trigamma(1.0 - x);
  }
  double r = 0.0;
  for (; x < 10.0; x += 1.0) r += 1.0 / (x * x);
  const double y = 1.0 / (x * x);
  const double series =
      1.0 / 6 -
      y * (1.0 / 30 -
           y * (1.0 / 42 - y * (1.0 / 30 - y * (5.0 / 66 - y * (691.0 / 2730 - y * (7.0 / 6))))));
  return r + 1.0 / x + 0.5 * y + series * y / x;
}

}  // namespace detail

/// The jets and their functions, for the instruction set of this translation unit. A namespace of
/// their own: they are found by their arguments.
namespace jets {
#if defined(__GNUC__) && !defined(__clang__)
// A jet that is not curved leaves its Hessian unwritten; GCC cannot always see that it is not read.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#pragma GCC diagnostic ignored "-Wuninitialized"
#endif
#define KAPPA_SIMD_LANES KAPPA_BASE_LANES
// A name of its own for each width: two translation units with other flags share no pack.
inline namespace KAPPA_BASE_NAMESPACE {
#include "kappa/detail/pack.inc"
}
// clang-format off
#include "kappa/detail/jets.inc"
#include "kappa/detail/jet_math.inc"
// clang-format on
#undef KAPPA_SIMD_LANES
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic pop
#endif
}  // namespace jets

}  // namespace kappa
