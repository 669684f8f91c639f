// log sum exp(A x) + |x|^4 with n = 10, m = 20: its Hessian by jets against code written by hand.
#include <Eigen/Core>
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>

#include "kappa/jet.h"

namespace {

constexpr int n = 10;
constexpr int m = 20;
using Vector = Eigen::Matrix<double, n, 1>;
using Matrix = Eigen::Matrix<double, n, n>;
using Rows = Eigen::Matrix<double, m, n, Eigen::RowMajor>;

[[gnu::noinline]] void by_hand(const Rows& a, const Vector& x, Matrix& h) {
  Eigen::Matrix<double, m, 1> p;
  double sum = 0;
  for (int i = 0; i < m; ++i) {
    p[i] = std::exp(a.row(i).dot(x));
    sum += p[i];
  }
  p /= sum;
  Vector mean = Vector::Zero();
  h.setZero();
  for (int i = 0; i < m; ++i) {
    mean += p[i] * a.row(i).transpose();
    for (int c = 0; c < n; ++c) {
      const double s = p[i] * a(i, c);
      for (int r = c; r < n; ++r) h(r, c) += s * a(i, r);
    }
  }
  const double squared = x.squaredNorm();
  for (int c = 0; c < n; ++c) {
    for (int r = c; r < n; ++r) {
      h(r, c) += 8 * x[r] * x[c] - mean[r] * mean[c] + (r == c ? 4 * squared : 0);
      h(c, r) = h(r, c);
    }
  }
}

[[gnu::noinline]] void by_jets(const Rows& a, const Vector& x, Matrix& h) {
  h = kappa::hessian(
      [&](const auto& y) {
        using T = std::remove_cvref_t<decltype(y[0])>;
        T sum = 0;
        T norm = 0;
        for (int i = 0; i < m; ++i) {
          T t = 0;
          for (int j = 0; j < n; ++j) t += a(i, j) * y[j];
          sum += exp(t);
        }
        for (int j = 0; j < n; ++j) norm += y[j] * y[j];
        return log(sum) + norm * norm;
      },
      x);
}

template <class F>
double nanoseconds(const F& call) {
  using Clock = std::chrono::steady_clock;
  double best = 1e300;
  for (int round = 0; round < 400; ++round) {
    const auto start = Clock::now();
    for (int r = 0; r < 50; ++r) call();
    best = std::min(best, std::chrono::duration<double, std::nano>(Clock::now() - start).count());
  }
  return best / 50;
}

}  // namespace

int main() {
  Rows a;
  Vector x;
  for (int j = 0; j < n; ++j) {
    x[j] = std::cos(2.0 * j) / 3;
    for (int i = 0; i < m; ++i) a(i, j) = std::sin(1.0 + 3 * i + 7 * j);
  }
  Matrix hand;
  Matrix jets;
  const double hand_ns = nanoseconds([&] { by_hand(a, x, hand); });
  const double jets_ns = nanoseconds([&] { by_jets(a, x, jets); });
  std::printf("log-sum-exp, n = 10: jets %.0f ns, by hand %.0f ns, ratio %.2f, difference %.1e\n",
              jets_ns, hand_ns, jets_ns / hand_ns, (jets - hand).norm() / hand.norm());
}
