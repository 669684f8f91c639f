// Dense Hessians of f(x) = log sum exp(A x) + |x|^4, A of 2n x n, by arrays against code written by
// hand on Eigen, on one core in this run. n = 10 by jets: bench/jet_bench.cpp.
#include <Eigen/Core>
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <vector>

#include "kappa/function.h"

namespace {

using Eigen::MatrixXd;
using Eigen::VectorXd;

/// H = A' diag(p) A - (A'p)(A'p)' + 8 x x' + 4 |x|^2 I, p = softmax(A x).
[[gnu::noinline]] void by_hand(const MatrixXd& a, const VectorXd& x, MatrixXd& weighted,
                               MatrixXd& h) {
  VectorXd p = a * x;
  p = (p.array() - p.maxCoeff()).exp();
  p /= p.sum();
  const VectorXd mean = a.transpose() * p;
  weighted = p.asDiagonal() * a;
  h.noalias() = a.transpose() * weighted;
  h.noalias() -= mean * mean.transpose();
  h.noalias() += 8 * x * x.transpose();
  h.diagonal().array() += 4 * x.squaredNorm();
}

template <class F>
double microseconds(const F& call) {
  using Clock = std::chrono::steady_clock;
  double best = 1e300;
  const auto begin = Clock::now();
  while (Clock::now() - begin < std::chrono::milliseconds(700)) {
    const auto start = Clock::now();
    for (int r = 0; r < 5; ++r) call();
    best = std::min(best, std::chrono::duration<double, std::micro>(Clock::now() - start).count());
  }
  return best / 5;
}

void run(std::int64_t n) {
  const std::int64_t m = 2 * n;
  MatrixXd a(m, n);
  VectorXd x(n);
  for (std::int64_t j = 0; j < n; ++j) {
    x[j] = std::cos(2.0 * double(j)) / 3;
    for (std::int64_t i = 0; i < m; ++i) a(i, j) = std::sin(1.0 + 3 * double(i) + 7 * double(j));
  }
  const std::vector<double> entries(a.data(), a.data() + a.size());  // by columns
  const kappa::Function f = kappa::trace(
      [&](kappa::Array y) {
        const kappa::Array rows = transpose(constant(y, entries, {n, m}));
        return logsumexp(matmul(rows, y)) + square(sum(square(y)));
      },
      n);
  MatrixXd weighted(m, n), hand(n, n), ours(n, n);
  const std::span<const double> at(x.data(), static_cast<std::size_t>(n));
  const std::span<double> result(ours.data(), static_cast<std::size_t>(ours.size()));
  const double hand_us = microseconds([&] { by_hand(a, x, weighted, hand); });
  const double ours_us = microseconds([&] { kappa::hessian(f, at, result); });
  std::printf("n = %3lld: arrays %9.1f us, by hand %9.1f us, ratio %5.2f, difference %.1e\n",
              static_cast<long long>(n), ours_us, hand_us, ours_us / hand_us,
              (ours - hand).norm() / hand.norm());
}

}  // namespace

int main() {
  for (const std::int64_t n : {10, 50, 200}) run(n);
}
