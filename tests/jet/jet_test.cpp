#include "kappa/jet.h"

#include <gtest/gtest.h>

#include <Eigen/Core>
#include <array>
#include <cmath>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "kappa/error.h"

namespace {

const auto rosenbrock = [](const auto& x) {
  return 100 * pow(x[1] - x[0] * x[0], 2) + pow(1 - x[0], 2);
};

TEST(Jet, RosenbrockAtItsStart) {
  const Eigen::Vector2d x(-1.2, 1);
  EXPECT_NEAR(kappa::value(rosenbrock, x), 24.2, 1e-14);
  const Eigen::Vector2d g = kappa::gradient(rosenbrock, x);
  EXPECT_NEAR(g[0], -215.6, 1e-12);
  EXPECT_NEAR(g[1], -88, 1e-13);
  const Eigen::Matrix2d h = kappa::hessian(rosenbrock, x);
  EXPECT_NEAR(h(0, 0), 1330, 1e-11);
  EXPECT_NEAR(h(0, 1), 480, 1e-12);
  EXPECT_EQ(h(0, 1), h(1, 0));
  EXPECT_EQ(h(1, 1), 200);
  EXPECT_NEAR((kappa::hvp(rosenbrock, x, Eigen::Vector2d(1, 2)) - h * Eigen::Vector2d(1, 2)).norm(),
              0, 1e-11);
}

TEST(Jet, TakesArraysSpansRowsMapsAndFloats) {
  const std::array<double, 2> x = {-1.2, 1};
  EXPECT_NEAR(kappa::hessian(rosenbrock, x)[1][0], 480, 1e-12);
  EXPECT_NEAR(kappa::gradient(rosenbrock, std::span<const double, 2>(x))[1], -88, 1e-13);
  const Eigen::RowVector2d row = kappa::gradient(rosenbrock, Eigen::RowVector2d(-1.2, 1));
  EXPECT_NEAR(row[1], -88, 1e-13);
  const Eigen::Map<const Eigen::Vector2d> map(x.data());
  const Eigen::Matrix2d h = kappa::hessian(rosenbrock, map);
  EXPECT_NEAR(h(0, 0), 1330, 1e-11);
  const Eigen::Matrix2f hf = kappa::hessian(rosenbrock, Eigen::Vector2f(-1.2f, 1));
  EXPECT_NEAR(hf(0, 0), 1330.0f, 1e-3f);
}

TEST(Jet, ControlFlowFollowsTheValues) {
  const auto huber = [](const auto& x) {
    if (abs(x[0]) <= 1) return 0.5 * x[0] * x[0];
    return abs(x[0]) - 0.5;
  };
  using V = std::array<double, 1>;
  EXPECT_EQ(kappa::hessian(huber, V{0.5})[0][0], 1);
  EXPECT_EQ(kappa::hessian(huber, V{-2})[0][0], 0);
  EXPECT_EQ(kappa::gradient(huber, V{-2})[0], -1);
  // Newton's iteration for the square root, to convergence: its derivatives are the root's.
  const auto root = [](const auto& x) {
    auto r = 0.5 * (1 + x[0]);
    for (int i = 0; i < 30; ++i) r = 0.5 * (r + x[0] / r);
    return r;
  };
  EXPECT_NEAR(kappa::hessian(root, V{4})[0][0], -1.0 / 32, 1e-14);
}

TEST(Jet, UnpacksAndIterates) {
  const auto f = [](const auto& x) {
    const auto& [a, b, c] = x;
    auto sum = a * b * c;
    for (const auto& xi : x) sum += xi * xi;
    return sum;
  };
  const Eigen::Vector3d x(1, 2, 3);
  Eigen::Matrix3d expected;
  expected << 2, 3, 2, 3, 2, 1, 2, 1, 2;
  EXPECT_EQ(kappa::hessian(f, x), expected);
}

TEST(Jet, AnIndexOutOfRangeIsAnErrorThatSaysSo) {
  const auto f = [](const auto& x) { return x[0] * x[2]; };
  try {
    kappa::hessian(f, Eigen::Vector2d(1, 2));
    FAIL();
  } catch (const kappa::Error& error) {
    EXPECT_EQ(error.kind(), kappa::ErrorKind::usage);
    EXPECT_STREQ(error.what(), "x[2]: this callable was given 2 variables, x[0] to x[1]");
  }
  EXPECT_THROW(kappa::value([](const auto& y) { return y[-1]; }, Eigen::Vector2d(1, 2)),
               kappa::Error);
}

TEST(Jet, LinearTermsCarryNoHessian) {
  using J = kappa::Jet<3>;
  const J x = J::variable(2, 0);
  const J y = J::variable(3, 1);
  EXPECT_FALSE((2 * x - y / 3 + 1).curved);
  EXPECT_EQ((2 * x - y / 3 + 1).hessian(0, 1), 0);
  EXPECT_TRUE((x * y).curved);
  J sum = 0;
  sum += x;
  EXPECT_FALSE(sum.curved);
  sum += x * y;
  sum += y;
  sum -= 2;
  sum *= 2;
  EXPECT_EQ(sum.value, 18);
  EXPECT_EQ(sum.hessian(0, 1), 2);
  EXPECT_EQ(sum.hessian(1, 0), 2);
  EXPECT_EQ(sum.hessian(0, 0), 0);
  EXPECT_EQ((x - x * y).hessian(1, 0), -1);
}

TEST(Jet, LargestNumberOfVariables) {
  Eigen::Matrix<double, 64, 1> x;
  for (int i = 0; i < 64; ++i) x[i] = 0.1 * i;
  const auto f = [](const auto& y) {
    auto s = y[0] * y[0];
    for (int i = 1; i < 64; ++i) s += y[i] * y[i] * y[i - 1];
    return s;
  };
  const auto h = kappa::hessian(f, x);
  for (int i = 1; i < 63; ++i) {
    EXPECT_EQ(h(i, i), 2 * x[i - 1]);
    EXPECT_NEAR(h(i, i + 1), 2 * x[i + 1], 1e-15);
  }
  EXPECT_EQ(h(0, 63), 0);
}

// A functor written for Ceres, with one block of two and one of one.
struct ExponentialResidual {
  double t, y;
  template <class T>
  bool operator()(const T* const line, const T* const rate, T* residuals) const {
    using std::exp;
    residuals[0] = line[0] + line[1] * exp(-rate[0] * t) - y;
    residuals[1] = 0.1 * rate[0];
    return true;
  }
};
struct FailingResidual {
  template <class T>
  bool operator()(const T* const x, T* residuals) const {
    if (x[0] < 0.0) return false;
    residuals[0] = sqrt(x[0]);
    return true;
  }
};

TEST(Jet, CeresFunctors) {
  const auto f = kappa::half_squared_norm<2, 2, 1>(ExponentialResidual{0.5, 3});
  const Eigen::Vector3d x(1, 2, 0.7);
  const double e = std::exp(-0.35);
  const double r = 1 + 2 * e - 3;
  const Eigen::Vector3d j(1, e, -e);  // t * line[1] = 1
  EXPECT_NEAR(kappa::value(f, x), 0.5 * (r * r + 0.0049), 1e-15);
  Eigen::Matrix3d h = j * j.transpose();
  h(2, 2) += 0.01 + r * 2 * 0.25 * e;
  h(1, 2) += r * -0.5 * e;
  h(2, 1) = h(1, 2);
  EXPECT_NEAR((kappa::hessian(f, x) - h).norm(), 0, 1e-15);
  const auto g = kappa::half_squared_norm<1, 1>(FailingResidual{});
  EXPECT_TRUE(std::isnan(kappa::value(g, std::array<double, 1>{-1.0})));
  EXPECT_NEAR(kappa::gradient(g, std::array<double, 1>{4.0})[0], 0.5, 1e-15);
}

/// The slope of the Taylor remainder: 3 with value, gradient and Hessian.
TEST(Jet, TaylorRemainderFallsWithTheThirdPower) {
  const auto f = [](const auto& x) {
    return exp(x[0] * x[1]) * sin(x[2]) + log(1 + x[0] * x[0]) / (2 + cos(x[1])) +
           pow(1.5 + x[2], x[0]);
  };
  const Eigen::Vector3d x(0.3, -0.7, 0.4);
  const Eigen::Vector3d d(0.5, 0.8, -0.6);
  const auto j = kappa::evaluate(f, x);
  const Eigen::Vector3d g = kappa::gradient(f, x);
  const Eigen::Matrix3d h = kappa::hessian(f, x);
  const auto remainder = [&](double t) {
    const Eigen::Vector3d y = x + t * d;
    return std::abs(kappa::value(f, y) - j.value - t * g.dot(d) - 0.5 * t * t * d.dot(h * d));
  };
  for (const double t : {0.1, 0.05, 0.025}) {
    EXPECT_NEAR(std::log2(remainder(t) / remainder(t / 2)), 3, 0.15);
  }
}

TEST(Jet, LogSumExpAgainstItsClosedForm) {
  constexpr int n = 10;
  constexpr int m = 20;
  Eigen::Matrix<double, m, n> a;
  for (int i = 0; i < m; ++i) {
    for (int j = 0; j < n; ++j) a(i, j) = std::sin(1.0 + 3 * i + 7 * j);
  }
  Eigen::Matrix<double, n, 1> x;
  for (int j = 0; j < n; ++j) x[j] = std::cos(2.0 * j) / 3;
  const auto f = [&](const auto& y) {
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
  };
  const Eigen::Matrix<double, m, 1> e = (a * x).array().exp();
  const Eigen::Matrix<double, m, 1> p = e / e.sum();
  const Eigen::Matrix<double, n, 1> mean = a.transpose() * p;
  const Eigen::Matrix<double, n, n> expected =
      a.transpose() * p.asDiagonal() * a - mean * mean.transpose() + 8 * x * x.transpose() +
      4 * x.squaredNorm() * Eigen::Matrix<double, n, n>::Identity();
  EXPECT_LT((kappa::hessian(f, x) - expected).norm(), 1e-13 * expected.norm());
  EXPECT_LT((kappa::gradient(f, x) - (mean + 4 * x.squaredNorm() * x)).norm(), 1e-14);
}

TEST(Jet, EightThreadsGetTheSameBits) {
  const Eigen::Vector2d x(-1.2, 1);
  const Eigen::Matrix2d expected = kappa::hessian(rosenbrock, x);
  std::vector<int> same(8);
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 8; ++t) {
      threads.emplace_back([&, t] {
        bool all = true;
        for (int i = 0; i < 100; ++i) {
          all = all && kappa::hessian(rosenbrock, x) == expected;
          all = all && std::isfinite(kappa::value([](const auto& y) { return lgamma(y[0]); },
                                                  Eigen::Vector2d(3, 1)));
        }
        same[t] = all;
      });
    }
  }
  for (const int s : same) EXPECT_TRUE(s);
}

}  // namespace
