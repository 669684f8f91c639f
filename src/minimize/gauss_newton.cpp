#include <limits>

#include "minimize/least_squares.h"

namespace kappa {
namespace {

/// Gauss-Newton: the least-norm minimiser of |r + J s| as direction, halved until |r|^2 falls by
/// 1e-4 of what its slope promises (Nocedal & Wright 2006, section 10.3).
class GaussNewton final : public Walker {
 public:
  explicit GaussNewton(const Settings&) {}

  StepReport step(Evaluator& evaluator, Iterate& iterate) override {
    if (!model_.finite) model_.linearize(evaluator, iterate.w, scale_);
    if (!model_.finite) return {.not_finite = true};
    const auto stalled = [&] {
      return StepReport{.moved = false, .critical = offset_criterion(model_, true)};
    };
    if (model_.residual_norm == 0) return stalled();
    const Eigen::VectorXd y = model_.gauss_newton_step();
    const double start = model_.residual_norm * model_.residual_norm;
    const double slope = -2 * model_.c.head(model_.rank).squaredNorm();
    const double rounding = 4 * std::numeric_limits<double>::epsilon() * start;
    Vector trial(iterate.w.size());
    for (double a = 1; a > 1e-12; a *= 0.5) {
      for (std::size_t i = 0; i < trial.size(); ++i) {
        const double d = scale_[i];
        trial[i] = iterate.w[i] + (d > 0 ? a * y(static_cast<Eigen::Index>(i)) / d : 0);
      }
      if (trial == iterate.w) return stalled();
      const double square = sum_of_squares(evaluator, trial, residuals_);
      if (!(square < start && square <= start + 1e-4 * a * slope)) {
        if (-slope * a <= rounding) return stalled();
        continue;
      }
      LeastSquaresModel next;
      Vector scale = scale_;
      next.linearize(evaluator, trial, scale);
      if (!next.finite) continue;
      const double taken = distance(trial, iterate.w);
      model_ = std::move(next);
      scale_ = std::move(scale);
      commit(evaluator.problem(), model_, trial, iterate);
      return {.step_norm = taken,
              .critical = offset_criterion(model_, false),
              .measures = {{"step", a}, {"rank", static_cast<double>(model_.rank)}}};
    }
    return stalled();
  }

  void archive(Archive& archive) override {
    archive(scale_);
    if (archive.reading()) model_.finite = false;
  }

 private:
  Vector scale_;
  LeastSquaresModel model_;
  Eigen::VectorXd residuals_;
};

}  // namespace

KAPPA_METHOD(gauss_newton) {
  static const Method method{.info = {.name = "gauss-newton",
                                      .text = "Gauss-Newton with step halving, for sums of squares",
                                      .needs_residuals = true,
                                      .max_dimension = 5000,
                                      .default_max_iterations = 2000},
                             .start = start_walker<GaussNewton>,
                             .monotone = true,
                             .own_criterion = true};
  return method;
}

}  // namespace kappa
