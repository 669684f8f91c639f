#include <fmt/format.h>

#include <utility>

#include "curvature/tall.h"
#include "kappa/curvature.h"
#include "kappa/error.h"

namespace kappa {

DenseOperator::DenseOperator(std::int64_t n, std::vector<double> matrix)
    : n_(n), matrix_(std::move(matrix)) {
  if (n < 0 || static_cast<std::int64_t>(matrix_.size()) != n * n) {
    throw Error(
        ErrorKind::shape,
        fmt::format("DenseOperator: {} entries given for a {} x {} matrix", matrix_.size(), n, n));
  }
  for (std::int64_t i = 0; i < n; ++i) {
    for (std::int64_t j = 0; j < i; ++j) {
      double& upper = matrix_[static_cast<std::size_t>(i * n + j)];
      double& lower = matrix_[static_cast<std::size_t>(j * n + i)];
      upper = lower = upper == lower ? upper : upper / 2 + lower / 2;
    }
  }
}

void DenseOperator::apply(std::int64_t num_directions, const double* directions,
                          double* products) const {
  tall_gram(n_, n_, matrix_.data(), num_directions, directions, products, n_);
}

void AffineOperator::apply(std::int64_t num_directions, const double* directions,
                           double* products) const {
  a_.apply(num_directions, directions, products);
  const std::int64_t size = num_directions * dimension();
  for (std::int64_t i = 0; i < size; ++i) {
    products[i] = scale_ * products[i] + shift_ * directions[i];
  }
}

SumOperator::SumOperator(const SymmetricOperator& a, const SymmetricOperator& b) : a_(a), b_(b) {
  if (a.dimension() != b.dimension()) {
    throw Error(ErrorKind::shape, fmt::format("SumOperator: the parts have dimensions {} and {}",
                                              a.dimension(), b.dimension()));
  }
}

void SumOperator::apply(std::int64_t num_directions, const double* directions,
                        double* products) const {
  a_.apply(num_directions, directions, products);
  std::vector<double> more(static_cast<std::size_t>(num_directions * dimension()));
  b_.apply(num_directions, directions, more.data());
  for (std::size_t i = 0; i < more.size(); ++i) products[i] += more[i];
}

DeflatedOperator::DeflatedOperator(const SymmetricOperator& a, std::vector<double> q)
    : a_(a), q_(std::move(q)) {
  if (a.dimension() == 0 || static_cast<std::int64_t>(q_.size()) % a.dimension() != 0) {
    throw Error(ErrorKind::shape,
                fmt::format("DeflatedOperator: {} entries are no whole vectors of length {}",
                            q_.size(), a.dimension()));
  }
}

void DeflatedOperator::apply(std::int64_t num_directions, const double* directions,
                             double* products) const {
  const std::int64_t n = dimension(), k = static_cast<std::int64_t>(q_.size()) / n;
  std::vector<double> projected(directions, directions + num_directions * n);
  std::vector<double> c(static_cast<std::size_t>(k * num_directions));
  auto project = [&](double* x) {
    if (k == 0) return;
    tall_gram(n, k, q_.data(), num_directions, x, c.data(), k);
    tall_subtract(n, k, q_.data(), num_directions, c.data(), k, x);
  };
  project(projected.data());
  a_.apply(num_directions, projected.data(), products);
  project(products);
}

}  // namespace kappa
