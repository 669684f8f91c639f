#include <algorithm>

#include "minimize/residual_region.h"

namespace kappa {
namespace {

/// Powell's dogleg (1970): along the steepest descent to its minimiser, then towards the
/// Gauss-Newton step, as far as |D s| <= radius allows.
class Dogleg final : public ResidualRegion {
 public:
  using ResidualRegion::ResidualRegion;

 private:
  void prepare(const LeastSquaresModel& model) override {
    newton_ = model.gauss_newton_step();
    // In the basis V: gradient s c, and |J V z|^2 = |s z|^2.
    const Eigen::VectorXd down = -model.singular.cwiseProduct(model.c);
    const double bend = model.singular.cwiseProduct(down).squaredNorm();
    cauchy_ = model.v * down * (bend > 0 ? down.squaredNorm() / bend : 0);
  }

  Proposal propose(const LeastSquaresModel& model, double radius) override {
    Proposal proposal{path(radius)};
    const Eigen::VectorXd z = model.singular.cwiseProduct(model.v.transpose() * proposal.y);
    proposal.predicted = -(2 * model.c.dot(z) + z.squaredNorm());
    return proposal;
  }

  double next_radius(double radius, const Proposal&, const Outcome& outcome) override {
    if (!outcome.accepted) return 0.25 * std::min(outcome.length, radius);
    if (outcome.ratio < 0.25) return 0.5 * outcome.length;
    return outcome.ratio > 0.75 ? std::max(radius, 3 * outcome.length) : radius;
  }

  [[nodiscard]] Eigen::VectorXd path(double radius) const {
    if (newton_.norm() <= radius) return newton_;
    const double first = cauchy_.norm();
    if (first >= radius) return cauchy_ * (radius / first);
    // |cauchy + t (newton - cauchy)| = radius
    const Eigen::VectorXd d = newton_ - cauchy_;
    const double a = d.squaredNorm(), b = cauchy_.dot(d), c = first * first - radius * radius;
    const double root = std::sqrt(std::max(b * b - a * c, 0.0));
    const double t = b > 0 ? -c / (b + root) : (root - b) / a;
    return cauchy_ + std::min(t, 1.0) * d;
  }

  Eigen::VectorXd cauchy_, newton_;  // of the point that was prepared
};

}  // namespace

KAPPA_METHOD(dogleg) {
  static const Method method{
      .info = {.name = "dogleg",
               .text = "Powell's dogleg between steepest descent and Gauss-Newton, for sums of "
                       "squares",
               .needs_residuals = true,
               .max_dimension = 5000,
               .default_max_iterations = 5000,
               .options = {radius_factor_option()}},
      .start = start_walker<Dogleg>,
      .monotone = true,
      .own_criterion = true};
  return method;
}

}  // namespace kappa
