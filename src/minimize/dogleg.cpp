#include "minimize/least_squares.h"

namespace kappa {
namespace {

/// Powell's dogleg (1970): along the steepest descent to its minimiser, then towards the
/// Gauss-Newton step, as far as |D s| <= radius allows; D as in lm.
class Dogleg final : public Walker {
 public:
  explicit Dogleg(const Settings& settings) : factor_(settings.number("factor")) {}

  StepReport step(Evaluator& evaluator, Iterate& iterate) override {
    if (!model_.finite) model_.linearize(evaluator, iterate.w, scale_);
    if (!model_.finite) return {.not_finite = true};
    const auto stalled = [&] {
      return StepReport{.moved = false, .critical = offset_criterion(model_, true)};
    };
    if (model_.residual_norm == 0) return stalled();
    const double size = scaled_norm(scale_, iterate.w);
    if (!(radius_ > 0)) radius_ = factor_ * (size > 0 ? size : 1);
    const double start = model_.residual_norm * model_.residual_norm;
    const double noise = kResidualRounding * start;
    const Eigen::VectorXd newton = model_.gauss_newton_step();
    // In the basis V: gradient s c, and |J V z|^2 = |s z|^2.
    const Eigen::VectorXd down = -model_.singular.cwiseProduct(model_.c);
    const double bend = model_.singular.cwiseProduct(down).squaredNorm();
    const Eigen::VectorXd cauchy = model_.v * down * (bend > 0 ? down.squaredNorm() / bend : 0);
    Vector trial(iterate.w.size());
    int polishes = 0;
    for (int tries = 0; tries < 200; ++tries) {
      const Eigen::VectorXd y = path(cauchy, newton);
      const Eigen::VectorXd z = model_.singular.cwiseProduct(model_.v.transpose() * y);
      const double predicted = -(2 * model_.c.dot(z) + z.squaredNorm());
      const double length = y.norm();
      for (std::size_t i = 0; i < trial.size(); ++i) {
        const double d = scale_[i];
        trial[i] = iterate.w[i] + (d > 0 ? y(static_cast<Eigen::Index>(i)) / d : 0);
      }
      if (trial == iterate.w || !(predicted > 0)) return stalled();
      const double square = sum_of_squares(evaluator, trial, residuals_);
      const double ratio = (start - square) / predicted;
      const bool resolved = ratio >= 1e-4 && predicted > kMinDecrease * start;
      if (resolved || (predicted <= noise && square <= start + noise)) {
        LeastSquaresModel next;
        Vector scale = scale_;
        next.linearize(evaluator, trial, scale);
        if (next.finite && (resolved || next.offset < kOffsetGain * model_.offset)) {
          if (resolved && ratio < 0.25) radius_ = 0.5 * length;
          if (ratio > 0.75) radius_ = std::max(radius_, 3 * length);
          const double taken = distance(trial, iterate.w);
          model_ = std::move(next);
          scale_ = std::move(scale);
          commit(evaluator.problem(), model_, trial, iterate);
          return {.step_norm = taken,
                  .critical = offset_criterion(model_, false),
                  .measures = {{"radius", radius_}, {"ratio", ratio}}};
        }
      }
      if (predicted <= kMinDecrease * start) {
        // A full step may overshoot where residuals are large; a shorter one need not.
        if (++polishes > kMaxPolishes) return stalled();
        radius_ = 0.3 * std::min(length, radius_);
        continue;
      }
      radius_ = 0.25 * std::min(length, radius_);
    }
    return stalled();
  }

  void archive(Archive& archive) override {
    archive(radius_, scale_);
    if (archive.reading()) model_.finite = false;
  }

 private:
  [[nodiscard]] Eigen::VectorXd path(const Eigen::VectorXd& cauchy,
                                     const Eigen::VectorXd& newton) const {
    if (newton.norm() <= radius_) return newton;
    const double first = cauchy.norm();
    if (first >= radius_) return cauchy * (radius_ / first);
    // |cauchy + t (newton - cauchy)| = radius
    const Eigen::VectorXd d = newton - cauchy;
    const double a = d.squaredNorm(), b = cauchy.dot(d), c = first * first - radius_ * radius_;
    const double root = std::sqrt(std::max(b * b - a * c, 0.0));
    const double t = b > 0 ? -c / (b + root) : (root - b) / a;
    return cauchy + std::min(t, 1.0) * d;
  }

  double factor_, radius_ = 0;
  Vector scale_;
  LeastSquaresModel model_;
  Eigen::VectorXd residuals_;
};

}  // namespace

KAPPA_METHOD(dogleg) {
  static const Method method{
      .info = {.name = "dogleg",
               .text = "Powell's dogleg between steepest descent and Gauss-Newton, for sums of "
                       "squares",
               .needs_residuals = true,
               .max_dimension = 5000,
               .default_max_iterations = 5000,
               .options = {{.name = "factor",
                            .text = "first radius in units of |D w|",
                            .default_value = 1,
                            .lower = 1e-6,
                            .upper = 1e6}}},
      .start = start_walker<Dogleg>,
      .monotone = true,
      .own_criterion = true};
  return method;
}

}  // namespace kappa
