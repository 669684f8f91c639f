#include <gtest/gtest.h>

#include <Eigen/Eigenvalues>
#include <array>
#include <cmath>
#include <vector>

#include "kappa/elements.h"
#include "kappa/solve.h"

namespace kappa {
namespace {

constexpr std::int64_t kSize = 20;

Function traced() {
  return trace(
      [](Array x) {
        const Array a = slice(x, {0}, {kSize - 1}), b = slice(x, {1}, {kSize});
        return sum(100 * square(b - a * a) + square(1 - a));
      },
      kSize);
}

auto summed() {
  std::vector<std::array<int, 2>> pairs;
  for (int i = 0; i + 1 < kSize; ++i) pairs.push_back({i, i + 1});
  return ElementSum(kSize, elements(pairs, [](const auto& x) {
                      const auto t = x[1] - x[0] * x[0];
                      const auto u = 1 - x[0];
                      return 100 * t * t + u * u;
                    }));
}

// The chained Rosenbrock function has its minimum 0 at ones, written in either way.
TEST(SolveApi, MinimisesBothWays) {
  const Eigen::VectorXd start = Eigen::VectorXd::Constant(kSize, 0.8);
  const Solution a = minimize(traced(), start, {.method = "newton-cg"});
  const Solution b = minimize(summed(), start, {.method = "newton-cg"});
  for (const Solution& s : {a, b}) {
    EXPECT_EQ(s.status, MinimizeStatus::converged);
    EXPECT_TRUE(s.x.isApprox(Eigen::VectorXd::Ones(kSize), 1e-6));
  }
}

TEST(SolveApi, AnalysesAndFindsEigenvaluesBothWays) {
  const Eigen::VectorXd x = Eigen::VectorXd::LinSpaced(kSize, -1, 1);
  const Function f = traced();
  const Eigen::VectorXd exact =
      Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd>(hessian(f, x)).eigenvalues();
  for (const Analysis& a : {analyze(f, x), analyze(summed(), x)}) {
    ASSERT_TRUE(a.eigenvalues.has_value());
    const Eigen::Map<const Eigen::VectorXd> all(a.eigenvalues->all.data(), kSize);
    EXPECT_TRUE(all.isApprox(exact, 1e-10));
    EXPECT_EQ(a.parameter_names[3], "x[3]");
  }
  for (const LanczosResult& r : {eigenvalues(f, x, 2), eigenvalues(summed(), x, 2)}) {
    ASSERT_EQ(r.top.size(), 2U);
    EXPECT_NEAR(r.top[0].value, exact[kSize - 1], 1e-3 * exact[kSize - 1]);
    EXPECT_NEAR(r.top[1].value, exact[kSize - 2], 1e-3 * exact[kSize - 1]);
  }
}

}  // namespace
}  // namespace kappa
