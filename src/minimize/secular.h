#pragma once

#include <Eigen/Core>

namespace kappa {

/// Minimiser of the model m(y) = c'y + y' diag(lambda) y / 2 over |y| <= radius, in the basis of
/// eigenvectors.
struct TrustRegionStep {
  Eigen::VectorXd y;
  double shift = 0;     ///< s >= 0 with (lambda_i + s) y_i = -c_i
  double decrease = 0;  ///< -m(y) >= 0
  bool on_boundary = false;
};

/// Exact, the hard case included (More & Sorensen 1983): s solves |y(s)| = radius by Newton on
/// 1/|y(s)| with bisection as the safeguard; where c has nothing in the eigenspace of a lowest
/// lambda < 0, that eigenvector completes the step to the boundary. Cost: O(n) an iteration.
/// A lambda within rounding of 0 with c nothing along it takes no step there.
TrustRegionStep solve_trust_region(const Eigen::VectorXd& lambda, const Eigen::VectorXd& c,
                                   double radius);

/// Minimiser of c'y + y' diag(lambda) y / 2 + sigma |y|^3 / 3, exact (Cartis, Gould & Toint 2011,
/// section 6.1: s = sigma |y|).
TrustRegionStep solve_cubic(const Eigen::VectorXd& lambda, const Eigen::VectorXd& c, double sigma);

}  // namespace kappa
