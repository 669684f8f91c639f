#pragma once

#include "minimize/method.h"

namespace kappa {

/// What conjugate gradients made of the model g's + s'Hs/2.
struct TruncatedStep {
  Vector step;
  double decrease = 0;       ///< of the model
  double lowest = INFINITY;  ///< smallest curvature d'Hd / d'd met
  bool convex = true;        ///< no negative curvature met
  bool crossed = false;      ///< the boundary was crossed, in boundary_step
  Vector boundary_step;
  double boundary_decrease = 0;
  std::int64_t products = 0;
};

/// Conjugate gradients on H s = -g (Steihaug 1983, Toint 1981) until the residual is at most
/// `residual`, negative curvature is met, or the step leaves |s| <= radius; going `through`, only
/// the first two end it. The norm of the iterates grows (Steihaug 1983, theorem 2.1), so one pass
/// yields both the boundary step and the step without a boundary. Memory: 5 n, which is kept for
/// the next solve. An iteration moves ten vectors of n beside the product.
class TruncatedConjugateGradients {
 public:
  /// The result is valid until the next call.
  const TruncatedStep& solve(const Evaluator::Curvature& curvature,
                             std::span<const double> gradient, double residual, double radius,
                             bool through, std::int64_t max_products);

 private:
  void cross(double radius, double square, double bend);

  TruncatedStep model_;
  Vector rest_, direction_, product_;
};

}  // namespace kappa
