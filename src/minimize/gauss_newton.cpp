#include <limits>

#include "minimize/least_squares_walker.h"

namespace kappa {
namespace {

/// Gauss-Newton: the least-norm minimiser of |r + J s| as direction, halved until |r|^2 falls by
/// 1e-4 of what its slope promises (Nocedal & Wright 2006, section 10.3).
class GaussNewton final : public LeastSquaresWalker {
 public:
  explicit GaussNewton(const Settings&) {}

 private:
  StepReport improve(Evaluator& evaluator, Iterate& iterate) override {
    const Eigen::VectorXd y = model_.gauss_newton_step();
    const double start = model_.residual_norm * model_.residual_norm;
    const double slope = -2 * model_.c.head(model_.rank).squaredNorm();
    const double rounding = 4 * std::numeric_limits<double>::epsilon() * start;
    for (double a = 1; a > 1e-12; a *= 0.5) {
      const Vector trial = displaced(iterate.w, a, y);
      if (trial == iterate.w) return stalled();
      const double square = sum_of_squares(evaluator, trial, residuals_);
      if (!(square < start && square <= start + 1e-4 * a * slope)) {
        if (-slope * a <= rounding) return stalled();
        continue;
      }
      Candidate next = linearize(evaluator, trial);
      if (!next.model.finite) continue;
      StepReport report = commit(evaluator, std::move(next), trial, iterate);
      report.measures = {{"step", a}, {"rank", static_cast<double>(model_.rank)}};
      return report;
    }
    return stalled();
  }
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
