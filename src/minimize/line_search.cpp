#include "minimize/line_search.h"

#include <algorithm>
#include <cmath>

namespace kappa {
namespace {

struct Point {
  double a = 0, f = 0, slope = 0;
};

// Minimiser of the cubic through two values and slopes (Nocedal & Wright (3.59)), kept a tenth of
// the bracket away from its ends.
double interpolate(const Point& p, const Point& q) {
  const double width = q.a - p.a;
  double a = p.a + 0.5 * width;
  if (std::isfinite(q.f) && std::isfinite(q.slope)) {
    const double d1 = p.slope + q.slope - 3 * (p.f - q.f) / (p.a - q.a);
    const double square = d1 * d1 - p.slope * q.slope;
    if (square >= 0) {
      const double d2 = std::copysign(std::sqrt(square), width);
      const double cubic = q.a - width * (q.slope + d2 - d1) / (q.slope - p.slope + 2 * d2);
      if (std::isfinite(cubic)) a = cubic;
    }
  } else {
    a = p.a + 0.1 * width;  // not finite at q: back up well
  }
  const double low = p.a + 0.1 * width, high = q.a - 0.1 * width;
  return std::clamp(a, std::min(low, high), std::max(low, high));
}

}  // namespace

LineSearchResult wolfe_search(Evaluator& evaluator, const Iterate& from,
                              std::span<const double> direction, double first_step, Iterate& trial,
                              const WolfeOptions& options) {
  const double slope0 = dot(from.gradient, direction);
  if (!(slope0 < 0) || !std::isfinite(slope0)) return {};
  const double noise = 1e-14 * std::fabs(from.value);
  const auto evaluate = [&](double a) {
    add_scaled(from.w, a, direction, trial.w);
    trial.value = evaluator.gradient(trial.w.data(), trial.gradient.data());
    Point p{a, trial.value, dot(trial.gradient, direction)};
    if (!std::isfinite(p.f) || !all_finite(trial.gradient)) p.f = p.slope = INFINITY;
    return p;
  };

  Point low{0, from.value, slope0}, high{INFINITY, INFINITY, INFINITY};
  double a = std::min(first_step, options.max_step);
  for (int i = 0; i < options.max_evaluations; ++i) {
    const Point p = evaluate(a);
    const bool flat = std::fabs(p.slope) <= options.curvature * -slope0;
    const bool enough = p.f <= from.value + options.decrease * a * slope0;
    const bool enough_by_slope = p.f <= from.value + noise && p.f >= from.value - 1e4 * noise &&
                                 p.slope <= (2 * options.decrease - 1) * slope0;
    if (flat && (enough || enough_by_slope)) return {true, a};
    if (!(enough || enough_by_slope) || (p.f > low.f && low.a > 0)) {
      high = p;
    } else {
      if (p.slope * (high.a - low.a) >= 0) high = low;
      low = p;
      if (a >= options.max_step) return {true, a};
    }
    if (!std::isfinite(high.a)) {
      // Downhill all the way so far: extrapolate, at least twofold and at most tenfold.
      const double secant = low.a * slope0 / (slope0 - low.slope);
      a = std::clamp(secant > 0 && std::isfinite(secant) ? secant : 4 * low.a, 2 * low.a,
                     10 * low.a);
      a = std::min(a, options.max_step);
    } else {
      if (std::fabs(high.a - low.a) <= 1e-15 * std::max(high.a, low.a)) break;
      a = interpolate(low, high);
    }
  }
  // No Wolfe point within reach, but a decrease is worth taking.
  if (low.a > 0 && low.f < from.value) {
    evaluate(low.a);
    return {true, low.a};
  }
  return {};
}

LineSearchResult armijo_search(Evaluator& evaluator, const Iterate& from,
                               std::span<const double> direction, double slope, double first_step,
                               Iterate& trial, double decrease, double shrink) {
  double a = first_step;
  for (int i = 0; i < 80; ++i, a *= shrink) {
    add_scaled(from.w, a, direction, trial.w);
    const double f = evaluator.value(trial.w.data());
    if (!std::isfinite(f)) {
      a *= 0.2;  // back up faster from where the function is not defined
      continue;
    }
    if (f < from.value && f <= from.value + decrease * a * slope) {
      trial.value = evaluator.gradient(trial.w.data(), trial.gradient.data());
      if (trial.finite()) return {true, a};
    }
  }
  return {};
}

}  // namespace kappa
