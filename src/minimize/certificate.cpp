#include "minimize/certificate.h"

#include <limits>

#include "minimize/dense_algebra.h"

namespace kappa {

std::optional<StepReport::Criterion> newton_decrement_criterion(Evaluator& evaluator,
                                                                const Iterate& iterate) {
  constexpr std::int64_t kMaxDimension = 500;
  if (evaluator.dimension() > kMaxDimension || !iterate.finite()) return {};
  const Eigen::Index n = evaluator.dimension();
  Eigen::MatrixXd hessian(n, n);
  evaluator.hessian(iterate.w.data(), hessian.data());
  if (!hessian.allFinite() || !(hessian.diagonal().minCoeff() > 0)) return {};
  const Eigen::VectorXd scale = hessian.diagonal().cwiseSqrt().cwiseInverse();
  hessian = scale.asDiagonal() * hessian * scale.asDiagonal();
  const Evaluator::Factorization timing(evaluator);
  const Eigen::VectorXd gradient =
      scale.cwiseProduct(Eigen::Map<const Eigen::VectorXd>(iterate.gradient.data(), n));
  const auto newton = cholesky_solve(hessian, gradient);
  if (!newton) return {};
  const double decrement = 0.5 * gradient.dot(*newton);
  const double rounding = 32 * std::numeric_limits<double>::epsilon() * std::fabs(iterate.value);
  return StepReport::Criterion{"newton_decrement", decrement, rounding};
}

}  // namespace kappa
