// kappa/function.h names Eigen's types without including it: std::span needs no Eigen, and Eigen
// may come after it. clang-format would sort the includes.
// clang-format off
#include "kappa/function.h"
#include "kappa/solve.h"
// clang-format on

#include <type_traits>
#include <vector>

namespace kappa {

/// sum x^3: g = 3 x^2, H = diag(6 x).
Function cubes(std::int64_t n) {
  return trace([](Array x) { return sum(x * x * x); }, n);
}

struct Derivatives {
  double value = 0;
  std::vector<double> gradient, hessian, product, entries;
};

Derivatives by_spans(const std::vector<double>& x) {
  const Function f = cubes(static_cast<std::int64_t>(x.size()));
  Derivatives d;
  d.value = value(f, x);
  d.gradient.resize(x.size());
  gradient(f, x, d.gradient);
  d.hessian.resize(x.size() * x.size());
  hessian(f, x, d.hessian);
  d.product.resize(x.size());
  hvp(f, x, x, d.product);
  d.entries.resize(static_cast<std::size_t>(hessian_sparsity(f).num_entries));
  sparse_hessian_values(f, x, d.entries);
  return d;
}

std::vector<double> minimum_by_spans(const std::vector<double>& start) {
  const FunctionProblem problem(trace([](Array x) { return sum(square(x - 3)); }, start.size()));
  return minimize(problem, start).w;
}

}  // namespace kappa

#include <gtest/gtest.h>

#include <Eigen/SparseCore>

namespace kappa {
namespace {

static_assert(std::is_same_v<VectorXd, Eigen::VectorXd>);
static_assert(std::is_same_v<MatrixXd, Eigen::MatrixXd>);
static_assert(std::is_same_v<SparseMatrixXd, Eigen::SparseMatrix<double>>);
static_assert(std::is_same_v<ConstVectorRef, Eigen::Ref<const Eigen::VectorXd>>);

TEST(EigenNames, SpansNeedNoEigen) {
  const Derivatives d = by_spans({1, 2});
  EXPECT_EQ(d.value, 9);
  EXPECT_EQ(d.gradient, (std::vector<double>{3, 12}));
  EXPECT_EQ(d.hessian, (std::vector<double>{6, 0, 0, 12}));
  EXPECT_EQ(d.product, (std::vector<double>{6, 24}));
  EXPECT_EQ(d.entries, (std::vector<double>{6, 12}));
  EXPECT_NEAR(minimum_by_spans({0, 0})[1], 3, 1e-7);
}

TEST(EigenNames, EigenMayComeAfterwards) {
  const Function f = cubes(2);
  const Eigen::VectorXd x{{1, 2}};
  EXPECT_EQ(value(f, x), 9);
  EXPECT_EQ(value(f, 2 * x), 72);  // an expression becomes a vector
  EXPECT_EQ(gradient(f, x), Eigen::VectorXd({{3, 12}}));
  EXPECT_EQ(hessian(f, x), Eigen::MatrixXd({{6, 0}, {0, 12}}));
  EXPECT_EQ(sparse_hessian(f, x).coeff(1, 1), 12);
  EXPECT_EQ(hvp(f, x, x.reverse()), Eigen::VectorXd({{12, 12}}));
  const Solution s =
      minimize(trace([](Array y) { return sum(square(y - 3)); }, 2), Eigen::VectorXd::Zero(2));
  EXPECT_NEAR(s.x[1], 3, 1e-7);
}

}  // namespace
}  // namespace kappa
