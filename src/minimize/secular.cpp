#include "minimize/secular.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace kappa {
namespace {

constexpr double kEpsilon = std::numeric_limits<double>::epsilon();

/// y(s)_i = -c_i / (lambda_i + s), 0 where both vanish.
Eigen::VectorXd shifted(const Eigen::VectorXd& lambda, const Eigen::VectorXd& c, double s) {
  Eigen::VectorXd y(lambda.size());
  for (Eigen::Index i = 0; i < y.size(); ++i) {
    const double d = lambda(i) + s;
    y(i) = c(i) == 0 ? 0 : -c(i) / d;
  }
  return y;
}

/// d|y|/ds * |y| = -sum c_i^2 / (lambda_i + s)^3
double slope(const Eigen::VectorXd& lambda, const Eigen::VectorXd& y, double s) {
  double sum = 0;
  for (Eigen::Index i = 0; i < y.size(); ++i) {
    if (y(i) != 0) sum -= y(i) * y(i) / (lambda(i) + s);
  }
  return sum;
}

void finish(TrustRegionStep& step, const Eigen::VectorXd& lambda, const Eigen::VectorXd& c) {
  step.decrease = -(c.dot(step.y) + 0.5 * step.y.cwiseAbs2().dot(lambda));
}

/// c without what is rounding in the eigenspace of the lowest lambda.
Eigen::VectorXd cleaned(const Eigen::VectorXd& lambda, const Eigen::VectorXd& c, double tolerance) {
  Eigen::VectorXd result = c;
  const double lowest = lambda.minCoeff(), size = c.norm();
  for (Eigen::Index i = 0; i < c.size(); ++i) {
    if (lambda(i) - lowest <= tolerance && std::fabs(c(i)) <= kEpsilon * size) result(i) = 0;
  }
  return result;
}

/// Completes y to `length` along the lowest eigenvector.
void complete(Eigen::VectorXd& y, const Eigen::VectorXd& lambda, double length) {
  Eigen::Index lowest = 0;
  lambda.minCoeff(&lowest);
  const double rest = length * length - y.squaredNorm();
  if (rest > 0) y(lowest) += y(lowest) < 0 ? -std::sqrt(rest) : std::sqrt(rest);
}

/// s in (low, high) with |y(s)| = target(s), for |y| decreasing and target not.
template <class Target, class TargetSlope>
double solve(const Eigen::VectorXd& lambda, const Eigen::VectorXd& c, double low, double high,
             Target target, TargetSlope target_slope) {
  double s = high;
  for (int k = 0; k < 200; ++k) {
    const Eigen::VectorXd y = shifted(lambda, c, s);
    const double length = y.norm(), wanted = target(s);
    if (std::fabs(length - wanted) <= 1e-13 * wanted) break;
    (length > wanted ? low : high) = s;
    if (high - low <= 1e-15 * high) break;
    // Newton on 1/|y| - 1/target, nearly linear in s.
    const double derivative =
        -slope(lambda, y, s) / (length * length * length) + target_slope(s) / (wanted * wanted);
    double next = s - (1 / length - 1 / wanted) / derivative;
    if (!(next > low && next < high)) {
      next = low > 0 && high / low > 100 ? std::sqrt(low * high) : low + 0.5 * (high - low);
    }
    s = next;
  }
  return s;
}

}  // namespace

TrustRegionStep solve_trust_region(const Eigen::VectorXd& lambda, const Eigen::VectorXd& c,
                                   double radius) {
  TrustRegionStep step;
  const double lowest = lambda.minCoeff();
  const double scale = lambda.cwiseAbs().maxCoeff();
  const double tolerance = 10 * kEpsilon * scale;
  const Eigen::VectorXd rhs = cleaned(lambda, c, tolerance);
  if (lowest > 0) {
    step.y = shifted(lambda, rhs, 0);
    if (step.y.allFinite() && step.y.norm() <= radius) {
      finish(step, lambda, c);
      return step;
    }
  }
  step.on_boundary = true;
  const double low = std::max(0.0, -lowest);
  // At the lowest admissible shift: still inside means the hard case.
  const Eigen::VectorXd at_low = shifted(lambda, rhs, low);
  if (at_low.allFinite() && at_low.norm() < radius) {
    step.y = at_low;
    step.shift = low;
    if (lowest < -tolerance) {
      complete(step.y, lambda, radius);
    } else {
      step.on_boundary = false;
    }
    finish(step, lambda, c);
    return step;
  }
  const double high = low + rhs.norm() / radius + tolerance;
  step.shift = solve(
      lambda, rhs, low, high, [&](double) { return radius; }, [](double) { return 0.0; });
  step.y = shifted(lambda, rhs, step.shift);
  finish(step, lambda, c);
  return step;
}

TrustRegionStep solve_cubic(const Eigen::VectorXd& lambda, const Eigen::VectorXd& c, double sigma) {
  TrustRegionStep step;
  const double lowest = lambda.minCoeff();
  const double tolerance = 10 * kEpsilon * lambda.cwiseAbs().maxCoeff();
  const Eigen::VectorXd rhs = cleaned(lambda, c, tolerance);
  const double low = std::max(0.0, -lowest);
  const Eigen::VectorXd at_low = shifted(lambda, rhs, low);
  if (at_low.allFinite() && at_low.norm() * sigma <= low) {
    step.y = at_low;
    step.shift = low;
    if (low > tolerance) complete(step.y, lambda, low / sigma);
    finish(step, lambda, c);
    return step;
  }
  // |y(s)| = s / sigma; |y(s)| <= |c| / (s - low) bounds s from above.
  const double size = rhs.norm();
  const double high = 0.5 * (low + std::sqrt(low * low + 4 * sigma * size)) + low + tolerance;
  step.shift = solve(
      lambda, rhs, low, high, [&](double s) { return s / sigma; },
      [&](double) { return 1 / sigma; });
  step.y = shifted(lambda, rhs, step.shift);
  finish(step, lambda, c);
  return step;
}

}  // namespace kappa
