#include <gtest/gtest.h>

#include <cmath>

#include "kappa/curvature.h"
#include "kappa/error.h"

namespace kappa {
namespace {

using Step = std::span<const double>;

TEST(LocalModelTest, QuadraticIsTrustedEverywhere) {
  // f = (x^2 + 4 y^2) / 2 at (1, 1): the Newton step goes to the minimum, decrement^2 = 1 + 4.
  const DenseOperator a(2, {1, 0, 0, 4});
  const std::vector<double> g{1, 4};
  auto f = [](Step s) { return ((1 + s[0]) * (1 + s[0]) + 4 * (1 + s[1]) * (1 + s[1])) / 2; };
  for (const bool dense : {true, false}) {
    const KnownSpectrum k = dense ? known(dense_spectrum(a)) : KnownSpectrum{};
    const LocalModel m = local_model(a, 2.5, g, f, k);
    EXPECT_FALSE(m.modified);
    EXPECT_NEAR(m.step[0], -1, 1e-12);
    EXPECT_NEAR(m.step[1], -1, 1e-12);
    EXPECT_NEAR(m.newton_step_norm, std::sqrt(2.0), 1e-12);
    EXPECT_NEAR(m.newton_decrement, std::sqrt(5.0), 1e-12);
    EXPECT_NEAR(m.predicted_decrease, 2.5, 1e-12);
    EXPECT_NEAR(m.actual_decrease, 2.5, 1e-12);
    EXPECT_TRUE(std::isinf(*m.trusted_radius));
  }
}

TEST(LocalModelTest, RosenbrockAtTheClassicalStart) {
  // f = 100 (y - x^2)^2 + (1 - x)^2 at (-1.2, 1): value 24.2, g = (-215.6, -88),
  // H = [[1330, 480], [480, 200]]; det = 35600; s = -H^{-1} g = (0.0247191, 0.3806742).
  const DenseOperator a(2, {1330, 480, 480, 200});
  const std::vector<double> g{-215.6, -88};
  auto f = [](Step s) {
    const double x = -1.2 + s[0], y = 1 + s[1];
    return 100 * (y - x * x) * (y - x * x) + (1 - x) * (1 - x);
  };
  const LocalModel m = local_model(a, 24.2, g, f, known(dense_spectrum(a)));
  EXPECT_NEAR(m.step[0], (215.6 * 200 - 88 * 480) / 35600, 1e-12);
  EXPECT_NEAR(m.step[1], (88 * 1330 - 215.6 * 480) / 35600, 1e-12);
  // At the Newton point y - x^2 = -s_0^2, so f is explicit.
  const double s0 = 880.0 / 35600, x = -1.2 + s0;
  EXPECT_NEAR(m.actual_decrease, 24.2 - (100 * std::pow(s0, 4) + (1 - x) * (1 - x)), 1e-10);
  EXPECT_NEAR(m.predicted_decrease, m.newton_decrement * m.newton_decrement / 2, 1e-10);
}

TEST(LocalModelTest, TrustedRadiusIsWhereTheCubicReachesTheRatio) {
  // f = x^2/2 + c x^3 at 0 seen from w = -1: along s the model error is exactly |c t^3 s^3|.
  // With w = 0 shifted: f(s) = g s + s^2/2 + c s^3, g = -1: s = 1, error c t^3,
  // scale max(|-t + t^2/2|, t^2/2): c t^3 = t^2/8 at t = 1/(8c) where that exceeds 1.
  const DenseOperator a(1, {1});
  for (const double c : {0.01, 0.05, 0.1}) {
    auto f = [c](Step s) { return -s[0] + s[0] * s[0] / 2 + c * s[0] * s[0] * s[0]; };
    const LocalModel m = local_model(a, 0, std::vector<double>{-1}, f, known(dense_spectrum(a)));
    EXPECT_NEAR(m.newton_step_norm, 1, 1e-14);
    EXPECT_LE(*m.trusted_radius, 1 / (8 * c) * (1 + 1e-9));
    EXPECT_GE(*m.trusted_radius, 1 / (8 * c) / 1.1001);
  }
  // Strong cubic: below t = 1 the scale is t - t^2/2 and c t^3 = 0.25 (t - t^2/2) decides.
  const double c = 2;
  auto f = [c](Step s) { return -s[0] + s[0] * s[0] / 2 + c * s[0] * s[0] * s[0]; };
  const LocalModel m = local_model(a, 0, std::vector<double>{-1}, f, known(dense_spectrum(a)));
  const double exact = (-0.125 + std::sqrt(0.125 * 0.125 + 4 * c * 0.25)) / (2 * c);
  EXPECT_LE(*m.trusted_radius, exact * (1 + 1e-9));
  EXPECT_GE(*m.trusted_radius, exact / 1.1001);
  EXPECT_LE(m.num_values, 60);
}

TEST(LocalModelTest, IndefiniteIsModifiedAndSaysSo) {
  // f = x^2 - y^2 at (1, 1): down the y axis, not to the saddle.
  const DenseOperator a(2, {2, 0, 0, -2});
  const std::vector<double> g{2, -2};
  auto f = [](Step s) { return (1 + s[0]) * (1 + s[0]) - (1 + s[1]) * (1 + s[1]); };
  const LocalModel m = local_model(a, 0, g, f, known(dense_spectrum(a)));
  EXPECT_TRUE(m.modified);
  EXPECT_NEAR(m.step[0], -1, 1e-14);
  EXPECT_NEAR(m.step[1], 1, 1e-14);
  EXPECT_NEAR(m.predicted_decrease, 4, 1e-13);
  EXPECT_NEAR(m.actual_decrease, 4, 1e-13);
  EXPECT_NE(m.method.find("negative"), std::string::npos);
  const LocalModel matrix_free = local_model(a, 0, g, f);
  EXPECT_TRUE(matrix_free.modified);
  EXPECT_GT(matrix_free.predicted_decrease, 0);
}

TEST(LocalModelTest, NullSpaceZeroGradientAndInfinities) {
  // f = x^2 + y at (1, 0): unbounded along y, left out and said.
  const DenseOperator a(2, {2, 0, 0, 0});
  auto f = [](Step s) { return (1 + s[0]) * (1 + s[0]) + s[1]; };
  const LocalModel m = local_model(a, 1, std::vector<double>{2, 1}, f, known(dense_spectrum(a)));
  EXPECT_TRUE(m.modified);
  EXPECT_NEAR(m.step[0], -1, 1e-14);
  EXPECT_NEAR(m.step[1], 0, 1e-14);
  const LocalModel still = local_model(a, 1, std::vector<double>{0, 0}, f);
  EXPECT_EQ(still.newton_step_norm, 0);
  EXPECT_FALSE(still.trusted_radius);
  EXPECT_FALSE(local_model(a, std::nan(""), std::vector<double>{1, 0}, f).finite);
  // A wall at s < -0.5 (NaN beyond it): the radius stops before it.
  auto wall = [](Step s) { return s[0] < -0.5 ? std::nan("") : (1 + s[0]) * (1 + s[0]); };
  const LocalModel walled =
      local_model(a, 1, std::vector<double>{2, 0}, wall, known(dense_spectrum(a)));
  EXPECT_TRUE(std::isnan(walled.actual_decrease));
  EXPECT_LE(*walled.trusted_radius, 0.5);
  EXPECT_GE(*walled.trusted_radius, 0.45);
  EXPECT_THROW((void)local_model(a, 1, std::vector<double>{2}, f), Error);
}

}  // namespace
}  // namespace kappa
