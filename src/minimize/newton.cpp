#include "minimize/line_search.h"
#include "minimize/modified_cholesky.h"
#include "minimize/saddle.h"

namespace kappa {
namespace {

/// Newton's method with a modified Cholesky factorisation and a Wolfe line search; where the
/// factorisation had to lift a pivot and its direction of negative curvature bends more than the
/// Newton step falls, that direction is taken instead (More & Sorensen 1979).
class Newton final : public Walker {
 public:
  explicit Newton(const Settings&) {}

  StepReport step(Evaluator& evaluator, Iterate& iterate) override {
    const std::size_t n = iterate.w.size();
    const auto size = static_cast<Eigen::Index>(n);
    trial_.w.resize(n);
    trial_.gradient.resize(n);
    direction_.resize(n);
    Eigen::MatrixXd hessian(size, size);
    evaluator.hessian(iterate.w.data(), hessian.data());
    if (!hessian.allFinite()) return {.moved = false};
    // Scaled to unit diagonal: the lift is then the same for every choice of units.
    Eigen::VectorXd inverse = hessian.diagonal().cwiseAbs().cwiseSqrt();
    const double largest = inverse.maxCoeff();
    for (double& d : inverse) d = 1 / std::max({d, 1e-8 * largest, 1e-150});
    hessian = inverse.asDiagonal() * hessian * inverse.asDiagonal();
    const Eigen::VectorXd gradient =
        inverse.cwiseProduct(Eigen::Map<const Eigen::VectorXd>(iterate.gradient.data(), size));
    Eigen::VectorXd newton, bent;
    double lift = 0;
    {
      const Evaluator::Factorization timing(evaluator);
      const ModifiedCholesky factor(hessian);
      newton = -factor.solve(gradient);
      lift = factor.largest_correction();
      if (lift > 0) bent = factor.negative_direction();
    }
    std::vector<Measure> measures = {{"shift", lift}};
    double first = 1;
    if (bent.size() > 0) {
      const double curvature = bent.dot(hessian * bent);
      if (curvature < 0 && -curvature > -gradient.dot(newton) / newton.squaredNorm()) {
        if (gradient.dot(bent) > 0) bent = -bent;
        newton = bent * std::max(newton.norm(), 1e-6);
        measures.push_back({"curvature", curvature});
      }
    }
    Eigen::Map<Eigen::VectorXd>(direction_.data(), size) = inverse.cwiseProduct(newton);
    LineSearchResult found = wolfe_search(evaluator, iterate, direction_, first, trial_);
    if (!found.decreased) {
      for (std::size_t i = 0; i < n; ++i) direction_[i] = -iterate.gradient[i];
      found = wolfe_search(evaluator, iterate, direction_,
                           std::min(1.0, 1 / norm(iterate.gradient)), trial_);
    }
    if (!found.decreased) return {.moved = false};
    measures.push_back({"step", found.step});
    const double length = found.step * norm(direction_);
    std::swap(iterate, trial_);
    return {.step_norm = length, .measures = std::move(measures)};
  }

  std::optional<StepReport> leave_saddle(Evaluator& evaluator, Iterate& iterate) override {
    return leave_along_negative_curvature(evaluator, iterate);
  }

  void archive(Archive&) override {}

 private:
  Vector direction_;
  Iterate trial_;
};

}  // namespace

KAPPA_METHOD(newton) {
  static const Method method{
      .info = {.name = "newton",
               .text = "Newton with modified Cholesky (Gill, Murray & Wright 1981), directions of "
                       "negative curvature and a Wolfe line search; dense Hessian",
               .uses_hessian = true,
               .max_dimension = 5000,
               .default_max_iterations = 2000},
      .start = start_walker<Newton>,
      .monotone = true};
  return method;
}

}  // namespace kappa
