#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "curvature/checks.h"
#include "curvature/sign.h"
#include "kappa/curvature.h"

namespace kappa {
namespace {

/// Factor a step by which the component along an eigenvector changes in the long run: spectral
/// radius of [[1 + beta - alpha lambda, -beta], [1, 0]], |1 - alpha lambda| for beta = 0.
double contraction(double alpha, double beta, double lambda) {
  const double t = 1 + beta - alpha * lambda;
  const double discriminant = t * t - 4 * beta;
  if (discriminant < 0) return std::sqrt(beta);
  return (std::fabs(t) + std::sqrt(discriminant)) / 2;
}

std::string times(std::int64_t count, const char* noun) {
  return fmt::format("{} {}{}", count, noun, count == 1 ? "" : "s");
}

GivenRate judge(const KnownSpectrum& s, const LearningRateOptions& options) {
  GivenRate g;
  g.learning_rate = *options.given;
  g.momentum = options.given_momentum;
  double worst_diverging = 0;
  for (std::size_t i = 0; i < s.values.size(); ++i) {
    const double factor = contraction(g.learning_rate, g.momentum, s.values[i]);
    const Sign sign = sign_of(s, i, options.null_tolerance);
    if (sign == Sign::zero) continue;  // neither moves nor has anywhere to go
    g.contraction_worst = std::max(g.contraction_worst, factor);
    if (s.values[i] < 0) {
      if (sign == Sign::negative) ++g.num_escaping;
    } else if (factor >= 1) {
      ++g.num_diverging;
      worst_diverging = std::max(worst_diverging, factor);
    }
  }
  g.stable = g.num_diverging == 0;
  if (worst_diverging > 1) {
    g.steps_to_divergence = static_cast<std::int64_t>(
        std::ceil(std::log(options.growth_factor) / std::log(worst_diverging)));
  }
  if (!g.stable) {
    g.sentence = fmt::format("diverges along {}{}",
                             s.complete || g.num_diverging < s.num_top ? "" : "at least ",
                             times(g.num_diverging, "direction"));
    if (g.steps_to_divergence) {
      g.sentence += fmt::format(", the first grows {:g}-fold within {}", options.growth_factor,
                                times(*g.steps_to_divergence, "step"));
    }
  } else {
    g.sentence = s.num_top > 0 ? "stable: no direction overshoots for good"
                               : "stable along the directions known";
  }
  if (g.num_escaping > 0) {
    g.sentence += fmt::format("; moves away along {} of negative curvature at any rate",
                              times(g.num_escaping, "direction"));
  }
  return g;
}

}  // namespace

LearningRate learning_rate(const KnownSpectrum& spectrum, const LearningRateOptions& options,
                           std::optional<double> gradient_norm,
                           std::optional<double> gradient_curvature) {
  require("learning_rate", !options.given || (std::isfinite(*options.given) && *options.given > 0),
          "the given rate must be > 0");
  require("learning_rate", options.given_momentum >= 0 && options.given_momentum < 1,
          "given_momentum must be >= 0 and < 1");
  require("learning_rate", options.growth_factor > 1, "growth_factor must be > 1");
  LearningRate out;
  const Signs signs = signs_of(spectrum);
  const double most = spectrum.values.empty() ? 0 : spectrum.values.back();
  const double least = spectrum.values.empty() ? 0 : spectrum.values.front();
  if (spectrum.num_top > 0 && signs.some_positive) out.stability_limit = 2 / most;
  if (signs.least == Sign::positive && spectrum.num_top > 0) {
    const double kappa = most / least;
    out.fastest_fixed = 2 / (least + most);
    const double rate = (kappa - 1) / (kappa + 1);
    out.gradient_descent_rate = rate;
    // ln((k-1)/(k+1)) = -2 atanh(1/k), which stays accurate where k is huge and the rate rounds
    // to 1.
    const double log_rate =
        kappa > 1 ? -2 * std::atanh(1 / kappa) : -std::numeric_limits<double>::infinity();
    const double needed = std::ceil(std::log(1e-6) / log_rate);
    out.iterations_to_1e_6 = static_cast<std::int64_t>(std::clamp(needed, 1.0, 9e18));
    const double root = std::sqrt(kappa);
    const double ratio = (root - 1) / (root + 1);
    const double sum = std::sqrt(most) + std::sqrt(least);
    out.momentum = MomentumAdvice{4 / (sum * sum), ratio * ratio, ratio};
  } else if (signs.some_negative) {
    out.warnings.push_back(
        "there is negative curvature: no fixed rate converges, the rates hold along the positive "
        "directions only");
  }

  if (gradient_norm && gradient_curvature && *gradient_norm > 0) {
    const double gg = *gradient_norm * *gradient_norm;
    out.curvature_along_gradient = *gradient_curvature / gg;
    if (*gradient_curvature > 0) {
      out.steepest_descent_step = gg / *gradient_curvature;
    } else {
      out.warnings.push_back(fmt::format(
          "the curvature along the gradient is {:.3g}, not positive: the quadratic model has no "
          "minimum along it and no best step",
          *out.curvature_along_gradient));
    }
  }

  if (options.given) {
    out.reference_rate = *options.given;
  } else if (out.fastest_fixed) {
    out.reference_rate = *out.fastest_fixed;
  } else if (out.stability_limit) {
    out.reference_rate = *out.stability_limit / 2;
  }
  for (std::size_t i = spectrum.values.size(); i-- > 0;) {
    const double lambda = spectrum.values[i];
    const bool null = sign_of(spectrum, i, options.null_tolerance) == Sign::zero;
    out.directions.push_back({lambda, null ? std::numeric_limits<double>::infinity() : 1 / lambda,
                              std::fabs(1 - out.reference_rate * lambda)});
  }
  if (options.given) {
    out.given = judge(spectrum, options);
  }
  return out;
}

}  // namespace kappa
