#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <random>
#include <utility>
#include <vector>

#include "kappa/operator.h"

namespace kappa::testing {

/// Q diag(lambda) Q' with Q a product of three Householder reflections (or none): a full matrix
/// whose spectrum is known exactly and whose products cost O(n).
class KnownOperator : public SymmetricOperator {
 public:
  explicit KnownOperator(std::vector<double> lambda, bool rotate = true)
      : lambda_(std::move(lambda)) {
    std::mt19937_64 engine(99);
    std::normal_distribution<double> normal;
    for (int r = 0; rotate && r < 3; ++r) {
      std::vector<double> u(lambda_.size());
      double squares = 0;
      for (double& x : u) {
        x = normal(engine);
        squares += x * x;
      }
      for (double& x : u) x /= std::sqrt(squares);
      reflections_.push_back(u);
    }
  }

  [[nodiscard]] std::int64_t dimension() const override {
    return static_cast<std::int64_t>(lambda_.size());
  }

  void apply(std::int64_t k, const double* directions, double* products) const override {
    num_products += k;
    const std::size_t n = lambda_.size();
    for (std::int64_t j = 0; j < k; ++j) {
      const double* x = directions + j * dimension();
      double* y = products + j * dimension();
      std::copy_n(x, n, y);
      for (auto u = reflections_.rbegin(); u != reflections_.rend(); ++u) reflect(*u, y);
      for (std::size_t i = 0; i < n; ++i) y[i] *= lambda_[i];
      for (const auto& u : reflections_) reflect(u, y);
      if (single_precision) {
        for (std::size_t i = 0; i < n; ++i) y[i] = static_cast<double>(static_cast<float>(y[i]));
      }
      if (num_products >= fail_from) y[n / 2] = std::nan("");
    }
  }

  /// Column i of Q, the unit eigenvector of lambda[i].
  [[nodiscard]] std::vector<double> eigenvector(std::size_t i) const {
    std::vector<double> x(lambda_.size(), 0.0);
    x[i] = 1;
    for (const auto& u : reflections_) reflect(u, x.data());
    return x;
  }

  [[nodiscard]] std::vector<double> descending() const {
    std::vector<double> sorted = lambda_;
    std::sort(sorted.rbegin(), sorted.rend());
    return sorted;
  }

  mutable std::int64_t num_products = 0;
  bool single_precision = false;                   ///< rounds every product to float
  std::int64_t fail_from = std::int64_t{1} << 60;  ///< NaN from this product on

 private:
  static void reflect(const std::vector<double>& u, double* x) {
    double dot = 0;
    for (std::size_t i = 0; i < u.size(); ++i) dot += u[i] * x[i];
    for (std::size_t i = 0; i < u.size(); ++i) x[i] -= 2 * dot * u[i];
  }
  std::vector<double> lambda_;
  std::vector<std::vector<double>> reflections_;
};

/// Ten outliers, a bulk that decays to zero, a short negative tail: a network's Hessian.
inline std::vector<double> network_spectrum(std::size_t n) {
  std::vector<double> lambda;
  for (int i = 0; i < 10; ++i) lambda.push_back(10 * std::pow(0.05, i / 9.0));
  const std::size_t tail = n / 20;
  for (std::size_t i = 0; lambda.size() + tail < n; ++i) {
    lambda.push_back(0.4 * std::exp(-12.0 * static_cast<double>(i) / static_cast<double>(n)));
  }
  for (std::size_t i = 0; i < tail; ++i) {
    lambda.push_back(-0.15 * std::exp(-5.0 * static_cast<double>(i) / static_cast<double>(tail)));
  }
  return lambda;
}

inline std::vector<double> repeat(std::vector<std::pair<double, int>> values) {
  std::vector<double> lambda;
  for (const auto& [value, count] : values)
    lambda.insert(lambda.end(), static_cast<std::size_t>(count), value);
  return lambda;
}

inline std::vector<double> linspace(double first, double last, std::size_t n) {
  std::vector<double> x(n);
  for (std::size_t i = 0; i < n; ++i) {
    x[i] = first + (last - first) * static_cast<double>(i) /
                       static_cast<double>(std::max<std::size_t>(n - 1, 1));
  }
  return x;
}

inline double dot(const std::vector<double>& x, const std::vector<double>& y) {
  double sum = 0;
  for (std::size_t i = 0; i < x.size(); ++i) sum += x[i] * y[i];
  return sum;
}

}  // namespace kappa::testing
