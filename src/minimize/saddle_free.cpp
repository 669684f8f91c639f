#include <limits>

#include "minimize/curvature_model.h"
#include "minimize/radius.h"
#include "minimize/saddle.h"

namespace kappa {
namespace {

/// Saddle-free Newton (Dauphin et al. 2014): s = -(|H| + shift)^-1 g, |H| with the absolute values
/// of the eigenvalues, so that directions of negative curvature repel; damped by
/// Levenberg-Marquardt's rule on the true model. Beyond max-dense parameters |H| is known in a
/// Krylov space of the gradient, which holds the whole step.
class SaddleFreeNewton final : public Walker {
 public:
  explicit SaddleFreeNewton(const Settings& settings)
      : shift_(settings.number("damping")),
        max_dense_(settings.count("max-dense")),
        max_products_(settings.count("max-products")) {}

  StepReport step(Evaluator& evaluator, Iterate& iterate) override {
    trial_.w.resize(iterate.w.size());
    trial_.gradient.resize(iterate.w.size());
    const CurvatureModel model = curvature_model(evaluator, iterate, max_dense_, max_products_);
    if (!model.finite) return {.moved = false};
    const Eigen::VectorXd size = model.lambda.cwiseAbs();
    const double largest = size.maxCoeff();
    const double floor = 1e-15 * largest + 1e-300;
    for (int tries = 0; tries < 100; ++tries) {
      const double shift = shift_ * (largest > 0 ? largest : 1);
      const Eigen::VectorXd y = -model.c.cwiseQuotient((size.array() + shift + floor).matrix());
      const double predicted = -(model.c.dot(y) + 0.5 * y.cwiseAbs2().dot(model.lambda));
      const double length = y.norm();
      add_scaled(iterate.w, 1, model.step(y), trial_.w);
      double radius = length;
      const Judgement judged = judge_trial(evaluator, iterate, trial_, predicted, length, radius);
      if (judged.accepted) {
        if (judged.ratio > 0.75) shift_ = shift_ < 1e-14 ? 0 : shift_ / 5;
        if (judged.ratio < 0.25) grow();
        std::swap(iterate, trial_);
        return {.step_norm = length, .measures = {{"damping", shift}, {"ratio", judged.ratio}}};
      }
      if (judged.hopeless) break;
      grow();
    }
    return {.moved = false};
  }

  std::optional<StepReport> leave_saddle(Evaluator& evaluator, Iterate& iterate) override {
    return leave_along_negative_curvature(evaluator, iterate);
  }

  void archive(Archive& archive) override { archive(shift_); }

 private:
  void grow() { shift_ = std::max(4 * shift_, 1e-8); }

  double shift_;
  std::int64_t max_dense_, max_products_;
  Iterate trial_;
};

}  // namespace

KAPPA_METHOD(saddle_free) {
  static const Method method{
      .info = {.name = "saddle-free",
               .text =
                   "saddle-free Newton (Dauphin et al. 2014): absolute eigenvalues; dense, or in "
                   "a Krylov space",
               .uses_hessian = true,
               .default_max_iterations = 5000,
               .options = {{.name = "damping",
                            .text = "first shift, relative to the largest |eigenvalue|",
                            .default_value = 1e-3,
                            .lower = 0,
                            .upper = 1e6},
                           max_dense_option(),
                           max_products_option()}},
      .start = start_walker<SaddleFreeNewton>,
      .monotone = true};
  return method;
}

}  // namespace kappa
