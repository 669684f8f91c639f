#pragma once

#include <Eigen/Core>

#include "minimize/method.h"

namespace kappa {

/// Residuals, Jacobian and a factorisation of it at one point, in variables scaled by D (so that
/// J D^-1 has columns of similar length): J D^-1 = U diag(singular) V' on its range.
struct LeastSquaresModel {
  Eigen::VectorXd residuals;
  Eigen::VectorXd singular;  ///< descending
  Eigen::MatrixXd v;
  Eigen::VectorXd c;         ///< U' r
  Eigen::VectorXd gradient;  ///< J' r (of the unscaled variables, without the factor 2 scale)
  double residual_norm = 0;
  Eigen::Index rank = 0;
  double offset = 0;  ///< |P_J r| / |r|
  bool finite = false;

  /// Fills everything at w; D grows to the column norms of J where those are longer (More 1978).
  void linearize(Evaluator& evaluator, const Vector& w, Vector& scale);

  /// The Gauss-Newton step of least norm, in scaled variables.
  [[nodiscard]] Eigen::VectorXd gauss_newton_step() const;
};

/// |r|^2 at w; infinite where a residual is not finite.
double sum_of_squares(Evaluator& evaluator, const Vector& w, Eigen::VectorXd& residuals);

/// |D w|
double scaled_norm(const Vector& scale, const Vector& w);

/// How small |P_J r| / |r| must be: while the method still makes progress, and once it does not.
inline constexpr double kOffsetTolerance = 1e-11;
inline constexpr double kStalledOffsetTolerance = 1e-6;

/// |r|^2 is taken to be known to this share: residuals y - model lose what |y| / |r| is worth.
/// Below it the offset tells whether a step gained.
inline constexpr double kResidualRounding = 1e-11;
/// A predicted decrease of |r|^2 below this share says nothing at all.
inline constexpr double kMinDecrease = 1e-15;
/// By this the offset must fall there, or the step is shortened, so many times at most.
inline constexpr double kOffsetGain = 0.98;
inline constexpr int kMaxPolishes = 8;

/// The Gauss-Newton equivalent of the gradient criterion; see StopReason::criterion.
std::optional<StepReport::Criterion> offset_criterion(const LeastSquaresModel& model, bool stalled);

}  // namespace kappa
