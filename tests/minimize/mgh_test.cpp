// More-Garbow-Hillstrom: 42 instances against the minima published by the authors (TOMS 7(1) 1981).

#include "minimize/mgh.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdio>

#include "kappa/minimize.h"

namespace kappa {
namespace {

// Values at the starts from shared/data/mgh-values.csv (Fortran originals, TOMS 566, where it has
// them): the problems are typed right before anything is claimed of a method.
TEST(Mgh, StartValues) {
  const test::Vector expected = {24.2,
                                 400.5,
                                 1.13526171734838,
                                 999998000003,
                                 14.203125,
                                 4171.30616196049,
                                 2500,
                                 41.681695861678,
                                 3.88810699116688e-06,
                                 1693607809.43615,
                                 12.1107058255695,
                                 1031.1538106094,
                                 215,
                                 19192,
                                 0.00531317227210854,
                                 7926693.33699743,
                                 0.87902629354464,
                                 0.77907007565597,
                                 2.09341951421206,
                                 30,
                                 30,
                                 30,
                                 121,
                                 645,
                                 885.06264,
                                 148032.56535,
                                 2.34000880546302,
                                 162.652776565967,
                                 2198551.1625,
                                 0.00707575946622284,
                                 273.248047828674,
                                 0.000788519101264823,
                                 0.0634168415794527,
                                 21,
                                 360,
                                 50,
                                 8658670,
                                 4067996,
                                 0.0337706384637188,
                                 0.0386176982859303,
                                 0.028882980288226,
                                 0.0337632654628801};
  const auto problems = test::mgh_problems();
  ASSERT_EQ(problems.size(), expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i) {
    EXPECT_NEAR(problems[i].problem->value(problems[i].start.data()), expected[i],
                1e-13 * std::fabs(expected[i]) + 1e-15)
        << problems[i].name;
  }
}

// Relative to the published value, or to the value at the start where that is 0.
bool reaches_minimum(const test::MghProblem& p, double value) {
  const double start = p.problem->value(p.start.data());
  for (const double f : p.minima) {
    if (f > 0 ? std::fabs(value - f) <= 1e-4 * f : value <= 1e-12 * std::max(1.0, start)) {
      return true;
    }
  }
  return false;
}

class MghMethod : public testing::TestWithParam<std::pair<const char*, int>> {};

TEST_P(MghMethod, ReachesPublishedMinima) {
  const auto [method, least] = GetParam();
  int reached = 0;
  for (const auto& p : test::mgh_problems()) {
    const MinimizeResult result = minimize(*p.problem, p.start, {.method = method});
    const bool good = reaches_minimum(p, result.value);
    reached += good;
    EXPECT_TRUE(std::isfinite(result.value)) << p.name;
    EXPECT_LE(result.value, result.start_value) << p.name;
    // A claim of success must stand on a small gradient, whatever was reached.
    if (result.status == MinimizeStatus::converged) {
      EXPECT_LE(result.reason.measured, result.reason.threshold) << p.name;
    }
    if (std::getenv("KAPPA_TABLE") != nullptr || (!good && least == 42)) {
      std::printf("%-14s %2d %-32s %s f=%.9g |g|=%.2g it=%ld v=%ld g=%ld %s %s %.2g/%.2g\n", method,
                  p.number, p.name.c_str(), good ? "ok" : "--", result.value,
                  result.gradient_norm_inf, static_cast<long>(result.num_iterations),
                  static_cast<long>(result.counts.num_values),
                  static_cast<long>(result.counts.num_gradients), to_string(result.status),
                  result.reason.criterion.c_str(), result.reason.measured, result.reason.threshold);
    }
  }
  EXPECT_GE(reached, least);
}

INSTANTIATE_TEST_SUITE_P(Methods, MghMethod,
                         testing::Values(std::pair{"trust-region", 42}, std::pair{"newton-cg", 38},
                                         std::pair{"lm", 36}, std::pair{"lbfgs", 36}),
                         [](const auto& instance) {
                           std::string name = instance.param.first;
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

}  // namespace
}  // namespace kappa
