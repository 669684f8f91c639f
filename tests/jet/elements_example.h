#pragma once

#include <Eigen/Eigenvalues>
#include <algorithm>
#include <array>
#include <cmath>
#include <random>
#include <string>
#include <vector>

#include "kappa/elements.h"

// A sum of three kinds of elements, and the same by a plain loop over scalar jets into a dense
// matrix.
namespace elements_example {

using Eigen::MatrixXd;
using Eigen::VectorXd;
using kappa::Projection;
using kappa::SimdLevel;
using kappa::Triangle;

// Three kinds of elements: without data, with numbers, with a record.
inline const auto rosenbrock = [](const auto& x) {
  const auto t = x[1] - x[0] * x[0];
  const auto u = 1 - x[0];
  return 100 * (t * t) + u * u;
};
inline const auto spring = [](const auto& x, const auto& d) {
  const auto a = x[0] - x[2];
  const auto b = x[1] - x[3];
  const auto stretch = sqrt(a * a + b * b + 0.1) - d[1];
  return 0.5 * d[0] * (stretch * stretch) + exp(-d[0] * x[0]);
};
struct Weight {
  double factor;
  bool squared;
};
inline const auto weighted = [](const auto& x, const Weight& w) {
  const auto s = sin(x[0]) * x[1] + x[2];
  return w.squared ? w.factor * s * s : w.factor * s;
};

struct Example {
  int n;
  VectorXd x;
  VectorXd v;
  std::vector<std::array<int, 2>> pairs;
  std::vector<std::array<int, 4>> quads;
  std::vector<std::array<double, 2>> constants;
  std::vector<std::array<int, 3>> triples;
  std::vector<Weight> weights;

  /// With repeated variables within elements, and some variables that no element touches.
  explicit Example(int size, int num_elements, unsigned seed = 3) : n(size), x(size), v(size) {
    std::mt19937 random(seed);
    std::uniform_real_distribution<double> real(-1, 1);
    std::uniform_int_distribution<int> index(0, std::max(0, size - 3));
    for (int i = 0; i < n; ++i) {
      x[i] = real(random);
      v[i] = real(random);
    }
    for (int i = 0; i + 3 < n; ++i) pairs.push_back({i, i + 1});
    for (int e = 0; e < num_elements; ++e) {
      const auto any = [&] { return index(random); };
      quads.push_back({any(), any(), any(), any()});
      constants.push_back({1 + real(random) / 2, 1 + real(random) / 2});
      triples.push_back({any(), any(), any()});
      weights.push_back({real(random), e % 2 == 0});
    }
  }

  [[nodiscard]] auto sum() const {
    return kappa::ElementSum(n, kappa::elements(pairs, rosenbrock),
                             kappa::elements(quads, constants, spring),
                             kappa::elements(triples, weights, weighted));
  }
};

template <int N, class F>
void add_element(const F& f, const std::array<int, N>& indices, const VectorXd& x, double& value,
                 VectorXd& g, MatrixXd& h, Projection projection) {
  Eigen::Matrix<double, N, 1> local;
  for (int k = 0; k < N; ++k) local[k] = x[indices[k]];
  const Eigen::Matrix<double, N, 1> lg = kappa::gradient(f, local);
  Eigen::Matrix<double, N, N> lh = kappa::hessian(f, local);
  if (projection != Projection::none) {
    const Eigen::SelfAdjointEigenSolver<Eigen::Matrix<double, N, N>> solver(lh);
    const Eigen::Matrix<double, N, 1> lambda = projection == Projection::clamp
                                                   ? solver.eigenvalues().cwiseMax(0).eval()
                                                   : solver.eigenvalues().cwiseAbs().eval();
    lh = solver.eigenvectors() * lambda.asDiagonal() * solver.eigenvectors().transpose();
  }
  value += kappa::value(f, local);
  for (int a = 0; a < N; ++a) {
    g[indices[a]] += lg[a];
    for (int b = 0; b < N; ++b) h(indices[a], indices[b]) += lh(a, b);
  }
}

struct Dense {
  double value = 0;
  VectorXd g;
  MatrixXd h;
  explicit Dense(const Example& p, Projection projection = Projection::none)
      : g(VectorXd::Zero(p.n)), h(MatrixXd::Zero(p.n, p.n)) {
    for (const auto& i : p.pairs) add_element<2>(rosenbrock, i, p.x, value, g, h, projection);
    for (std::size_t e = 0; e < p.quads.size(); ++e) {
      const auto f = [&](const auto& y) { return spring(y, p.constants[e]); };
      add_element<4>(f, p.quads[e], p.x, value, g, h, projection);
    }
    for (std::size_t e = 0; e < p.triples.size(); ++e) {
      const auto f = [&](const auto& y) { return weighted(y, p.weights[e]); };
      add_element<3>(f, p.triples[e], p.x, value, g, h, projection);
    }
  }
};

inline double error(const MatrixXd& a, const MatrixXd& b) {
  return (a - b).norm() / (1 + b.norm());
}

}  // namespace elements_example
