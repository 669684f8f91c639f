#include "minimize/least_squares.h"

#include <Eigen/QR>
#include <Eigen/SVD>
#include <limits>

namespace kappa {

void LeastSquaresModel::linearize(Evaluator& evaluator, const Vector& w, Vector& scale) {
  const Eigen::Index m = evaluator.problem().num_residuals(), n = evaluator.dimension();
  residuals.resize(m);
  Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor> rows(m, n);
  evaluator.jacobian(w.data(), residuals.data(), rows.data());
  finite = rows.allFinite() && residuals.allFinite();
  if (!finite) return;
  Eigen::MatrixXd jacobian = rows;
  rows.resize(0, 0);
  gradient = jacobian.transpose() * residuals;
  residual_norm = residuals.stableNorm();

  scale.resize(w.size(), 0.0);
  for (Eigen::Index j = 0; j < n; ++j) {
    double& d = scale[static_cast<std::size_t>(j)];
    d = std::max(d, jacobian.col(j).stableNorm());
    jacobian.col(j) /= d > 0 ? d : 1;
  }
  const Evaluator::Factorization timing(evaluator);
  // QR first: the singular values of a tall J are those of its small R, to the same accuracy.
  const Eigen::ColPivHouseholderQR<Eigen::MatrixXd> qr(jacobian);
  const Eigen::Index k = std::min(m, n);
  const Eigen::VectorXd q = (qr.householderQ().transpose() * residuals).head(k);
  Eigen::MatrixXd r = qr.matrixR().topRows(k).triangularView<Eigen::Upper>();
  r = r * qr.colsPermutation().transpose();
  const auto take = [&](const auto& svd) {
    singular = svd.singularValues();
    v = svd.matrixV();
    c = svd.matrixU().transpose() * q;
  };
  if (n <= 64) {
    take(Eigen::JacobiSVD<Eigen::MatrixXd>(r, Eigen::ComputeThinU | Eigen::ComputeThinV));
  } else {
    take(Eigen::BDCSVD<Eigen::MatrixXd>(r, Eigen::ComputeThinU | Eigen::ComputeThinV));
  }
  const double threshold = std::numeric_limits<double>::epsilon() * static_cast<double>(n) *
                           (singular.size() > 0 ? singular(0) : 0);
  rank = (singular.array() > threshold).count();
  offset = residual_norm > 0 ? c.head(rank).norm() / residual_norm : 0;
}

Eigen::VectorXd LeastSquaresModel::gauss_newton_step() const {
  return -(v.leftCols(rank) * c.head(rank).cwiseQuotient(singular.head(rank)));
}

double sum_of_squares(Evaluator& evaluator, const Vector& w, Eigen::VectorXd& residuals) {
  residuals.resize(evaluator.problem().num_residuals());
  evaluator.residuals(w.data(), residuals.data());
  const double length = residuals.stableNorm();
  return residuals.allFinite() ? length * length : INFINITY;
}

double scaled_norm(const Vector& scale, const Vector& w) {
  double sum = 0;
  for (std::size_t i = 0; i < w.size(); ++i) sum += scale[i] * w[i] * scale[i] * w[i];
  return std::sqrt(sum);
}

std::optional<StepReport::Criterion> offset_criterion(const LeastSquaresModel& model,
                                                      bool stalled) {
  return StepReport::Criterion{"relative_offset", model.offset,
                               stalled ? kStalledOffsetTolerance : kOffsetTolerance};
}

}  // namespace kappa
