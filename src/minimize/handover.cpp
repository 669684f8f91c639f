#include "minimize/handover.h"

#include <algorithm>

#include "minimize/steihaug.h"

namespace kappa {

ModelTrial try_model(Evaluator& evaluator, const Iterate& iterate) {
  constexpr std::int64_t kMaxProducts = 10;
  constexpr double kResidual = 0.1;  // relative to |g|, as newton-cg's default
  const double before = evaluator.counts().gradient_equivalents;
  const auto curvature = evaluator.linearize(iterate.w.data());
  const double radius = std::max(1.0, 0.1 * norm(iterate.w));
  TruncatedConjugateGradients inner;
  const TruncatedStep& model =
      inner.solve(curvature, curvature.gradient(), kResidual * norm(curvature.gradient()), radius,
                  false, kMaxProducts);
  Vector trial(iterate.w.size());
  add_scaled(iterate.w, 1, model.crossed ? model.boundary_step : model.step, trial);
  ModelTrial result;
  result.predicted = model.crossed ? model.boundary_decrease : model.decrease;
  result.actual = curvature.value() - evaluator.value(trial.data());
  result.work = evaluator.counts().gradient_equivalents - before;
  return result;
}

}  // namespace kappa
