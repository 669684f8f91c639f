#include <Eigen/QR>
#include <Eigen/SVD>
#include <cmath>
#include <limits>

#include "kappa/error.h"
#include "kappa/minimize.h"

namespace kappa {

using Eigen::Index;
using Eigen::MatrixXd;
using Eigen::VectorXd;

StandardErrors standard_errors(const Problem& problem, std::span<const double> w) {
  const Index m = problem.num_residuals(), n = problem.dimension();
  if (m == 0) {
    throw Error(ErrorKind::unsupported,
                "standard_errors: the objective is not a sum of squares of residuals");
  }
  if (static_cast<Index>(w.size()) != n) {
    throw Error(ErrorKind::shape, "standard_errors: the point has " + std::to_string(w.size()) +
                                      " entries, the problem " + std::to_string(n));
  }
  VectorXd residuals(m);
  Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor> rows(m, n);
  problem.residual_jacobian(w.data(), residuals.data(), rows.data());
  MatrixXd jacobian = rows;
  rows.resize(0, 0);
  VectorXd scale(n);
  for (Index j = 0; j < n; ++j) {
    const double length = jacobian.col(j).stableNorm();
    scale(j) = length > 0 ? length : 1;
    jacobian.col(j) /= scale(j);
  }
  // The QR factor keeps every digit of J; its SVD is cheap and tells rank and null space.
  const Eigen::ColPivHouseholderQR<MatrixXd> qr(jacobian);
  MatrixXd r = MatrixXd::Zero(n, n);
  const Index k = std::min(m, n);
  r.topRows(k) = qr.matrixR().topRows(k).triangularView<Eigen::Upper>();
  r = r * qr.colsPermutation().transpose();
  const Eigen::JacobiSVD<MatrixXd> svd(r, Eigen::ComputeFullV);
  const Eigen::JacobiSVD<MatrixXd> unscaled(r * scale.asDiagonal());
  const VectorXd& s = svd.singularValues();
  const double threshold =
      s(0) * std::numeric_limits<double>::epsilon() * static_cast<double>(std::max(m, n));

  StandardErrors result;
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const double infinity = std::numeric_limits<double>::infinity();
  result.rank = (s.array() > threshold).count();
  const double length = residuals.stableNorm();
  result.residual_sum_of_squares = length * length;
  result.degrees_of_freedom = m - result.rank;
  result.residual_standard_deviation =
      result.degrees_of_freedom > 0
          ? length / std::sqrt(static_cast<double>(result.degrees_of_freedom))
          : nan;
  const auto condition = [&](const VectorXd& values) {
    const double ratio = values(0) / values(n - 1);
    return result.rank == n ? ratio * ratio : infinity;
  };
  result.scaled_condition = condition(s);
  result.condition = condition(unscaled.singularValues());

  // A parameter that takes part in the null space of J is not determined by the data.
  const Index rank = result.rank;
  const VectorXd missing = svd.matrixV().rightCols(n - rank).rowwise().norm();
  const MatrixXd half = svd.matrixV().leftCols(rank) * s.head(rank).cwiseInverse().asDiagonal();
  MatrixXd covariance = half * half.transpose();
  result.standard_errors.resize(static_cast<std::size_t>(n));
  result.correlations.assign(static_cast<std::size_t>(n * n), nan);
  const auto determined = [&](Index i) { return n == rank || missing(i) < 1e-8; };
  for (Index i = 0; i < n; ++i) {
    const double deviation = std::sqrt(covariance(i, i));
    result.standard_errors[static_cast<std::size_t>(i)] =
        determined(i) ? result.residual_standard_deviation * deviation / scale(i) : nan;
    if (!determined(i)) {
      result.undetermined.push_back(problem.parameter_name(i));
      continue;
    }
    for (Index j = 0; j < n; ++j) {
      if (!determined(j)) continue;
      result.correlations[static_cast<std::size_t>(i * n + j)] =
          i == j ? 1 : covariance(i, j) / (deviation * std::sqrt(covariance(j, j)));
    }
  }
  return result;
}

}  // namespace kappa
