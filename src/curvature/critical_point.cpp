#include <fmt/format.h>

#include <cmath>

#include "curvature/checks.h"
#include "curvature/sign.h"
#include "kappa/curvature.h"

namespace kappa {
namespace {

/// "lambda_min = 0.4 (+- 1e-15)"
std::string end_of(const KnownSpectrum& s, bool top) {
  const std::size_t i = top ? s.values.size() - 1 : 0;
  return fmt::format("{} = {:.6g} (+- {:.1g})", top ? "lambda_max" : "lambda_min", s.values[i],
                     s.error_bounds[i]);
}

/// What the signs of both ends say, the gradient aside.
CriticalKind second_derivative_test(const KnownSpectrum& s, const Signs& signs, std::string& why) {
  if (s.values.empty()) {
    why = "no eigenvalue is known";
    return CriticalKind::undecided;
  }
  if (signs.some_positive && signs.some_negative) {
    why = fmt::format("{} and {} have opposite signs: up along one direction, down along another",
                      end_of(s, true), end_of(s, false));
    return CriticalKind::saddle;
  }
  if (signs.least == Sign::positive) {
    why = end_of(s, false) + " is positive beyond its error bound, so every eigenvalue is";
    return CriticalKind::minimum;
  }
  if (signs.largest == Sign::negative) {
    why = end_of(s, true) + " is negative beyond its error bound, so every eigenvalue is";
    return CriticalKind::maximum;
  }
  if (signs.least == Sign::zero || signs.largest == Sign::zero) {
    why = end_of(s, signs.least != Sign::zero) +
          " is zero to rounding: the second-derivative test is inconclusive, higher derivatives "
          "decide along that direction";
    return CriticalKind::degenerate;
  }
  why =
      signs.least == Sign::unknown && s.num_bottom == 0 ? "the smallest eigenvalue was not computed"
      : signs.largest == Sign::unknown && s.num_top == 0
          ? "the largest eigenvalue was not computed"
          : fmt::format("zero lies within the error bounds of {} or {}: more products would decide",
                        end_of(s, false), end_of(s, true));
  return CriticalKind::undecided;
}

}  // namespace

CriticalPoint critical_point(const KnownSpectrum& spectrum, double gradient_norm,
                             double gradient_tolerance) {
  require("critical_point", gradient_tolerance >= 0, "gradient_tolerance must be >= 0");
  CriticalPoint point;
  point.gradient_norm = gradient_norm;
  point.gradient_tolerance = gradient_tolerance;
  const Signs signs = signs_of(spectrum);
  std::string why;
  point.kind = second_derivative_test(spectrum, signs, why);

  bool end_reached = spectrum.complete;
  for (std::size_t i = 0; i < spectrum.values.size(); ++i) {
    const Sign sign = sign_of(spectrum, i);
    if (sign == Sign::negative) ++point.index;
    if (static_cast<std::int64_t>(i) < spectrum.num_bottom && sign != Sign::negative) {
      end_reached = end_reached || sign != Sign::unknown;
    }
  }
  if (signs.largest == Sign::negative) {  // then all n are
    point.index = spectrum.dimension;
    end_reached = true;
  }
  point.index_lower_bound = !end_reached;

  if (gradient_norm <= gradient_tolerance) {
    point.evidence =
        fmt::format("|gradient| = {:.3g} <= {:.3g}; {}", gradient_norm, gradient_tolerance, why);
  } else {  // NaN too
    point.kind = CriticalKind::not_critical;
    point.evidence =
        fmt::format("|gradient| = {:.3g} > {:.3g}: the function still falls along -gradient; {}",
                    gradient_norm, gradient_tolerance, why);
  }
  return point;
}

std::optional<SurfaceShape> shape(const KnownSpectrum& spectrum) {
  const Signs signs = signs_of(spectrum);
  if (signs.some_positive && signs.some_negative) return SurfaceShape::saddle;
  if (signs.least == Sign::positive) return SurfaceShape::bowl;
  if (signs.largest == Sign::negative) return SurfaceShape::dome;
  if (signs.least == Sign::zero && signs.largest == Sign::zero) return SurfaceShape::flat;
  if (signs.least == Sign::zero && signs.some_positive) return SurfaceShape::trough;
  if (signs.largest == Sign::zero && signs.some_negative) return SurfaceShape::ridge;
  return std::nullopt;
}

}  // namespace kappa
