#pragma once

#include <cmath>
#include <fstream>
#include <numbers>
#include <string>
#include <vector>

#include "kappa/function.h"

// The Gaussian mixture objective of ADBench (Srajer, Kukelova, Fitzgibbon, A benchmark of selected
// algorithmic differentiation tools, Optimization Methods and Software 33, 2018, section 4.1):
//
//     F = -N D/2 log 2π + Σ_i logsumexp_k(α_k + Σ_j q_kj - |Q_k (x_i - μ_k)|²/2) - N logsumexp(α)
//         + Σ_k [γ²/2 (|exp q_k|² + |l_k|²) - m Σ q_k] - K C(γ, m, D),
//
// Q_k lower triangular with exp(q_k) on its diagonal and l_k, column by column, below it.
// Variables: α (K), μ (K, D), (q, l) (K, D + D(D - 1)/2), one behind the other.
namespace gmm {

struct Problem {
  std::int64_t D = 0, K = 0, N = 0;
  std::vector<double> parameters;
  std::vector<double> points;  ///< N x D
  double gamma = 0;
  int m = 0;
  [[nodiscard]] std::int64_t num_lower() const { return D * (D - 1) / 2; }
  [[nodiscard]] std::int64_t num_parameters() const {
    return static_cast<std::int64_t>(parameters.size());
  }
};

inline Problem read(const std::string& path) {
  std::ifstream file(path);
  Problem p;
  file >> p.D >> p.K >> p.N;
  p.parameters.resize(static_cast<std::size_t>(p.K * (1 + 2 * p.D + p.num_lower())));
  for (double& value : p.parameters) file >> value;
  p.points.resize(static_cast<std::size_t>(p.N * p.D));
  for (double& value : p.points) file >> value;
  file >> p.gamma >> p.m;
  return p;
}

/// What does not depend on the variables.
inline double constant_part(const Problem& p) {
  const double d = static_cast<double>(p.D), n = d + p.m + 1;
  double log_gamma = d * (d - 1) / 4 * std::log(std::numbers::pi);
  for (std::int64_t j = 1; j <= p.D; ++j) {
    log_gamma += std::lgamma(n / 2 + (1 - static_cast<double>(j)) / 2);
  }
  const double c = n * d * (std::log(p.gamma) - 0.5 * std::log(2.0)) - log_gamma;
  return -static_cast<double>(p.N) * d / 2 * std::log(2 * std::numbers::pi) -
         static_cast<double>(p.K) * c;
}

/// Place of Q(i, j) among (q, l, 0).
inline std::int64_t factor_place(const Problem& p, std::int64_t i, std::int64_t j) {
  if (i == j) return i;
  if (i < j) return p.D + p.num_lower();
  return p.D + j * (2 * p.D - j - 1) / 2 + (i - j - 1);
}

/// Written with arrays.
inline kappa::Function traced(const Problem& p) {
  using namespace kappa;
  const std::int64_t D = p.D, K = p.K, N = p.N, L = p.num_lower();
  return trace(
      [&](const Array& alpha, const Array& mu, const Array& icf) {
        const Array q = slice(icf, {0, 0}, {K, D}), l = slice(icf, {0, D}, {K, D + L});
        std::vector<double> places;
        for (std::int64_t i = 0; i < D; ++i) {
          for (std::int64_t j = 0; j < D; ++j) {
            places.push_back(static_cast<double>(factor_place(p, i, j)));
          }
        }
        const Array diagonal = exp(q);
        const std::array<Array, 2> entries{diagonal, pad(l, {0, 0}, {0, 1})};
        const Array Q = reshape(
            gather(concat(entries, 1), constant(alpha, places, {D * D}, DType::i64), 1), {K, D, D});
        // Q_k (x_i - μ_k) for all k and i: one product with all points, less that with the mean.
        const Array x = transpose(constant(alpha, p.points, {N, D}));
        const Array centred = reshape(matmul(reshape(Q, {K * D, D}), x), {K, D, N}) -
                              matmul(Q, reshape(mu, {K, D, 1}));
        const Array main = reshape(alpha + sum(q, {1}), {K, 1}) - 0.5 * sum(square(centred), {1});
        const Array prior = 0.5 * p.gamma * p.gamma * (sum(square(diagonal)) + sum(square(l))) -
                            static_cast<double>(p.m) * sum(q);
        return sum(logsumexp(main, {0})) - static_cast<double>(N) * logsumexp(alpha) + prior +
               constant_part(p);
      },
      K, Shape{K, D}, Shape{K, D + L});
}

/// Written with scalars, for tools that overload them; `parameters` may be of any such type.
template <class T, class Parameters>
T scalar(const Problem& p, const Parameters& parameters) {
  using std::exp;
  using std::log;
  const auto D = static_cast<std::size_t>(p.D), K = static_cast<std::size_t>(p.K);
  const auto width = D + static_cast<std::size_t>(p.num_lower());
  const auto alpha = [&](std::size_t k) -> const T& { return parameters[k]; };
  const auto mu = [&](std::size_t k, std::size_t j) -> const T& {
    return parameters[K + k * D + j];
  };
  const auto icf = [&](std::size_t k, std::size_t j) -> const T& {
    return parameters[K + K * D + k * width + j];
  };
  const auto logsumexp = [](const std::vector<T>& values) {
    std::size_t largest = 0;
    for (std::size_t k = 1; k < values.size(); ++k) {
      if (values[k] > values[largest]) largest = k;
    }
    T sum = exp(values[0] - values[largest]);
    for (std::size_t k = 1; k < values.size(); ++k) sum += exp(values[k] - values[largest]);
    return T(log(sum) + values[largest]);
  };
  std::vector<T> diagonal(K * D), sums(K), terms(K), weights(K);
  T total(constant_part(p));
  for (std::size_t k = 0; k < K; ++k) {
    weights[k] = alpha(k);
    sums[k] = icf(k, 0);
    for (std::size_t j = 0; j < D; ++j) {
      diagonal[k * D + j] = exp(icf(k, j));
      if (j > 0) sums[k] += icf(k, j);
      total += 0.5 * p.gamma * p.gamma * diagonal[k * D + j] * diagonal[k * D + j];
    }
    total -= double(p.m) * sums[k];
    for (std::size_t j = D; j < width; ++j)
      total += 0.5 * p.gamma * p.gamma * icf(k, j) * icf(k, j);
  }
  std::vector<T> centred(D);
  for (std::size_t i = 0; i < static_cast<std::size_t>(p.N); ++i) {
    for (std::size_t k = 0; k < K; ++k) {
      for (std::size_t j = 0; j < D; ++j) centred[j] = p.points[i * D + j] - mu(k, j);
      T squares(0.0);
      for (std::size_t r = 0; r < D; ++r) {
        T entry = diagonal[k * D + r] * centred[r];
        for (std::size_t c = 0; c < r; ++c) {
          entry += icf(k, static_cast<std::size_t>(factor_place(p, static_cast<std::int64_t>(r),
                                                                static_cast<std::int64_t>(c)))) *
                   centred[c];
        }
        squares += entry * entry;
      }
      terms[k] = alpha(k) + sums[k] - 0.5 * squares;
    }
    total += logsumexp(terms);
  }
  return T(total - double(p.N) * logsumexp(weights));
}

}  // namespace gmm
