#include "minimize/least_squares.h"
#include "minimize/secular.h"

namespace kappa {
namespace {

/// Levenberg-Marquardt as a trust-region method (More 1978): the step minimises |r + J s| over
/// |D s| <= radius, D the largest column norms of J so far. The subproblem is solved from the
/// singular values of J D^-1, never from J'J.
class LevenbergMarquardt final : public Walker {
 public:
  explicit LevenbergMarquardt(const Settings& settings) : factor_(settings.number("factor")) {}

  StepReport step(Evaluator& evaluator, Iterate& iterate) override {
    const auto n = static_cast<Eigen::Index>(iterate.w.size());
    if (!model_.finite) model_.linearize(evaluator, iterate.w, scale_);
    if (!model_.finite) return {.not_finite = true};
    const double size = scaled_norm(scale_, iterate.w);
    if (!(radius_ > 0)) radius_ = factor_ * (size > 0 ? size : 1);
    const auto stalled = [&] {
      return StepReport{.moved = false, .critical = offset_criterion(model_, true)};
    };
    if (model_.residual_norm == 0) return stalled();

    const double start = model_.residual_norm * model_.residual_norm;
    const Eigen::VectorXd full = model_.gauss_newton_step();
    const Eigen::VectorXd lambda = model_.singular.cwiseAbs2();
    const Eigen::VectorXd slope = model_.singular.cwiseProduct(model_.c);
    Vector trial(iterate.w.size());
    int polishes = 0;
    for (int tries = 0; tries < 200; ++tries) {
      double damping = 0;
      Eigen::VectorXd y = full;
      double predicted = model_.c.head(model_.rank).squaredNorm();
      if (full.norm() > radius_) {
        const TrustRegionStep best = solve_trust_region(lambda, slope, radius_);
        damping = best.shift;
        predicted = 2 * best.decrease;
        y = model_.v * best.y;
      }
      const double length = y.norm();
      for (Eigen::Index i = 0; i < n; ++i) {
        const auto k = static_cast<std::size_t>(i);
        trial[k] = iterate.w[k] + (scale_[k] > 0 ? y(i) / scale_[k] : 0);
      }
      if (trial == iterate.w) return stalled();
      const double square = sum_of_squares(evaluator, trial, residuals_);
      const double ratio = (start - square) / predicted;
      const double noise = kResidualRounding * start;
      const bool resolved = ratio >= 1e-4 && predicted > kMinDecrease * start;
      if (resolved || (predicted <= noise && square <= start + noise)) {
        LeastSquaresModel next;
        Vector scale = scale_;
        next.linearize(evaluator, trial, scale);
        // Below the rounding of |r|^2 the offset decides: it still resolves the last digits.
        if (next.finite && (resolved || next.offset < kOffsetGain * model_.offset)) {
          if (resolved) update_radius(ratio, length, start, square, predicted, damping);
          const double taken = distance(trial, iterate.w);
          model_ = std::move(next);
          scale_ = std::move(scale);
          commit(evaluator.problem(), model_, trial, iterate);
          return {.step_norm = taken,
                  .critical = offset_criterion(model_, false),
                  .measures = {{"radius", radius_}, {"damping", damping}, {"ratio", ratio}}};
        }
      }
      if (predicted <= kMinDecrease * start) {
        // A full step may overshoot where residuals are large; a shorter one need not.
        if (++polishes > kMaxPolishes) return stalled();
        radius_ = 0.3 * std::min(length, radius_);
        continue;
      }
      update_radius(std::isfinite(square) ? ratio : -1e30, length, start, square, predicted,
                    damping);
    }
    return stalled();
  }

  void archive(Archive& archive) override {
    archive(radius_, scale_);
    if (archive.reading()) model_.finite = false;
  }

 private:
  // MINPACK's rule (lmder): shrink by the parabola through both values, within [0.1, 0.5].
  void update_radius(double ratio, double length, double before, double after, double predicted,
                     double damping) {
    if (ratio <= 0.25) {
      double shrink = 0.5;
      if (after > before || !std::isfinite(after)) {
        // Slope of |r|^2 along the step, relative: -(predicted + damping |s|^2).
        const double fall = -(predicted + damping * length * length) / (2 * before);
        const double actual = std::isfinite(after) ? 1 - after / before : -INFINITY;
        shrink = 0.5 * fall / (fall + 0.5 * actual);
        if (!(shrink >= 0.1)) shrink = 0.1;
      }
      radius_ = shrink * std::min(radius_, length / 0.1);
    } else if (ratio >= 0.75 || damping == 0) {
      radius_ = 2 * length;
    }
  }

  double factor_, radius_ = 0;
  Vector scale_;
  LeastSquaresModel model_;
  Eigen::VectorXd residuals_;
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
               .options = {{.name = "factor",
                            .text = "first radius in units of |D w|",
                            .default_value = 1,
                            .lower = 1e-6,
                            .upper = 1e6}}},
      .start = start_walker<LevenbergMarquardt>,
      .monotone = true,
      .own_criterion = true};
  return method;
}

}  // namespace kappa
