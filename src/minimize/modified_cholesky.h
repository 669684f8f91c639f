#pragma once

#include <Eigen/Core>

namespace kappa {

/// L D L' = P' (H + E) P with E >= 0 diagonal, zero where H is safely positive definite (Gill,
/// Murray & Wright 1981, section 4.4.2.2, with symmetric pivoting).
class ModifiedCholesky {
 public:
  explicit ModifiedCholesky(const Eigen::MatrixXd& hessian);

  /// (H + E)^-1 b
  [[nodiscard]] Eigen::VectorXd solve(const Eigen::VectorXd& b) const;
  /// max E_ii
  [[nodiscard]] double largest_correction() const { return correction_; }
  /// A unit direction d, hopefully d'Hd < 0: L' d = e_s for the pivot that was lifted most.
  [[nodiscard]] Eigen::VectorXd negative_direction() const;

 private:
  Eigen::MatrixXd factor_;  // unit lower triangle
  Eigen::VectorXd pivots_;
  Eigen::VectorXi order_;
  Eigen::Index lowest_ = 0;
  double correction_ = 0;
};

}  // namespace kappa
