#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <vector>

#include "kappa/elements.h"

namespace {

using Eigen::MatrixXd;
using Eigen::VectorXd;

/// Every function in lanes equals itself in scalars.
TEST(Elements, EveryFunctionInLanes) {
  const auto all = [](const auto& x, const auto& c) {
    const auto a = 0.3 + 0.5 * x[0] * x[0];
    const auto b = 1.2 + 0.3 * x[1];
    auto s = exp(a) + expm1(b) + log(a) + log1p(b) + log2(a) + log10(b) + sqrt(a) + cbrt(b);
    s += abs(x[0]) + sin(a) + cos(b) + tan(a) + asin(a) + acos(a * 0.5) + atan(b) + atan2(a, b);
    s += sinh(a) + cosh(b) + tanh(a) + asinh(b) + acosh(1 + b) + atanh(a) + erf(a) + erfc(b);
    s += lgamma(b) + pow(a, b) + pow(a, 3) + pow(b, -2) + pow(a, 2.5) + pow(3, b) + pow(b, c);
    s += hypot(a, b) + hypot(x[0], 2) + min(a, b) + max(x[0], x[1]) + min(x[0], 0.1);
    s += fma(a, b, x[0]) + a / b + 2 / b + b / c + c * a + (c - a) * (1 - c) + max(c, x[0]);
    s -= x[0] / 3;
    return s;
  };
  constexpr int n = 80;
  std::vector<std::array<int, 2>> pairs;
  VectorXd x(n);
  VectorXd v(n);
  for (int i = 0; i < n; ++i) {
    x[i] = std::sin(3.0 * i);
    v[i] = std::cos(5.0 * i);
    if (i + 1 < n) pairs.push_back({i, i + 1});
  }
  std::vector<double> c;
  for (std::size_t e = 0; e < pairs.size(); ++e) c.push_back(0.5 + 0.01 * double(e));
  MatrixXd h = MatrixXd::Zero(n, n);
  for (std::size_t e = 0; e < pairs.size(); ++e) {
    const auto one = [&](const auto& y) { return all(y, c[e]); };
    const int i = pairs[e][0];
    h.block<2, 2>(i, i) += kappa::hessian(one, Eigen::Vector2d(x.segment<2>(i)));
  }
  const kappa::ElementSum f(n, kappa::elements(pairs, c, all));
  for (const auto level :
       {kappa::SimdLevel::base, kappa::SimdLevel::avx2, kappa::SimdLevel::avx512}) {
    const kappa::ElementOptions options{.simd = level};
    EXPECT_LT((MatrixXd(kappa::sparse_hessian(f, x, options)) - h).norm(), 1e-14 * h.norm());
    EXPECT_LT((kappa::hvp(f, x, v, options) - h * v).norm(), 1e-14 * (h * v).norm());
  }
}

}  // namespace
