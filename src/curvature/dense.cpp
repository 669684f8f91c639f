#include <fmt/format.h>

#include <Eigen/Dense>
#include <algorithm>
#include <limits>

#include "curvature/checks.h"
#include "kappa/curvature.h"

namespace kappa {
namespace {

Spectrum decompose(const Eigen::MatrixXd& matrix, std::int64_t num_products) {
  const Eigen::Index n = matrix.rows();
  Spectrum s;
  s.num_products = num_products;
  if (!matrix.allFinite()) {
    s.status = CurvatureStatus::non_finite;
    return s;
  }
  s.asymmetry = (matrix - matrix.transpose()).norm() / 2;
  const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver((matrix + matrix.transpose()) / 2);
  if (solver.info() != Eigen::Success) {
    s.status = CurvatureStatus::stagnated;
    return s;
  }
  s.values.assign(solver.eigenvalues().begin(), solver.eigenvalues().end());
  s.vectors.assign(solver.eigenvectors().data(), solver.eigenvectors().data() + n * n);
  const double norm = std::max(std::fabs(s.values.front()), std::fabs(s.values.back()));
  s.error_bound =
      static_cast<double>(n) * std::numeric_limits<double>::epsilon() * norm + s.asymmetry;
  for (const double value : s.values) {
    if (std::fabs(value) <= s.error_bound) {
      ++s.inertia.zero;
    } else {
      ++(value > 0 ? s.inertia.positive : s.inertia.negative);
    }
  }
  return s;
}

}  // namespace

Spectrum dense_spectrum(const SymmetricOperator& a, std::int64_t max_dimension,
                        const ProgressCallback& progress) {
  require_dimension("dense_spectrum", a);
  const std::int64_t n = a.dimension();
  if (n > max_dimension) {
    throw Error(
        ErrorKind::resource,
        fmt::format("dense_spectrum: dimension {} exceeds the limit of {} ({:.1f} GB); "
                    "lanczos finds the extreme eigenvalues",
                    n, max_dimension, 24e-9 * static_cast<double>(n) * static_cast<double>(n)));
  }
  constexpr std::int64_t block = 32;
  Eigen::MatrixXd matrix(n, n);
  for (std::int64_t first = 0; first < n; first += block) {
    const std::int64_t k = std::min(block, n - first);
    Eigen::MatrixXd unit = Eigen::MatrixXd::Zero(n, k);
    for (std::int64_t j = 0; j < k; ++j) unit(first + j, j) = 1;
    a.apply(k, unit.data(), matrix.data() + first * n);
    if (progress && !progress({"dense Hessian", first + k, n, ""})) {
      Spectrum s;
      s.status = CurvatureStatus::stopped;
      s.num_products = first + k;
      return s;
    }
  }
  return decompose(matrix, n);
}

Spectrum dense_spectrum(std::int64_t n, std::span<const double> matrix) {
  require("dense_spectrum", n >= 1, "the matrix is empty");
  require_length("dense_spectrum", "the matrix", matrix.size(), n * n);
  return decompose(Eigen::Map<const Eigen::MatrixXd>(matrix.data(), n, n), 0);
}

}  // namespace kappa
