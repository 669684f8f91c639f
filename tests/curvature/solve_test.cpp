#include <gtest/gtest.h>

#include <Eigen/Dense>
#include <cmath>

#include "base/random.h"
#include "curvature/spectra.h"
#include "kappa/curvature.h"
#include "kappa/error.h"

namespace kappa {
namespace {

using testing::dot;
using testing::KnownOperator;
using testing::linspace;

std::vector<double> random_vector(std::int64_t n, std::uint64_t seed) {
  std::vector<double> x(static_cast<std::size_t>(n));
  Random(seed).fill_normal(n, x.data());
  return x;
}

double relative_residual(const SymmetricOperator& a, const std::vector<double>& x,
                         const std::vector<double>& b, double damping = 0) {
  std::vector<double> r(b.size());
  a.apply(1, x.data(), r.data());
  for (std::size_t i = 0; i < b.size(); ++i) r[i] += damping * x[i] - b[i];
  return std::sqrt(dot(r, r) / dot(b, b));
}

TEST(InverseProduct, BothMethodsSolvePositiveDefinite) {
  const KnownOperator a(linspace(0.1, 5, 200));
  const auto b = random_vector(200, 1);
  for (const SolveMethod method : {SolveMethod::cg, SolveMethod::minres}) {
    const SolveResult r = inverse_product(a, b, {.method = method, .tolerance = 1e-11});
    EXPECT_EQ(r.status, SolveStatus::converged);
    EXPECT_LE(relative_residual(a, r.x, b), 2e-11);
    EXPECT_NEAR(r.residual, relative_residual(a, r.x, b), 1e-12);
    EXPECT_TRUE(r.direction.empty());
  }
}

TEST(InverseProduct, CgEndsInAsManyStepsAsThereAreEigenvalues) {
  const KnownOperator a(testing::repeat({{1, 40}, {3, 50}, {7, 10}}));
  const SolveResult r = inverse_product(a, random_vector(100, 2), {.tolerance = 1e-12});
  EXPECT_EQ(r.status, SolveStatus::converged);
  EXPECT_EQ(r.num_products, 3);
}

TEST(InverseProduct, DampingShiftsTheSpectrum) {
  const KnownOperator a(linspace(-1, 5, 60));
  const auto b = random_vector(60, 3);
  const SolveResult r = inverse_product(a, b, {.damping = 2, .tolerance = 1e-10});
  EXPECT_EQ(r.status, SolveStatus::converged);
  EXPECT_LE(relative_residual(a, r.x, b, 2), 1e-9);
}

TEST(InverseProduct, NegativeCurvatureComesWithAWitness) {
  const KnownOperator a(linspace(-1, 5, 60));
  const auto b = random_vector(60, 3);
  for (const SolveMethod method : {SolveMethod::cg, SolveMethod::minres}) {
    const SolveResult r = inverse_product(a, b, {.method = method});
    ASSERT_EQ(r.status, SolveStatus::negative_curvature);
    std::vector<double> ad(60);
    a.apply(1, r.direction.data(), ad.data());
    const double curvature = dot(r.direction, ad) / dot(r.direction, r.direction);
    EXPECT_LE(curvature, 1e-12);
    EXPECT_NEAR(r.direction_curvature, curvature, 1e-9);
    // The step so far is a descent direction of the model.
    EXPECT_GE(dot(r.x, b), 0);
  }
}

TEST(InverseProduct, MinresGoesOnThroughIndefinite) {
  const KnownOperator a(linspace(-3.03, 5, 80));
  const auto b = random_vector(80, 4);
  const SolveResult r = inverse_product(
      a, b,
      {.method = SolveMethod::minres, .tolerance = 1e-9, .stop_at_negative_curvature = false});
  EXPECT_EQ(r.status, SolveStatus::converged);
  EXPECT_LE(relative_residual(a, r.x, b), 1e-8);
}

TEST(InverseProduct, SingularAndEdgeCases) {
  // b has a part in the null space: nothing solves it, and both methods say so.
  const KnownOperator singular({0, 1, 2, 3}, false);
  const std::vector<double> b{1, 1, 1, 1};
  EXPECT_NE(inverse_product(singular, b).status, SolveStatus::converged);
  const SolveResult m = inverse_product(
      singular, b, {.method = SolveMethod::minres, .stop_at_negative_curvature = false});
  EXPECT_EQ(m.status, SolveStatus::stagnated);
  EXPECT_NEAR(m.residual, 0.5, 1e-12);
  // A right-hand side of zeros, and a scalar.
  EXPECT_EQ(inverse_product(singular, std::vector<double>(4, 0.0)).num_products, 0);
  const KnownOperator scalar({4}, false);
  for (const SolveMethod method : {SolveMethod::cg, SolveMethod::minres}) {
    EXPECT_NEAR(inverse_product(scalar, std::vector<double>{2}, {.method = method}).x[0], 0.5,
                1e-15);
  }
  KnownOperator bad(linspace(1, 2, 20));
  bad.fail_from = 2;
  EXPECT_EQ(inverse_product(bad, random_vector(20, 1)).status, SolveStatus::non_finite);
  EXPECT_EQ(inverse_product(KnownOperator(linspace(0.001, 1, 90)), random_vector(90, 1),
                            {.max_iterations = 5})
                .num_products,
            5);
  EXPECT_THROW((void)inverse_product(singular, std::vector<double>{1, 2}), Error);
}

}  // namespace
}  // namespace kappa
