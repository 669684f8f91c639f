// The matrix-free trust-region solvers against the exact one, and newton-cg on both of them.

#include <gtest/gtest.h>

#include <Eigen/Eigenvalues>
#include <cmath>
#include <random>

#include "minimize/lanczos_region.h"
#include "minimize/lowest_curvature.h"
#include "minimize/problems.h"
#include "minimize/secular.h"
#include "minimize/steihaug.h"

namespace kappa {
namespace {

using Eigen::MatrixXd;
using Eigen::VectorXd;
using test::Vector;

struct Model {
  MatrixXd hessian;
  VectorXd gradient;

  [[nodiscard]] double decrease(const Vector& s) const {
    const Eigen::Map<const VectorXd> y(s.data(), static_cast<Eigen::Index>(s.size()));
    return -(gradient.dot(y) + 0.5 * y.dot(hessian * y));
  }
  [[nodiscard]] TrustRegionStep exact(double radius) const {
    const Eigen::SelfAdjointEigenSolver<MatrixXd> eigen(hessian);
    return solve_trust_region(eigen.eigenvalues(), eigen.eigenvectors().transpose() * gradient,
                              radius);
  }
};

Model random_model(Eigen::Index n, bool definite, std::uint32_t seed) {
  std::mt19937 engine(seed);
  std::normal_distribution<double> normal;
  const MatrixXd a = MatrixXd::NullaryExpr(n, n, [&] { return normal(engine); });
  Model model;
  model.hessian = definite ? MatrixXd(a * a.transpose() + MatrixXd::Identity(n, n))
                           : MatrixXd(a + a.transpose());
  model.gradient = VectorXd::NullaryExpr(n, [&] { return normal(engine); });
  return model;
}

LanczosRegion lanczos_region(const Model& model, double residual, std::int64_t limit) {
  const auto n = model.gradient.size();
  return {[&model, n](const double* v, double* hv) {
            Eigen::Map<VectorXd>(hv, n) = model.hessian * Eigen::Map<const VectorXd>(v, n);
          },
          {model.gradient.data(), static_cast<std::size_t>(n)},
          residual,
          limit};
}

TEST(LanczosRegion, IsTheExactMinimiserOnceTheSpaceIsLargeEnough) {
  for (std::uint32_t seed = 0; seed < 20; ++seed) {
    const Model model = random_model(30, seed % 2 == 0, seed);
    for (const double radius : {1e-2, 1.0, 100.0}) {
      LanczosRegion region = lanczos_region(model, 1e-10, 30);
      const LanczosRegion::Step step = region.solve(radius);
      const TrustRegionStep exact = model.exact(radius);
      ASSERT_TRUE(step.finite);
      EXPECT_LE(step.length, radius * (1 + 1e-9));
      EXPECT_NEAR(step.decrease, exact.decrease, 1e-8 * exact.decrease);
      EXPECT_NEAR(model.decrease(step.s), step.decrease, 1e-8 * exact.decrease);
      EXPECT_NEAR(step.shift, exact.shift, 1e-6 * (1 + exact.shift));
    }
  }
}

TEST(LanczosRegion, SmallerRadiusCostsNoProduct) {
  const Model model = random_model(30, false, 3);
  LanczosRegion region = lanczos_region(model, 1e-10, 30);
  (void)region.solve(10);
  const std::int64_t products = region.num_products();
  for (const double radius : {1.0, 0.1}) {
    EXPECT_NEAR(region.solve(radius).decrease, model.exact(radius).decrease,
                1e-8 * model.exact(radius).decrease);
  }
  EXPECT_EQ(region.num_products(), products);
}

TEST(LanczosRegion, StopsAtItsResidualAndAtItsLimit) {
  const Model model = random_model(200, true, 5);
  const double size = model.gradient.norm();
  LanczosRegion loose = lanczos_region(model, 0.1 * size, 200), tight = lanczos_region(model, 0, 7);
  const LanczosRegion::Step step = loose.solve(1e3);
  EXPECT_LT(loose.num_products(), 100);
  VectorXd rest = model.gradient + (model.hessian + step.shift * MatrixXd::Identity(200, 200)) *
                                       Eigen::Map<const VectorXd>(step.s.data(), 200);
  EXPECT_LE(rest.norm(), 0.1 * size * (1 + 1e-8));
  (void)tight.solve(1);
  EXPECT_EQ(tight.num_products(), 7);
}

class DenseProblem final : public test::FunctionProblem {
 public:
  explicit DenseProblem(Model model) : model_(std::move(model)) {}
  std::int64_t dimension() const override { return model_.gradient.size(); }
  double evaluate(const double* w, double* g) const override {
    const Eigen::Map<const VectorXd> x(w, dimension());
    Eigen::Map<VectorXd>(g, dimension()) = model_.gradient + model_.hessian * x;
    return model_.gradient.dot(x) + 0.5 * x.dot(model_.hessian * x);
  }
  void product(const double*, const double* d, double* p) const override {
    Eigen::Map<VectorXd>(p, dimension()) =
        model_.hessian * Eigen::Map<const VectorXd>(d, dimension());
  }

 private:
  Model model_;
};

// Yuan (2000): on a convex model the truncated step gains at least half of what the best one does.
TEST(TruncatedConjugateGradients, GainAtLeastHalfOfTheBestOnConvexModels) {
  for (std::uint32_t seed = 0; seed < 20; ++seed) {
    const Model model = random_model(20, true, seed);
    const DenseProblem problem(model);
    const MinimizeOptions options;
    Evaluator evaluator(problem, options);
    const Vector origin(20, 0.0);
    const auto curvature = evaluator.linearize(origin.data());
    TruncatedConjugateGradients inner;
    for (const double radius : {1e-3, 1e-2, 0.1}) {
      const TruncatedStep& step =
          inner.solve(curvature, {model.gradient.data(), 20}, 1e-12, radius, false, 100);
      ASSERT_TRUE(step.crossed);
      EXPECT_NEAR(norm(step.boundary_step), radius, 1e-12);
      EXPECT_NEAR(model.decrease(step.boundary_step), step.boundary_decrease,
                  1e-10 * step.boundary_decrease);
      const double best = model.exact(radius).decrease;
      EXPECT_LE(step.boundary_decrease, best * (1 + 1e-12));
      EXPECT_GE(step.boundary_decrease, 0.5 * best);
    }
  }
}

// A diagonal Hessian of 2000 entries from 1 to 100 and one that is `lowest`.
test::Quadratic one_odd_eigenvalue(double lowest) {
  Vector lambda(2000);
  for (std::size_t i = 0; i < lambda.size(); ++i) {
    lambda[i] = 1 + 99 * static_cast<double>(i) / 1999;
  }
  lambda[700] = lowest;
  return test::Quadratic(std::move(lambda));
}

TEST(LowestCurvature, FindsTheSignOfTheLowestEigenvalueWithoutABasis) {
  const MinimizeOptions options;
  const Vector origin(2000, 0.0);
  for (const double lowest : {-30.0, -1.0, 0.5}) {
    const test::Quadratic problem = one_odd_eigenvalue(lowest);
    Evaluator evaluator(problem, options);
    const LowestCurvature found =
        lowest_curvature(evaluator, evaluator.linearize(origin.data()), 100);
    ASSERT_EQ(found.negative(), lowest < 0) << lowest;
    EXPECT_LE(std::fabs(found.value - lowest), found.error + 1e-12) << lowest;
    EXPECT_GE(found.largest, 90);
    if (lowest < 0) {  // a direction with the curvature that was promised
      double bend = 0;
      for (std::size_t i = 0; i < 2000; ++i) {
        const double d = found.direction[i];
        bend += (i == 700 ? lowest : 1 + 99 * static_cast<double>(i) / 1999) * d * d;
      }
      EXPECT_NEAR(bend, found.value, 1e-9);
      EXPECT_NEAR(norm(found.direction), 1, 1e-12);
      EXPECT_LE(evaluator.counts().num_hvps, 200);
    }
  }
}

TEST(LowestCurvature, EndsInAnInvariantSpace) {
  const MinimizeOptions options;
  const Vector origin(600, 0.0);
  const test::Quadratic identity(Vector(600, 3.0));
  Evaluator evaluator(identity, options);
  const LowestCurvature found =
      lowest_curvature(evaluator, evaluator.linearize(origin.data()), 100);
  EXPECT_NEAR(found.value, 3, 1e-12);
  EXPECT_LE(evaluator.counts().num_hvps, 4);
}

// (x_k^2 - 1)^2 + sum_{i != k} (1 + 99 i/n) x_i^2 over 600 variables: a saddle at 0 that one axis
// alone leads out of, and minima where x_k = +-1 and the rest is 0.
class OneWayOut final : public test::FunctionProblem {
 public:
  static constexpr std::size_t n = 600, k = 250;
  std::int64_t dimension() const override { return n; }
  double evaluate(const double* x, double* g) const override {
    const double well = x[k] * x[k] - 1;
    double f = well * well;
    for (std::size_t i = 0; i < n; ++i) {
      if (i != k) f += weight(i) * x[i] * x[i];
      g[i] = i == k ? 4 * well * x[k] : 2 * weight(i) * x[i];
    }
    return f;
  }
  void product(const double* x, const double* d, double* p) const override {
    for (std::size_t i = 0; i < n; ++i) {
      p[i] = (i == k ? 12 * x[k] * x[k] - 4 : 2 * weight(i)) * d[i];
    }
  }

 private:
  static double weight(std::size_t i) { return 1 + 99 * static_cast<double>(i) / n; }
};

TEST(NewtonCg, LeavesASaddleOfManyVariablesByItsOnlyWayOut) {
  const OneWayOut saddle;
  for (const char* subproblem : {"steihaug", "lanczos"}) {
    const MinimizeResult result =
        minimize(saddle, Vector(OneWayOut::n, 0.0),
                 {.method = "newton-cg", .method_options = {{"subproblem", subproblem}}});
    EXPECT_EQ(result.status, MinimizeStatus::converged) << subproblem;
    for (std::size_t i = 0; i < OneWayOut::n; ++i) {
      EXPECT_NEAR(std::fabs(result.w[i]), i == OneWayOut::k ? 1 : 0, 1e-6) << subproblem;
    }
  }
}

TEST(NewtonCg, BothSubproblemsReachTheMinimum) {
  const test::ResidualProblem problem = test::rosenbrock();
  for (const char* subproblem : {"steihaug", "lanczos"}) {
    const MinimizeResult result =
        minimize(problem, Vector{-1.2, 1},
                 {.method = "newton-cg", .method_options = {{"subproblem", subproblem}}});
    EXPECT_EQ(result.status, MinimizeStatus::converged) << subproblem;
    EXPECT_NEAR(result.w[0], 1, 1e-7) << subproblem;
  }
}

}  // namespace
}  // namespace kappa
