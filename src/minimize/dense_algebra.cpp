#include "minimize/dense_algebra.h"

#include <Eigen/Cholesky>
#include <Eigen/Eigenvalues>

namespace kappa {

SymmetricEigen symmetric_eigen(const Eigen::MatrixXd& matrix) {
  const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> eigen(matrix);
  return {eigen.eigenvalues(), eigen.eigenvectors(), eigen.info() == Eigen::Success};
}

SymmetricEigen tridiagonal_eigen(std::span<const double> diagonal,
                                 std::span<const double> off_diagonal) {
  const auto n = static_cast<Eigen::Index>(diagonal.size());
  Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> eigen;
  eigen.computeFromTridiagonal(Eigen::Map<const Eigen::VectorXd>(diagonal.data(), n),
                               Eigen::Map<const Eigen::VectorXd>(off_diagonal.data(), n - 1));
  return {eigen.eigenvalues(), eigen.eigenvectors(), eigen.info() == Eigen::Success};
}

std::optional<Eigen::VectorXd> cholesky_solve(const Eigen::MatrixXd& a, const Eigen::VectorXd& b,
                                              double min_rcond) {
  const Eigen::LLT<Eigen::MatrixXd> cholesky(a);
  if (cholesky.info() != Eigen::Success) return {};
  if (min_rcond > 0 && !(cholesky.rcond() > min_rcond)) return {};
  return cholesky.solve(b);
}

}  // namespace kappa
