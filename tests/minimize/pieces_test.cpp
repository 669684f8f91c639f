// The parts that methods share: subproblem solvers, factorisations, estimators, mini-batches.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <set>

#include "minimize/hutchinson.h"
#include "minimize/line_search.h"
#include "minimize/minibatches.h"
#include "minimize/modified_cholesky.h"
#include "minimize/problems.h"
#include "minimize/secular.h"

namespace kappa {
namespace {

using Eigen::MatrixXd;
using Eigen::VectorXd;

double model(const VectorXd& lambda, const VectorXd& c, const VectorXd& y) {
  return c.dot(y) + 0.5 * y.cwiseAbs2().dot(lambda);
}

// More & Sorensen: y is the global minimiser iff (lambda + s) y = -c, s (|y| - r) = 0, lambda + s
// >= 0.
void expect_optimal(const VectorXd& lambda, const VectorXd& c, double radius) {
  const TrustRegionStep step = solve_trust_region(lambda, c, radius);
  const double scale = c.norm() + lambda.cwiseAbs().maxCoeff() * radius;
  EXPECT_LE(step.y.norm(), radius * (1 + 1e-6));
  EXPECT_GE(step.shift, 0);
  EXPECT_GE(lambda.minCoeff() + step.shift, -1e-12 * scale);
  const VectorXd residual = (lambda.array() + step.shift).matrix().cwiseProduct(step.y) + c;
  EXPECT_LE(residual.norm(), 1e-10 * scale);
  EXPECT_NEAR(step.shift * (step.y.norm() - radius), 0, 1e-6 * scale * radius);
  EXPECT_NEAR(step.decrease, -model(lambda, c, step.y), 1e-12 * scale * radius);
}

TEST(TrustRegion, OptimalityConditionsOnRandomModels) {
  std::mt19937 engine(7);
  std::normal_distribution<double> normal;
  for (int k = 0; k < 300; ++k) {
    const int n = 1 + k % 8;
    VectorXd lambda(n), c(n);
    for (int i = 0; i < n; ++i) {
      lambda(i) = normal(engine) * std::pow(10, k % 5 - 2);
      c(i) = normal(engine);
    }
    if (k % 3 == 0) lambda = lambda.cwiseAbs();
    std::sort(lambda.data(), lambda.data() + n);
    expect_optimal(lambda, c, std::exp(2 * normal(engine)));
  }
}

// Nothing of c in the lowest eigenspace: the step is completed along it to the boundary.
TEST(TrustRegion, HardCase) {
  const VectorXd lambda = (VectorXd(3) << -2, -2, 1).finished();
  const VectorXd c = (VectorXd(3) << 0, 0, 1).finished();
  expect_optimal(lambda, c, 2);
  const TrustRegionStep step = solve_trust_region(lambda, c, 2);
  EXPECT_NEAR(step.shift, 2, 1e-14);
  EXPECT_NEAR(step.y(2), -1.0 / 3, 1e-14);
  EXPECT_NEAR(step.y.norm(), 2, 1e-14);
  expect_optimal(lambda, VectorXd::Zero(3), 1);  // at a saddle itself
}

TEST(TrustRegion, SingularModelTakesTheLeastStep) {
  const VectorXd lambda = (VectorXd(2) << 0, 4).finished();
  const VectorXd c = (VectorXd(2) << 0, 4).finished();
  const TrustRegionStep step = solve_trust_region(lambda, c, 10);
  EXPECT_NEAR(step.y(0), 0, 1e-14);
  EXPECT_NEAR(step.y(1), -1, 1e-14);
  EXPECT_FALSE(step.on_boundary);
}

// The global minimiser of the cubic model: (lambda + s) y = -c with s = sigma |y| and lambda + s >=
// 0.
TEST(Cubic, OptimalityConditionsOnRandomModels) {
  std::mt19937 engine(9);
  std::normal_distribution<double> normal;
  for (int k = 0; k < 200; ++k) {
    const int n = 1 + k % 6;
    VectorXd lambda(n), c(n);
    for (int i = 0; i < n; ++i) {
      lambda(i) = normal(engine);
      c(i) = k % 10 == 0 && i == 0 ? 0 : normal(engine);
    }
    std::sort(lambda.data(), lambda.data() + n);
    const double sigma = std::exp(normal(engine));
    const TrustRegionStep step = solve_cubic(lambda, c, sigma);
    EXPECT_NEAR(step.shift, sigma * step.y.norm(), 1e-9 * (1 + step.shift));
    EXPECT_GE(lambda(0) + step.shift, -1e-12);
    const VectorXd residual = (lambda.array() + step.shift).matrix().cwiseProduct(step.y) + c;
    EXPECT_LE(residual.norm(), 1e-9 * (1 + c.norm()));
  }
}

MatrixXd random_symmetric(int n, unsigned seed) {
  std::mt19937 engine(seed);
  std::normal_distribution<double> normal;
  MatrixXd a(n, n);
  for (int i = 0; i < n; ++i) {
    for (int j = 0; j <= i; ++j) a(i, j) = a(j, i) = normal(engine);
  }
  return a;
}

TEST(ModifiedCholesky, LeavesAPositiveDefiniteMatrixAlone) {
  const MatrixXd a = random_symmetric(6, 1);
  const MatrixXd positive = a * a + MatrixXd::Identity(6, 6);
  const VectorXd b = VectorXd::LinSpaced(6, -1, 2);
  const ModifiedCholesky factor(positive);
  EXPECT_LE(factor.largest_correction(), 1e-12);
  EXPECT_LE((positive * factor.solve(b) - b).norm(), 1e-12);
}

TEST(ModifiedCholesky, IndefiniteBecomesDescentAndBends) {
  for (unsigned seed = 0; seed < 50; ++seed) {
    const MatrixXd a = random_symmetric(5, seed);
    const ModifiedCholesky factor(a);
    const VectorXd b = VectorXd::LinSpaced(5, -1, 2);
    EXPECT_GT(b.dot(factor.solve(b)), 0) << seed;
    if (factor.largest_correction() > 1e-6) {
      const VectorXd d = factor.negative_direction();
      EXPECT_NEAR(d.norm(), 1, 1e-12);
    }
  }
  // A saddle: the direction of negative curvature is found.
  MatrixXd saddle = MatrixXd::Identity(3, 3);
  saddle(1, 1) = -2;
  saddle(0, 1) = saddle(1, 0) = 0.5;
  const VectorXd d = ModifiedCholesky(saddle).negative_direction();
  EXPECT_LT(d.dot(saddle * d), 0);
}

TEST(Hutchinson, ExactForADiagonalAndUnbiasedElsewhere) {
  const test::Quadratic quadratic({1, -2, 3});
  const MinimizeOptions options;
  Evaluator evaluator(quadratic, options);
  const Vector w = {1, 1, 1};
  Vector diagonal(3);
  hutchinson_diagonal(evaluator.linearize(w.data()), CurvatureKind::hessian, 0, 0, 1, diagonal);
  EXPECT_EQ(diagonal, (Vector{1, -2, 3}));

  // f = w0^2 + w0 w1: H = [[2, 1], [1, 0]]; one probe of H_11 is 0 +- 1, so the mean of 4000 has
  // standard deviation 1/sqrt(4000).
  const test::GenericProblem mixed(
      2, []<class T>(const std::vector<T>& x) { return x[0] * x[0] + x[0] * x[1]; });
  Evaluator other(mixed, options);
  Vector estimate(2);
  hutchinson_diagonal(other.linearize(w.data()), CurvatureKind::hessian, 3, 1, 4000, estimate);
  EXPECT_NEAR(estimate[0], 2, 4 / std::sqrt(4000.0));
  EXPECT_NEAR(estimate[1], 0, 4 / std::sqrt(4000.0));
  EXPECT_EQ(other.counts().num_hvps, 4000);
}

TEST(Minibatches, EveryEpochIsAPermutationOfItsOwn) {
  Minibatches batches(10, 4, 42);
  EXPECT_EQ(batches.num_per_epoch(), 3);
  std::vector<std::vector<std::int64_t>> epochs(2);
  for (std::int64_t k = 0; k < 6; ++k) {
    const auto batch = batches.batch(k);
    EXPECT_EQ(batch.size(), k % 3 == 2 ? 2u : 4u);
    auto& epoch = epochs[static_cast<std::size_t>(k / 3)];
    epoch.insert(epoch.end(), batch.begin(), batch.end());
  }
  for (const auto& epoch : epochs) {
    EXPECT_EQ(std::set<std::int64_t>(epoch.begin(), epoch.end()).size(), 10u);
  }
  EXPECT_NE(epochs[0], epochs[1]);
  Minibatches again(10, 4, 42), other(10, 4, 43);
  const auto batch = again.batch(4);  // straight into the second epoch
  EXPECT_TRUE(std::equal(batch.begin(), batch.end(), epochs[1].begin() + 4));
  const auto first = other.batch(0);
  EXPECT_FALSE(std::equal(first.begin(), first.end(), epochs[0].begin()));
  EXPECT_TRUE(Minibatches(10, 20, 0).batch(0).empty());  // all of them
}

// f(a) = -a / (a^2 + 2) (More & Thuente 1994, (5.1)): from every first step a strong Wolfe point.
TEST(LineSearch, StrongWolfeFromAnyFirstStep) {
  const test::GenericProblem hill(
      1, []<class T>(const std::vector<T>& x) { return -(x[0] / (x[0] * x[0] + 2.0)); });
  const MinimizeOptions options;
  for (const double first : {1e-3, 1e-1, 1.0, 10.0, 1e3}) {
    Evaluator evaluator(hill, options);
    Iterate from(1), trial(1);
    from.w = {0};
    from.value = evaluator.gradient(from.w.data(), from.gradient.data());
    const Vector direction = {1};
    const LineSearchResult found =
        wolfe_search(evaluator, from, direction, first, trial, {.curvature = 0.1});
    EXPECT_TRUE(found.decreased);
    EXPECT_LE(trial.value, from.value + 1e-4 * found.step * from.gradient[0]);
    EXPECT_LE(std::fabs(trial.gradient[0]), 0.1 * std::fabs(from.gradient[0]));
    EXPECT_LE(evaluator.counts().num_gradients, 15);
  }
}

}  // namespace
}  // namespace kappa
