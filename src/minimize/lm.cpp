#include <algorithm>

#include "minimize/residual_region.h"
#include "minimize/secular.h"

namespace kappa {
namespace {

/// Levenberg-Marquardt as a trust-region method (More 1978): the step minimises |r + J s| over
/// |D s| <= radius exactly, from the singular values of J D^-1, never from J'J.
class LevenbergMarquardt final : public ResidualRegion {
 public:
  using ResidualRegion::ResidualRegion;

 private:
  void prepare(const LeastSquaresModel& model) override {
    full_ = model.gauss_newton_step();
    lambda_ = model.singular.cwiseAbs2();
    slope_ = model.singular.cwiseProduct(model.c);
  }

  Proposal propose(const LeastSquaresModel& model, double radius) override {
    if (full_.norm() <= radius) return {full_, model.c.head(model.rank).squaredNorm(), 0};
    const TrustRegionStep best = solve_trust_region(lambda_, slope_, radius);
    return {model.v * best.y, 2 * best.decrease, best.shift};
  }

  // MINPACK's rule (lmder): shrink by the parabola through both values, within [0.1, 0.5].
  double next_radius(double radius, const Proposal& tried, const Outcome& outcome) override {
    const double length = outcome.length;
    if (outcome.ratio > 0.25) {
      return outcome.ratio >= 0.75 || tried.damping == 0 ? 2 * length : radius;
    }
    double shrink = 0.5;
    if (outcome.after > outcome.before) {
      // Slope of |r|^2 along the step, relative: -(predicted + damping |s|^2).
      const double fall =
          -(tried.predicted + tried.damping * length * length) / (2 * outcome.before);
      const double actual = 1 - outcome.after / outcome.before;
      shrink = 0.5 * fall / (fall + 0.5 * actual);
      if (!(shrink >= 0.1)) shrink = 0.1;
    }
    return shrink * std::min(radius, length / 0.1);
  }

  Eigen::VectorXd full_, lambda_, slope_;  // of the point that was prepared
};

}  // namespace

KAPPA_METHOD(lm) {
  static const Method method{
      .info = {.name = "lm",
               .text =
                   "Levenberg-Marquardt with scaled trust region (More 1978), for sums of squares",
               .needs_residuals = true,
               .max_dimension = 5000,
               .default_max_iterations = 5000,
               .options = {radius_factor_option()}},
      .start = start_walker<LevenbergMarquardt>,
      .monotone = true,
      .own_criterion = true};
  return method;
}

}  // namespace kappa
