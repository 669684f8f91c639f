#include "kappa/problem.h"

#include <algorithm>
#include <vector>

#include "kappa/error.h"

namespace kappa {

std::string Problem::parameter_name(std::int64_t index) const {
  return "w[" + std::to_string(index) + "]";
}

void Problem::hessian(const double* w, double* hessian) const {
  const std::int64_t n = dimension();
  const auto linearization = linearize(w);
  const std::int64_t block = std::min<std::int64_t>(n, 32);
  std::vector<double> unit(static_cast<std::size_t>(n * block));
  for (std::int64_t first = 0; first < n; first += block) {
    const std::int64_t k = std::min(block, n - first);
    std::fill(unit.begin(), unit.end(), 0.0);
    for (std::int64_t j = 0; j < k; ++j) unit[static_cast<std::size_t>(j * n + first + j)] = 1.0;
    linearization->hessian_product(k, unit.data(), hessian + first * n);
  }
}

void Problem::residuals(const double*, double*) const {
  throw Error(ErrorKind::unsupported, "residuals: the objective is not a sum of squares");
}

void Problem::residual_jacobian(const double*, double*, double*) const {
  throw Error(ErrorKind::unsupported, "residual_jacobian: the objective is not a sum of squares");
}

}  // namespace kappa
