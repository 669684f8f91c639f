#include <limits>

#include "minimize/curvature_model.h"
#include "minimize/saddle.h"
#include "minimize/secular.h"

namespace kappa {
namespace {

/// Adaptive cubic regularisation (Cartis, Gould & Toint 2011): the step minimises
/// f + g's + s'Hs/2 + sigma |s|^3 / 3 exactly, over all directions or a Krylov space.
class CubicRegularisation final : public Walker {
 public:
  explicit CubicRegularisation(const Settings& settings)
      : sigma_(settings.number("sigma")),
        max_dense_(settings.count("max-dense")),
        max_products_(settings.count("max-products")) {}

  StepReport step(Evaluator& evaluator, Iterate& iterate) override {
    trial_.w.resize(iterate.w.size());
    trial_.gradient.resize(iterate.w.size());
    const CurvatureModel model = curvature_model(evaluator, iterate, max_dense_, max_products_);
    if (!model.finite) return {.moved = false};
    const double rounding = 8 * std::numeric_limits<double>::epsilon() * std::fabs(iterate.value);
    for (int tries = 0; tries < 100; ++tries) {
      const TrustRegionStep best = solve_cubic(model.lambda, model.c, sigma_);
      const double length = best.y.norm();
      const double predicted = best.decrease - sigma_ / 3 * length * length * length;
      add_scaled(iterate.w, 1, model.step(best.y), trial_.w);
      if (trial_.w == iterate.w || !(predicted > 0)) break;
      trial_.value = evaluator.value(trial_.w.data());
      const bool resolved = predicted > rounding;
      const double ratio = (iterate.value - trial_.value) / predicted;
      const bool enough = std::isfinite(trial_.value) &&
                          (resolved ? ratio >= 0.1 : trial_.value <= iterate.value + rounding);
      if (enough) {
        trial_.value = evaluator.gradient(trial_.w.data(), trial_.gradient.data());
        const bool smaller = resolved || norm(trial_.gradient) < norm(iterate.gradient);
        if (trial_.finite() && smaller) {
          if (ratio > 0.9) sigma_ = std::max(0.3 * sigma_, 1e-16);
          std::swap(iterate, trial_);
          return {.step_norm = length, .measures = {{"sigma", sigma_}, {"ratio", ratio}}};
        }
      }
      if (!resolved) break;
      sigma_ *= std::isfinite(trial_.value) ? 3 : 100;
    }
    return {.moved = false};
  }

  std::optional<StepReport> leave_saddle(Evaluator& evaluator, Iterate& iterate) override {
    return leave_along_negative_curvature(evaluator, iterate);
  }

  void archive(Archive& archive) override { archive(sigma_); }

 private:
  double sigma_;
  std::int64_t max_dense_, max_products_;
  Iterate trial_;
};

}  // namespace

KAPPA_METHOD(cubic) {
  static const Method method{
      .info = {.name = "cubic",
               .text = "adaptive cubic regularisation (Cartis, Gould & Toint 2011); dense, or in a "
                       "Krylov space",
               .uses_hessian = true,
               .default_max_iterations = 5000,
               .options = {{.name = "sigma",
                            .text = "first weight of the cubic term",
                            .default_value = 1,
                            .lower = 1e-12,
                            .upper = 1e12},
                           max_dense_option(),
                           max_products_option()}},
      .start = start_walker<CubicRegularisation>,
      .monotone = true};
  return method;
}

}  // namespace kappa
