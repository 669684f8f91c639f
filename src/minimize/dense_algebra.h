#pragma once

#include <Eigen/Core>
#include <optional>
#include <span>

namespace kappa {

// The dense factorisations that several methods share, instantiated in one place.

struct SymmetricEigen {
  Eigen::VectorXd values;  ///< ascending
  Eigen::MatrixXd vectors;
  bool converged = false;
};

/// All eigenpairs of a symmetric matrix; 9 n^3 flops.
SymmetricEigen symmetric_eigen(const Eigen::MatrixXd& matrix);

/// The same of a tridiagonal matrix; the last entry of `off_diagonal` may stand over and is
/// ignored.
SymmetricEigen tridiagonal_eigen(std::span<const double> diagonal,
                                 std::span<const double> off_diagonal);

/// A^-1 b where A is positive definite with an estimated reciprocal condition above min_rcond.
std::optional<Eigen::VectorXd> cholesky_solve(const Eigen::MatrixXd& a, const Eigen::VectorXd& b,
                                              double min_rcond = 0);

}  // namespace kappa
