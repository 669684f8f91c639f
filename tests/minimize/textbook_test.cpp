// Rates of convergence on quadratics with a given spectrum, against their closed forms.

#include <gtest/gtest.h>

#include <cmath>

#include "kappa/minimize.h"
#include "minimize/problems.h"

namespace kappa {
namespace {

using test::Quadratic;
using test::Vector;

double norm(const Vector& w) {
  double sum = 0;
  for (const double x : w) sum += x * x;
  return std::sqrt(sum);
}

/// The iterates of a run, the start first.
std::vector<Vector> walk(const Problem& problem, const Vector& start, MinimizeOptions options) {
  std::vector<Vector> points;
  options.on_iteration = [&](const IterationRecord&, std::span<const double> w,
                             std::span<const double>) {
    points.emplace_back(w.begin(), w.end());
    return true;
  };
  minimize(problem, start, options);
  return points;
}

// Every eigen-direction contracts by 1 - a lambda_i, each step, signs included.
TEST(Textbook, GradientDescentContractsEveryEigenDirection) {
  const Vector lambda = {1, 3, 10, 18};
  const Quadratic problem(lambda);
  const double rate = 0.1;
  const auto points = walk(problem, {1, -2, 3, 4},
                           {.method = "gd",
                            .method_options = {{"learning-rate", "0.1"}},
                            .max_iterations = 30,
                            .gradient_tolerance = 0});
  ASSERT_EQ(points.size(), 31u);
  for (std::size_t k = 1; k < points.size(); ++k) {
    for (std::size_t i = 0; i < 4; ++i) {
      EXPECT_NEAR(points[k][i], (1 - rate * lambda[i]) * points[k - 1][i], 1e-15);
    }
  }
}

// 1/lambda_max kills the stiffest direction in one step and contracts the softest by 1 - 1/kappa.
TEST(Textbook, LambdaMaxRate) {
  const Quadratic problem({2, 5, 40});
  const auto points =
      walk(problem, {1, 1, 1},
           {.method = "gd", .method_options = {{"step", "lambda-max"}}, .max_iterations = 20});
  for (std::size_t k = 1; k < points.size(); ++k) {
    EXPECT_NEAR(points[k][0], (1 - 2.0 / 40) * points[k - 1][0], 1e-9);
    EXPECT_NEAR(points[k][2], 0, 1e-9);
  }
}

// Exact steps: f contracts by at least ((kappa-1)/(kappa+1))^2, and from the worst start exactly so
// (Nocedal & Wright 2006, theorem 3.3; Kantorovich).
TEST(Textbook, ExactSteepestDescentMeetsKantorovich) {
  const Quadratic problem({1, 9});
  const auto points =
      walk(problem, {9, 1},
           {.method = "gd", .method_options = {{"step", "exact"}}, .max_iterations = 15});
  ASSERT_EQ(points.size(), 16u);
  for (std::size_t k = 1; k < points.size(); ++k) {
    EXPECT_NEAR(problem.value(points[k].data()), 0.64 * problem.value(points[k - 1].data()),
                1e-12 * problem.value(points[k - 1].data()));
  }
}

// Heavy ball tuned from the spectrum: root b = (sqrt(k)-1)/(sqrt(k)+1), |w_k| ~ k b^k (Polyak
// 1964).
TEST(Textbook, HeavyBallRate) {
  const Quadratic problem({1, 4, 25, 100});
  const double rate = (10.0 - 1) / (10 + 1);
  const auto points = walk(problem, {1, 1, 1, 1},
                           {.method = "momentum", .max_iterations = 100, .gradient_tolerance = 0});
  ASSERT_EQ(points.size(), 101u);
  // A double root: |w_k| <= (1 + c k) b^k, so the mean contraction over 50 steps late in the run is
  // b up to the growth (1 + 100 c)/(1 + 50 c) <= 2.
  const double measured = std::pow(norm(points[100]) / norm(points[50]), 1.0 / 50);
  EXPECT_GT(measured, rate * 0.98);
  EXPECT_LT(measured, rate * std::pow(2.0, 1.0 / 50) * 1.01);
}

// Nesterov at 1/L with b = (sqrt(k)-1)/(sqrt(k)+1): the iteration matrix has spectral radius
// 1 - 1/sqrt(k) (double root of z^2 - (1+b)(1-1/k) z + b(1-1/k)).
TEST(Textbook, NesterovRate) {
  const Quadratic problem({1, 30, 100});
  const auto points = walk(problem, {1, 1, 1},
                           {.method = "nesterov", .max_iterations = 200, .gradient_tolerance = 0});
  const double measured = std::pow(norm(points[200]) / norm(points[100]), 1.0 / 100);
  EXPECT_NEAR(measured, 0.9, 0.01);
}

// 2/lambda_max is the limit: just below converges, just above diverges and the report says which
// rate and which curvature.
TEST(Textbook, StabilityLimit) {
  const Quadratic problem({1, 7, 20});
  MinimizeOptions options{.method = "gd",
                          .method_options = {{"learning-rate", "0.0999"}},
                          .max_iterations = 0,
                          .gradient_tolerance = 1e-10};
  const Vector start = {1, 1, 1};
  EXPECT_EQ(minimize(problem, start, options).status, MinimizeStatus::converged);
  options.method_options = {{"learning-rate", "0.1001"}};
  const MinimizeResult result = minimize(problem, start, options);
  EXPECT_EQ(result.status, MinimizeStatus::diverged);
  EXPECT_EQ(result.reason.criterion, "rising_iterations");
  ASSERT_FALSE(result.warnings.empty());
  EXPECT_NE(result.warnings[0].find("exceeds 2/curvature"), std::string::npos);
  EXPECT_LE(result.value, result.start_value);  // the best point is handed back
  EXPECT_TRUE(result.usable);
}

TEST(Textbook, DivergenceIsSeenEarly) {
  const Quadratic problem({1, 10});
  const MinimizeResult result = minimize(
      problem, Vector{1, 1}, {.method = "gd", .method_options = {{"learning-rate", "0.21"}}});
  EXPECT_EQ(result.status, MinimizeStatus::diverged);
  EXPECT_LE(result.num_iterations, 20);
  EXPECT_FALSE(result.warnings.empty());  // said at the third rise
}

// Newton's method solves a quadratic in one step.
TEST(Textbook, NewtonSolvesQuadraticInOneStep) {
  const Quadratic problem({1e-3, 1, 1e6});
  for (const char* method : {"trust-region", "newton-cg"}) {
    const MinimizeResult result = minimize(
        problem, Vector{1, 1, 1}, {.method = method, .method_options = {{"radius", "1e6"}}});
    EXPECT_EQ(result.status, MinimizeStatus::converged) << method;
    EXPECT_LE(result.num_iterations, 3) << method;
  }
}

TEST(Textbook, LambdaMaxIsTracked) {
  const Quadratic problem({2, 5, 40});
  const MinimizeResult result = minimize(problem, Vector{1, 1, 1},
                                         {.method = "gd",
                                          .method_options = {{"learning-rate", "0.02"}},
                                          .max_iterations = 4,
                                          .track_curvature_every = 2});
  const auto& measures = result.iterations.at(2).measures;
  double lambda_max = 0, limit = 0;
  for (const Measure& m : measures) {
    if (m.name == "lambda_max") lambda_max = m.value;
    if (m.name == "stability_limit") limit = m.value;
  }
  EXPECT_NEAR(lambda_max, 40, 1e-8);
  EXPECT_NEAR(limit, 100, 1e-12);
}

}  // namespace
}  // namespace kappa
