#include "minimize/saddle.h"

#include <algorithm>

#include "minimize/dense_algebra.h"
#include "minimize/lowest_curvature.h"

namespace kappa {

double walk_along_negative_curvature(Evaluator& evaluator, Iterate& iterate,
                                     std::span<const double> direction, double curvature,
                                     double length) {
  const double size = norm(direction);
  Vector trial(iterate.w.size()), best;
  double best_value = iterate.value, best_length = 0;
  for (double t = length; t > 1e-12 * length && best.empty(); t *= 0.5) {
    for (const double sign : {1.0, -1.0}) {
      add_scaled(iterate.w, sign * t / size, direction, trial);
      const double f = evaluator.value(trial.data());
      if (f < best_value && f <= iterate.value + 0.05 * t * t * curvature) {
        best_value = f;
        best = trial;
        best_length = t;
      }
    }
  }
  if (best.empty()) return 0;
  Vector gradient(best.size());
  const double value = evaluator.gradient(best.data(), gradient.data());
  if (!std::isfinite(value) || !all_finite(gradient)) return 0;
  iterate.w = std::move(best);
  iterate.gradient = std::move(gradient);
  iterate.value = value;
  return best_length;
}

std::optional<StepReport> leave_along_negative_curvature(Evaluator& evaluator, Iterate& iterate,
                                                         const Evaluator::Curvature* known) {
  constexpr std::int64_t kMaxDense = 500, kMaxProducts = 100;
  const std::int64_t n = evaluator.dimension();
  double value = 0;
  Vector direction;
  if (n <= kMaxDense) {
    Eigen::MatrixXd hessian(n, n);
    evaluator.hessian(iterate.w.data(), hessian.data());
    if (!hessian.allFinite()) return {};
    const Evaluator::Factorization timing(evaluator);
    const SymmetricEigen eigen = symmetric_eigen(hessian);
    value = eigen.values(0);
    if (!(value < -1e-10 * eigen.values.cwiseAbs().maxCoeff())) return {};
    direction.assign(eigen.vectors.col(0).data(), eigen.vectors.col(0).data() + n);
  } else {
    std::optional<Evaluator::Curvature> own;
    if (known == nullptr) known = &own.emplace(evaluator.linearize(iterate.w.data()));
    LowestCurvature lowest = lowest_curvature(evaluator, *known, kMaxProducts);
    if (!lowest.negative()) return {};
    value = lowest.value;
    direction = std::move(lowest.direction);
  }
  const double length = std::max(1.0, 0.1 * norm(iterate.w));
  const double step = walk_along_negative_curvature(evaluator, iterate, direction, value, length);
  if (step == 0) return {};
  return StepReport{.step_norm = step, .measures = {{"lambda_min", value}}};
}

}  // namespace kappa
