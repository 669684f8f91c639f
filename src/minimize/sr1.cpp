#include "minimize/dense_algebra.h"
#include "minimize/radius.h"
#include "minimize/secular.h"

namespace kappa {
namespace {

/// Symmetric rank-one updates of the dense Hessian model in a trust region (Nocedal & Wright 2006,
/// algorithm 6.2): the model may be indefinite, and rejected steps teach it too.
class SymmetricRankOne final : public Walker {
 public:
  explicit SymmetricRankOne(const Settings& settings) : radius_(settings.number("radius")) {}
  void warm_start(double step_norm) override {
    if (!(radius_ > 0)) radius_ = step_norm;
  }

  StepReport step(Evaluator& evaluator, Iterate& iterate) override {
    const std::size_t n = iterate.w.size();
    const auto size = static_cast<Eigen::Index>(n);
    trial_.w.resize(n);
    trial_.gradient.resize(n);
    if (!(radius_ > 0)) radius_ = std::max(1.0, 0.1 * norm(iterate.w));
    if (model_.empty()) {
      // |g| / radius as the first curvature: the first step then ends at the boundary.
      model_.assign(n * n, 0.0);
      for (std::size_t i = 0; i < n; ++i) model_[i * n + i] = norm(iterate.gradient) / radius_;
    }
    const Eigen::Map<const Eigen::VectorXd> gradient(iterate.gradient.data(), size);
    for (int tries = 0; tries < 60; ++tries) {
      Eigen::Map<Eigen::MatrixXd> model(model_.data(), size, size);
      SymmetricEigen eigen;
      {
        const Evaluator::Factorization timing(evaluator);
        eigen = symmetric_eigen(model);
      }
      const TrustRegionStep best =
          solve_trust_region(eigen.values, eigen.vectors.transpose() * gradient, radius_);
      const Eigen::VectorXd s = eigen.vectors * best.y;
      add_scaled(iterate.w, 1, {s.data(), n}, trial_.w);
      const double length = s.norm();
      const Judgement judged =
          judge_trial(evaluator, iterate, trial_, best.decrease, length, radius_);
      if (!judged.accepted && !judged.hopeless && std::isfinite(trial_.value)) {
        evaluator.gradient(trial_.w.data(), trial_.gradient.data());
      }
      if (judged.hopeless) {
        if (fresh_) break;
        model_.clear();  // the model misleads: once more from a multiple of the identity
        fresh_ = true;
        radius_ = std::max(1e-3 * length, 1e-12);
        return step(evaluator, iterate);
      }
      if (all_finite(trial_.gradient) && std::isfinite(trial_.value)) {
        const Eigen::Map<const Eigen::VectorXd> after(trial_.gradient.data(), size);
        const Eigen::VectorXd rest = after - gradient - model * s;
        const double product = rest.dot(s);
        // (6.26): skipped where the denominator is too small to mean anything.
        // A rejected trial may lie where f is astronomical: what is learnt there is no use here.
        const bool near = rest.norm() <= 1e4 * gradient.norm();
        if (near && std::fabs(product) >= 1e-8 * length * rest.norm()) {
          model += rest * rest.transpose() / product;
        }
      }
      if (judged.accepted) {
        fresh_ = false;
        std::swap(iterate, trial_);
        return {.step_norm = length,
                .measures = {{"radius", radius_}, {"ratio", judged.ratio}, {"shift", best.shift}}};
      }
    }
    return {.moved = false};
  }

  void archive(Archive& archive) override { archive(radius_, model_, fresh_); }

 private:
  double radius_;
  bool fresh_ = true;
  Vector model_;
  Iterate trial_;
};

}  // namespace

KAPPA_METHOD(sr1) {
  static const Method method{
      .info = {.name = "sr1",
               .text = "symmetric rank-one updates in a trust region; the model may be indefinite",
               .max_dimension = 2000,
               .options = {{.name = "radius",
                            .text = "first radius (0: max(1, |w|/10))",
                            .default_value = 0,
                            .lower = 0}}},
      .start = start_walker<SymmetricRankOne>,
      .monotone = true};
  return method;
}

}  // namespace kappa
