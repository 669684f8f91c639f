#pragma once

#include <algorithm>
#include <cmath>

#include "kappa/curvature.h"

namespace kappa {

/// What is certain of an eigenvalue's sign.
enum class Sign { negative, zero, positive, unknown };

/// An error bound below this part of |A| is rounding, not ignorance.
constexpr double negligible_bound = 1e-6;

/// Zero: within its bound (or null_tolerance |A|), and that bound is negligible. Unknown: within a
/// bound that is not.
inline Sign sign_of(const KnownSpectrum& s, std::size_t i, double null_tolerance = 1e-12) {
  const double value = s.values[i], bound = s.error_bounds[i];
  if (std::fabs(value) > std::max(bound, null_tolerance * s.norm)) {
    return value > 0 ? Sign::positive : Sign::negative;
  }
  return bound <= negligible_bound * s.norm ? Sign::zero : Sign::unknown;
}

/// The signs that decide everything: does the spectrum reach above and below zero?
struct Signs {
  bool some_positive = false, some_negative = false;    // proven by a Rayleigh quotient
  Sign least = Sign::unknown, largest = Sign::unknown;  // of lambda_min and lambda_max
};

inline Signs signs_of(const KnownSpectrum& s) {
  Signs out;
  if (s.values.empty()) return out;
  const double floor = std::max(s.rounding, 1e-12 * s.norm);
  out.some_positive = s.values.back() > floor;
  out.some_negative = s.values.front() < -floor;
  if (s.num_bottom > 0) out.least = sign_of(s, 0);
  if (s.num_top > 0) out.largest = sign_of(s, s.values.size() - 1);
  return out;
}

}  // namespace kappa
