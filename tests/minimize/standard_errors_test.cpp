// Standard errors against closed forms.

#include <gtest/gtest.h>

#include <cmath>

#include "kappa/error.h"
#include "kappa/minimize.h"
#include "minimize/problems.h"

namespace kappa {
namespace {

using test::ResidualProblem;
using test::Vector;

const Vector kX = {1, 2, 3, 4, 5}, kY = {2.1, 3.9, 6.2, 7.8, 10.1};

// A straight line: s_b^2 = s^2 / Sxx, s_a^2 = s^2 (1/m + mean^2 / Sxx), correlation
// -mean / sqrt(Sxx/m + mean^2).
TEST(StandardErrors, StraightLine) {
  const ResidualProblem line(2, 5, []<class T>(const std::vector<T>& b) {
    std::vector<T> r;
    for (std::size_t i = 0; i < 5; ++i) r.push_back(kY[i] - (b[0] + b[1] * kX[i]));
    return r;
  });
  const MinimizeResult fit = minimize(line, Vector{0, 0});
  EXPECT_EQ(fit.status, MinimizeStatus::converged);
  EXPECT_NEAR(fit.w[1], 1.99, 1e-12);  // Sxy / Sxx = 19.9 / 10
  EXPECT_NEAR(fit.w[0], 0.05, 1e-12);  // 6.02 - 1.99 * 3
  const StandardErrors errors = standard_errors(line, fit.w);
  double rss = 0;
  for (std::size_t i = 0; i < 5; ++i) rss += std::pow(kY[i] - 0.05 - 1.99 * kX[i], 2);
  const double s = std::sqrt(rss / 3);
  EXPECT_NEAR(errors.residual_sum_of_squares, rss, 1e-13);
  EXPECT_NEAR(errors.residual_standard_deviation, s, 1e-13);
  EXPECT_NEAR(errors.standard_errors[1], s / std::sqrt(10.0), 1e-13);
  EXPECT_NEAR(errors.standard_errors[0], s * std::sqrt(0.2 + 0.9), 1e-13);
  EXPECT_NEAR(errors.correlations[1], -3 / std::sqrt(2.0 + 9), 1e-13);
  EXPECT_EQ(errors.degrees_of_freedom, 3);
  EXPECT_EQ(errors.rank, 2);
  // J'J = [[5, 15], [15, 55]]: eigenvalues 30 +- sqrt(850).
  EXPECT_NEAR(errors.condition, (30 + std::sqrt(850.0)) / (30 - std::sqrt(850.0)), 1e-9);
}

// Only b0 + b1 is determined, and b2: the first two are named.
TEST(StandardErrors, RankDeficiencyNamesItsParameters) {
  const ResidualProblem sum(3, 5, []<class T>(const std::vector<T>& b) {
    std::vector<T> r;
    for (std::size_t i = 0; i < 5; ++i) r.push_back(kY[i] - (b[0] + b[1] + b[2] * kX[i]));
    return r;
  });
  const MinimizeResult fit = minimize(sum, Vector{0, 0, 0});
  EXPECT_EQ(fit.status, MinimizeStatus::converged);
  const StandardErrors errors = standard_errors(sum, fit.w);
  EXPECT_EQ(errors.rank, 2);
  EXPECT_EQ(errors.undetermined, (std::vector<std::string>{"w[0]", "w[1]"}));
  EXPECT_TRUE(std::isnan(errors.standard_errors[0]));
  EXPECT_TRUE(std::isinf(errors.condition));
  const double s = errors.residual_standard_deviation;
  EXPECT_NEAR(errors.standard_errors[2], s / std::sqrt(10.0), 1e-12);
}

TEST(StandardErrors, NeedsResiduals) {
  EXPECT_THROW(standard_errors(test::Quadratic({1, 2}), Vector{0, 0}), Error);
}

}  // namespace
}  // namespace kappa
