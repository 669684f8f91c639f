#include "minimize/modified_cholesky.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace kappa {

ModifiedCholesky::ModifiedCholesky(const Eigen::MatrixXd& hessian)
    : factor_(hessian), pivots_(hessian.rows()), order_(hessian.rows()) {
  const Eigen::Index n = hessian.rows();
  constexpr double kEpsilon = std::numeric_limits<double>::epsilon();
  std::iota(order_.data(), order_.data() + n, 0);
  const double diagonal = hessian.diagonal().cwiseAbs().maxCoeff();
  double off = 0;
  for (Eigen::Index j = 0; j < n; ++j) {
    for (Eigen::Index i = j + 1; i < n; ++i) off = std::max(off, std::fabs(hessian(i, j)));
  }
  const double root = n > 1 ? std::sqrt(static_cast<double>(n * n) - 1) : 1;
  const double bound2 = std::max({diagonal, off / root, kEpsilon});  // beta^2
  const double floor = kEpsilon * std::max(diagonal + off, 1e-300);
  double most_lifted = 0;
  // Right-looking on the lower triangle: column j of factor_ holds the Schur complement's column.
  for (Eigen::Index j = 0; j < n; ++j) {
    Eigen::Index pivot = j;
    for (Eigen::Index i = j + 1; i < n; ++i) {
      if (std::fabs(factor_(i, i)) > std::fabs(factor_(pivot, pivot))) pivot = i;
    }
    if (pivot != j) {
      factor_.row(j).head(j).swap(factor_.row(pivot).head(j));
      std::swap(factor_(j, j), factor_(pivot, pivot));
      for (Eigen::Index k = j + 1; k < pivot; ++k) std::swap(factor_(k, j), factor_(pivot, k));
      for (Eigen::Index k = pivot + 1; k < n; ++k) std::swap(factor_(k, j), factor_(k, pivot));
      std::swap(order_(j), order_(pivot));
    }
    const double c = factor_(j, j);
    const Eigen::Index rest = n - j - 1;
    const double theta = rest > 0 ? factor_.col(j).tail(rest).cwiseAbs().maxCoeff() : 0;
    const double d = std::max({std::fabs(c), theta * theta / bound2, floor});
    pivots_(j) = d;
    correction_ = std::max(correction_, d - c);
    if (c < most_lifted) {
      most_lifted = c;
      lowest_ = j;
    }
    if (rest > 0) {
      const Eigen::VectorXd column = factor_.col(j).tail(rest);
      for (Eigen::Index k = 0; k < rest; ++k) {
        factor_.col(j + 1 + k).tail(rest - k) -= column(k) / d * column.tail(rest - k);
      }
      factor_.col(j).tail(rest) = column / d;
    }
  }
}

Eigen::VectorXd ModifiedCholesky::solve(const Eigen::VectorXd& b) const {
  const Eigen::Index n = b.size();
  Eigen::VectorXd x(n), result(n);
  for (Eigen::Index i = 0; i < n; ++i) x(i) = b(order_(i));
  factor_.triangularView<Eigen::UnitLower>().solveInPlace(x);
  x = x.cwiseQuotient(pivots_);
  factor_.triangularView<Eigen::UnitLower>().transpose().solveInPlace(x);
  for (Eigen::Index i = 0; i < n; ++i) result(order_(i)) = x(i);
  return result;
}

Eigen::VectorXd ModifiedCholesky::negative_direction() const {
  const Eigen::Index n = pivots_.size();
  Eigen::VectorXd x = Eigen::VectorXd::Unit(n, lowest_), result(n);
  factor_.triangularView<Eigen::UnitLower>().transpose().solveInPlace(x);
  for (Eigen::Index i = 0; i < n; ++i) result(order_(i)) = x(i);
  return result.normalized();
}

}  // namespace kappa
