#include <algorithm>

#include "minimize/dense_algebra.h"
#include "minimize/radius.h"
#include "minimize/saddle.h"
#include "minimize/secular.h"

namespace kappa {
namespace {

using Eigen::MatrixXd;
using Eigen::VectorXd;

// First radius in units of |D w|. Tuned on the 42 instances of More, Garbow & Hillstrom: 0.05 to
// 0.1 leads to a published minimum on all of them, 1 runs away to infinity on one (Biggs EXP6).
constexpr double kFirstRadius = 0.1;

/// Newton's method in a trust region |D s| <= radius, the subproblem solved exactly.
///
/// D = diag(sqrt|H_ii|), remembered with decay, makes the method nearly independent of the units of
/// the parameters. Cost of an iteration: one dense Hessian, a Cholesky factorisation, and one
/// eigendecomposition where H is indefinite or the Newton step too long.
class TrustRegionNewton final : public Walker {
 public:
  explicit TrustRegionNewton(const Settings& settings)
      : radius_(settings.number("radius")), scaled_(settings.choice("scaling") == "yes") {}

  void warm_start(double step_norm) override { hint_ = step_norm; }

  StepReport step(Evaluator& evaluator, Iterate& iterate) override {
    const Eigen::Index n = evaluator.dimension();
    MatrixXd hessian(n, n);
    evaluator.hessian(iterate.w.data(), hessian.data());
    if (!hessian.allFinite()) return {.moved = false};
    update_scale(hessian);
    const VectorXd inverse = Eigen::Map<const VectorXd>(scale_.data(), n).cwiseInverse();
    hessian = inverse.asDiagonal() * hessian * inverse.asDiagonal();
    const VectorXd gradient =
        inverse.cwiseProduct(Eigen::Map<const VectorXd>(iterate.gradient.data(), n));
    if (!(radius_ > 0)) start_radius(iterate, gradient);

    std::optional<VectorXd> newton;
    {
      const Evaluator::Factorization timing(evaluator);
      newton = cholesky_solve(hessian, -gradient, 1e-14);
    }
    SymmetricEigen eigen;
    trial_.w.resize(iterate.w.size());
    trial_.gradient.resize(iterate.w.size());
    for (int tries = 0; tries < 100; ++tries) {
      VectorXd y;
      double decrease = 0, shift = 0;
      if (newton && newton->norm() <= radius_) {
        y = *newton;
        decrease = -0.5 * gradient.dot(y);
      } else {
        if (!eigen.converged) {
          const Evaluator::Factorization timing(evaluator);
          eigen = symmetric_eigen(hessian);
          if (!eigen.converged) return {.moved = false};
        }
        const TrustRegionStep best =
            solve_trust_region(eigen.values, eigen.vectors.transpose() * gradient, radius_);
        y = eigen.vectors * best.y;
        decrease = best.decrease;
        shift = best.shift;
      }
      const double length = y.norm();
      const VectorXd s = inverse.cwiseProduct(y);
      add_scaled(iterate.w, 1, {s.data(), iterate.w.size()}, trial_.w);
      const Judgement judged =
          judge_trial(evaluator, iterate, trial_, decrease, length, radius_, scale_);
      if (judged.accepted) {
        const double taken = distance(trial_.w, iterate.w);
        std::swap(iterate, trial_);
        return {.step_norm = taken,
                .measures = {{"radius", radius_}, {"ratio", judged.ratio}, {"shift", shift}}};
      }
      if (judged.hopeless) break;
    }
    return {.moved = false};
  }

  std::optional<StepReport> leave_saddle(Evaluator& evaluator, Iterate& iterate) override {
    return leave_along_negative_curvature(evaluator, iterate);
  }

  void archive(Archive& archive) override { archive(radius_, scale_, hint_); }

 private:
  void update_scale(const MatrixXd& hessian) {
    scale_.resize(static_cast<std::size_t>(hessian.rows()), 0.0);
    const double largest = std::sqrt(hessian.diagonal().cwiseAbs().maxCoeff());
    for (std::size_t i = 0; i < scale_.size(); ++i) {
      const double d =
          std::sqrt(std::fabs(hessian(static_cast<Eigen::Index>(i), static_cast<Eigen::Index>(i))));
      // No diagonal says less than 1e-8 of the largest: a parameter of no effect must stay put.
      scale_[i] = scaled_ ? std::max({0.6 * scale_[i], d, 1e-8 * largest}) : 1;
      if (scale_[i] == 0) scale_[i] = 1;
    }
  }

  void start_radius(const Iterate& iterate, const VectorXd& gradient) {
    double square = 0;
    for (std::size_t i = 0; i < scale_.size(); ++i) {
      square += scale_[i] * iterate.w[i] * scale_[i] * iterate.w[i];
    }
    radius_ = hint_ > 0 ? hint_ * norm(scale_) / std::sqrt(static_cast<double>(scale_.size()))
                        : kFirstRadius * std::sqrt(square);
    if (!(radius_ > 0)) radius_ = std::max(gradient.norm(), 1e-3);
  }

  double radius_, hint_ = 0;
  bool scaled_;
  Vector scale_;
  Iterate trial_;
};

}  // namespace

KAPPA_METHOD(trust_region) {
  static const Method method{
      .info = {.name = "trust-region",
               .text =
                   "Newton's method in a trust region, subproblem exact (More & Sorensen 1983); "
                   "dense Hessian",
               .uses_hessian = true,
               .max_dimension = 5000,
               .default_max_iterations = 2000,
               .options = {{.name = "radius",
                            .text = "first radius, in units of the scaling (0: |D w| / 10)",
                            .default_value = 0,
                            .lower = 0},
                           {.name = "scaling",
                            .text = "measure steps in units of sqrt|H_ii|",
                            .choices = {"yes", "no"}}}},
      .start = start_walker<TrustRegionNewton>,
      .monotone = true};
  return method;
}

}  // namespace kappa
