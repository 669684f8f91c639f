// Single methods against what their papers say of them.

#include <gtest/gtest.h>

#include <cmath>

#include "kappa/minimize.h"
#include "minimize/adaptive_update.h"
#include "minimize/problems.h"

namespace kappa {
namespace {

using test::LogisticRegression;
using test::Quadratic;
using test::Vector;

MinimizeResult run(const Problem& problem, const Vector& start, MinimizeOptions options) {
  return minimize(problem, start, options);
}

// Linear CG ends after as many steps as there are distinct eigenvalues (Nocedal & Wright 2006,
// theorem 5.4), and on the way obeys |e_k|_A <= 2 ((sqrt(k)-1)/(sqrt(k)+1))^k |e_0|_A (5.36).
TEST(ConjugateGradients, FiniteTerminationAndChebyshevBound) {
  Vector lambda, start;
  for (int i = 0; i < 60; ++i) {
    lambda.push_back(i % 3 == 0 ? 1 : i % 3 == 1 ? 7 : 30);
    start.push_back(std::sin(i + 1.0));
  }
  MinimizeResult result =
      run(Quadratic(lambda), start,
          {.method = "cg", .method_options = {{"formula", "linear"}}, .gradient_tolerance = 1e-11});
  EXPECT_EQ(result.status, MinimizeStatus::converged);
  EXPECT_EQ(result.num_iterations, 3);

  for (std::size_t i = 0; i < 60; ++i) lambda[i] = 1 + 99.0 * static_cast<double>(i) / 59;
  result = run(Quadratic(lambda), start,
               {.method = "cg", .method_options = {{"formula", "linear"}}, .max_iterations = 40});
  const double rate = (10.0 - 1) / (10 + 1);
  double bound = 2;
  for (const IterationRecord& r : result.iterations) {
    EXPECT_LE(std::sqrt(r.value / result.start_value), bound * (1 + 1e-10)) << r.iteration;
    bound *= rate;
  }
}

// Exact line search or not, every formula is linear CG on a quadratic once the search is sharp;
// here only: all converge, and in fewer steps than gradient descent would need.
TEST(ConjugateGradients, EveryFormulaConverges) {
  for (const char* formula : {"hager-zhang", "polak-ribiere", "fletcher-reeves", "linear"}) {
    const MinimizeResult result = run(Quadratic({1, 3, 9, 27, 81}), Vector(5, 1.0),
                                      {.method = "cg", .method_options = {{"formula", formula}}});
    EXPECT_EQ(result.status, MinimizeStatus::converged) << formula;
    EXPECT_LE(result.num_iterations, 40) << formula;
  }
}

// The first step of Adam is rate * sign(g) (bias correction; eps aside), of RMSProp
// rate * sign(g) / sqrt(1 - 0.99), of AdamW Adam's and rate * decay * w.
TEST(Adaptive, FirstSteps) {
  const Quadratic problem({1, 100});
  const Vector start = {2, -3};
  Vector w = run(problem, start, {.method = "adam", .max_iterations = 1}).w;
  EXPECT_NEAR(w[0], 2 - 1e-3, 1e-10);
  EXPECT_NEAR(w[1], -3 + 1e-3, 1e-10);
  w = run(problem, start, {.method = "rmsprop", .max_iterations = 1}).w;
  EXPECT_NEAR(w[0], 2 - 1e-2, 1e-8);
  EXPECT_NEAR(w[1], -3 + 1e-2, 1e-8);
  w = run(problem, start, {.method = "adamw", .max_iterations = 1}).w;
  EXPECT_NEAR(w[0], 2 - 1e-3 - 1e-3 * 0.01 * 2, 1e-10);
}

// Kingma & Ba's algorithm 1 written out, for whole vectors and what is left over.
TEST(Adaptive, UpdateIsTheFormula) {
  for (const double b1 : {0.9, 0.0}) {
    const AdaptiveUpdate rule{.rate = 1e-2,
                              .first_decay = b1,
                              .second_decay = 0.99,
                              .first_correction = 1 / (1 - 0.9),
                              .second_correction = 1 / (1 - 0.99),
                              .epsilon = 1e-8,
                              .decoupled_decay = 0.1};
    Vector g(21), m(21), v(21), w(21);
    for (std::size_t i = 0; i < 21; ++i) {
      const auto x = static_cast<double>(i);
      g[i] = std::sin(x), m[i] = std::cos(x), v[i] = 0.1 * x, w[i] = std::sin(3 * x);
    }
    Vector m1 = m, v1 = v, w1 = w;
    const double square =
        adaptive_update(rule, 21, g.data(), b1 > 0 ? m1.data() : nullptr, v1.data(), w1.data());
    double expected = 0;
    for (std::size_t i = 0; i < 21; ++i) {
      const double second = 0.99 * v[i] + (1 - 0.99) * g[i] * g[i];
      const double first = b1 > 0 ? b1 * m[i] + (1 - b1) * g[i] : g[i];
      const double step = 1e-2 * (rule.first_correction * first /
                                      (std::sqrt(rule.second_correction * second) + 1e-8) +
                                  0.1 * w[i]);
      EXPECT_NEAR(v1[i], second, 1e-15) << i;
      if (b1 > 0) {
        EXPECT_NEAR(m1[i], first, 1e-15) << i;
      }
      EXPECT_NEAR(w1[i], w[i] - step, 1e-15) << i;
      expected += step * step;
    }
    EXPECT_NEAR(square, expected, 1e-14 * expected);
  }
}

// AdaHessian on an axis-aligned quadratic: D is exact, so the first step is rate * g / lambda =
// rate * w in every direction, whatever the scaling.
TEST(AdaHessian, FirstStepIsNewtonLike) {
  const Vector w =
      run(Quadratic({1, 1e4}), Vector{2, -3}, {.method = "adahessian", .max_iterations = 1}).w;
  EXPECT_NEAR(w[0], 2 * 0.85, 1e-3);
  EXPECT_NEAR(w[1], -3 * 0.85, 1e-3);
}

// Momentum's closed form over two steps on f = w^2/2.
TEST(Sgd, MomentumByHand) {
  const Vector w = run(Quadratic({1}), Vector{1},
                       {.method = "sgd",
                        .method_options = {{"learning-rate", "0.1"}, {"momentum", "0.5"}},
                        .max_iterations = 2})
                       .w;
  // v1 = -0.1, w1 = 0.9; v2 = -0.05 - 0.09 = -0.14, w2 = 0.76.
  EXPECT_NEAR(w[0], 0.76, 1e-15);
}

// The estimate of lambda_max is right once the running product has settled.
TEST(OnlineLambdaMax, FindsLambdaMax) {
  const MinimizeResult result = run(Quadratic({1, 2, 20}), Vector{1, 1, 1},
                                    {.method = "online-lambda-max", .max_iterations = 200});
  double estimate = 0;
  for (const Measure& m : result.iterations.back().measures) {
    if (m.name == "lambda_estimate") estimate = m.value;
  }
  EXPECT_NEAR(estimate, 20, 0.2);
  EXPECT_LT(result.value, 1e-3 * result.start_value);
}

double best_of_grid(const Problem& problem, const Vector& start, double epochs) {
  double best = INFINITY;
  for (const char* rate : {"0.01", "0.03", "0.1", "0.3", "1", "3"}) {
    best = std::min(best, run(problem, start,
                              {.method = "sgd",
                               .method_options = {{"learning-rate", rate}},
                               .max_epochs = epochs,
                               .minibatch = 10})
                              .value);
  }
  return best;
}

TEST(VarianceSgd, NoRateComesWithinFivePercentOfTheBestOfAGrid) {
  const LogisticRegression problem(2000, 20, 1e-3);
  const Vector start(20, 0.0);
  const double best = best_of_grid(problem, start, 5);
  for (const char* rates : {"local", "global"}) {
    const MinimizeResult result = run(
        problem, start,
        {.method = "vsgd", .method_options = {{"rates", rates}}, .max_epochs = 5, .minibatch = 10});
    EXPECT_LE(result.value, 1.05 * best) << rates;
  }
}

TEST(HessianFree, SolvesLogisticRegression) {
  const LogisticRegression problem(500, 30, 1e-3);
  const Vector start(30, 0.0);
  const double best = run(problem, start, {.method = "lbfgs"}).value;
  MinimizeResult result = run(problem, start, {.method = "hessian-free", .max_iterations = 200});
  EXPECT_EQ(result.status, MinimizeStatus::converged) << result.reason.text;
  EXPECT_NEAR(result.value, best, 1e-10);
  result = run(problem, start, {.method = "hessian-free", .max_iterations = 30, .minibatch = 100});
  EXPECT_LE(result.value, 1.001 * best);
}

// Every method that takes samples makes progress on logistic regression with its defaults.
TEST(Stochastic, DefaultsMakeProgress) {
  const LogisticRegression problem(2000, 20, 1e-3);
  for (const MethodInfo& info : minimize_methods()) {
    if (!info.stochastic) continue;
    const MinimizeResult result =
        run(problem, Vector(20, 0.0), {.method = info.name, .max_epochs = 10, .minibatch = 20});
    EXPECT_LT(result.value, result.start_value) << info.name;
    EXPECT_TRUE(result.usable) << info.name;
  }
}

// A start on the axis of a saddle with a gradient along it: first-order methods are drawn in, those
// that see negative curvature come out below.
TEST(SaddleFree, RepelledBySaddle) {
  const test::GenericProblem saddle(2, []<class T>(const std::vector<T>& x) {
    return x[0] * x[0] - x[1] * x[1] + 0.25 * x[1] * x[1] * x[1] * x[1];
  });
  for (const char* method : {"saddle-free", "cubic", "newton", "trust-region", "newton-cg"}) {
    const MinimizeResult result = run(saddle, Vector{3, 1e-9}, {.method = method});
    EXPECT_EQ(result.status, MinimizeStatus::converged) << method;
    EXPECT_NEAR(result.value, -1, 1e-10) << method;
  }
}

// Matrix-free and dense forms of one method end at the same minimum.
TEST(Krylov, MatrixFreeFormsOfDenseMethods) {
  Vector start;
  for (int i = 0; i < 10; ++i) start.push_back(i % 2 == 0 ? -1.2 : 1);
  const test::ResidualProblem chained(10, 18, []<class T>(const std::vector<T>& x) {
    std::vector<T> r;
    for (std::size_t i = 0; i + 1 < x.size(); ++i) {
      r.push_back(10.0 * (x[i + 1] - x[i] * x[i]));
      r.push_back(1.0 - x[i]);
    }
    return r;
  });
  for (const char* method : {"cubic", "saddle-free"}) {
    const MinimizeResult result =
        run(chained, start,
            {.method = method, .method_options = {{"max-dense", "0"}, {"max-products", "10"}}});
    EXPECT_EQ(result.status, MinimizeStatus::converged) << method;
    EXPECT_LE(result.counts.num_hessians, 1) << method;  // the look for a saddle at the end
    EXPECT_GT(result.counts.num_hvps, 0) << method;
  }
}

TEST(Bfgs, FewStepsOnAQuadratic) {
  const MinimizeResult result = run(Quadratic({1, 10, 100}), Vector{1, 1, 1}, {.method = "bfgs"});
  EXPECT_EQ(result.status, MinimizeStatus::converged);
  EXPECT_LE(result.num_iterations, 25);
}

}  // namespace
}  // namespace kappa
