// Bundle adjustment (examples/bundle_adjustment) by Gauss-Newton and by Newton.
#include "../examples/bundle_adjustment/bundle.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

namespace {

std::string folder() {
  const char* data = std::getenv("KAPPA_TEST_DATA");
  return data == nullptr ? "" : std::string(data) + "/bal/";
}

// Ceres 2.1 with automatic derivatives, ceres::AngleAxisRotatePoint and SPARSE_NORMAL_CHOLESKY ends
// at this cost (function_tolerance 1e-14, gradient_tolerance 1e-10).
TEST(Bundle, BothMethodsReachTheMinimumThatCeresFinds) {
  if (folder().empty()) GTEST_SKIP() << "KAPPA_TEST_DATA is not set";
  constexpr double kCeres = 2.979522339542e+02;
  const bundle::Problem problem = bundle::read_libmv(folder() + "libmv/problem_03.bin");
  ASSERT_EQ(problem.num_observations(), 6184);
  const bundle::Functions f = bundle::functions(problem);
  // Gathers and elementwise functions: the entries are computed themselves.
  EXPECT_EQ(kappa::hessian_sparsity(f.cost).num_products, 0);
  for (const auto method : {bundle::Method::gauss_newton, bundle::Method::newton}) {
    const bundle::Result result = bundle::solve(f, problem.start, method);
    EXPECT_NEAR(result.cost, kCeres, 1e-10 * kCeres);
    EXPECT_LE(result.gradient_norm, 1e-6);
  }
}

TEST(Bundle, TheHessianIsSymmetricAndItsProductsAreHvp) {
  if (folder().empty()) GTEST_SKIP() << "KAPPA_TEST_DATA is not set";
  const bundle::Problem problem = bundle::read_text(folder() + "gtsam/dubrovnik-3-7-pre.txt");
  const bundle::Functions f = bundle::functions(problem);
  const Eigen::VectorXd v = Eigen::VectorXd::Random(problem.start.size());
  const Eigen::SparseMatrix<double> h = kappa::sparse_hessian(f.cost, problem.start);
  const Eigen::VectorXd product = kappa::hvp(f.cost, problem.start, v);
  EXPECT_LE((h * v - product).norm(), 1e-12 * product.norm());
  EXPECT_EQ(Eigen::MatrixXd(h), Eigen::MatrixXd(h).transpose());
  const Eigen::SparseMatrix<double> j = kappa::sparse_jacobian(f.residuals, problem.start);
  const Eigen::VectorXd gradient = j.transpose() * kappa::values(f.residuals, problem.start);
  EXPECT_LE((gradient - kappa::gradient(f.cost, problem.start)).norm(), 1e-12 * gradient.norm());
}

// More unknowns than residuals: the points can be seen exactly.
TEST(Bundle, FewObservationsAreMet) {
  if (folder().empty()) GTEST_SKIP() << "KAPPA_TEST_DATA is not set";
  const bundle::Problem problem = bundle::read_text(folder() + "gtsam/dubrovnik-3-7-18-pre.txt");
  const bundle::Functions f = bundle::functions(problem);
  for (const auto method : {bundle::Method::gauss_newton, bundle::Method::newton}) {
    EXPECT_LE(bundle::solve(f, problem.start, method, 200).cost, 1e-8);
  }
}

}  // namespace
