#include <gtest/gtest.h>

#include <Eigen/SparseCore>
#include <array>
#include <cmath>
#include <string>
#include <thread>
#include <vector>

#include "kappa/error.h"
#include "kappa/function.h"

namespace kappa {
namespace {

using Eigen::MatrixXd;
using Eigen::VectorXd;

VectorXd wave(std::int64_t n) {
  VectorXd x(n);
  for (std::int64_t i = 0; i < n; ++i) x[i] = 0.5 + 0.4 * std::sin(1.7 * static_cast<double>(i));
  return x;
}

Function rosenbrock(std::int64_t n) {
  return trace(
      [n](Array x) {
        const Array a = slice(x, {0}, {n - 1}), b = slice(x, {1}, {n});
        return sum(100 * square(b - a * a) + square(1 - a));
      },
      n);
}

MatrixXd rosenbrock_hessian(const VectorXd& x) {
  const auto n = x.size();
  MatrixXd h = MatrixXd::Zero(n, n);
  for (Eigen::Index i = 0; i + 1 < n; ++i) {
    h(i, i) += 1200 * x[i] * x[i] - 400 * x[i + 1] + 2;
    h(i + 1, i + 1) += 200;
    h(i, i + 1) = h(i + 1, i) = -400 * x[i];
  }
  return h;
}

std::string message_of(const std::function<void()>& call) {
  try {
    call();
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

// f = sum x^3 + x0 x1 x2: all derivatives by hand.
TEST(FunctionApi, CubesAndProduct) {
  const Function f = trace([](Array x) { return sum(x * x * x) + prod(x); }, 3);
  const VectorXd x = (VectorXd(3) << 1, 2, -0.5).finished();
  const VectorXd v = (VectorXd(3) << 0.5, -1, 2).finished();
  MatrixXd h(3, 3);
  h << 6, -0.5, 2, -0.5, 12, 1, 2, 1, -3;
  EXPECT_DOUBLE_EQ(value(f, x), 1 + 8 - 0.125 - 1);
  EXPECT_TRUE(
      gradient(f, x).isApprox((VectorXd(3) << 3 - 1, 12 - 0.5, 0.75 + 2).finished(), 1e-14));
  EXPECT_TRUE(hessian(f, x).isApprox(h, 1e-14));
  EXPECT_TRUE(hvp(f, x, v).isApprox(h * v, 1e-14));
  EXPECT_TRUE(MatrixXd(sparse_hessian(f, x)).isApprox(h, 1e-14));
  VectorXd g(3);
  EXPECT_DOUBLE_EQ(value_and_gradient(f, {x.data(), 3}, {g.data(), 3}), 7.875);
  EXPECT_TRUE(g.isApprox(gradient(f, x), 1e-15));
}

TEST(FunctionApi, RosenbrockDenseSparseAndOperator) {
  for (const std::int64_t n : {2, 3, 10, 700}) {
    const Function f = rosenbrock(n);
    const VectorXd x = wave(n);
    const MatrixXd h = rosenbrock_hessian(x);
    EXPECT_TRUE(hessian(f, x).isApprox(h, 1e-13)) << n;
    const Eigen::SparseMatrix<double> s = sparse_hessian(f, x);
    EXPECT_EQ(s.nonZeros(), 3 * n - 2);
    EXPECT_TRUE(MatrixXd(s).isApprox(h, 1e-13)) << n;
    EXPECT_EQ(hessian_sparsity(f).num_products, 0);  // its three diagonals are arrays themselves
    const FunctionHessian products = hvp_operator(f, x);
    // 11 directions: one block of 8 and three alone.
    const MatrixXd v = MatrixXd::Random(n, 11);
    MatrixXd hv(n, 11);
    products.apply(11, v.data(), hv.data());
    EXPECT_TRUE(hv.isApprox(h * v, 1e-12)) << n;
    EXPECT_DOUBLE_EQ(products.value(), value(f, x));
  }
}

TEST(FunctionApi, SparseHessianReusesItsMatrix) {
  const Function f = rosenbrock(50);
  Eigen::SparseMatrix<double> s;
  sparse_hessian(f, wave(50), s);
  const double* memory = s.valuePtr();
  const VectorXd other = 2 * wave(50);
  sparse_hessian(f, other, s);
  EXPECT_EQ(s.valuePtr(), memory);
  EXPECT_TRUE(MatrixXd(s).isApprox(rosenbrock_hessian(other), 1e-13));
}

// An arrow: one variable meets all others. Its column is peeled; the rest are blocks of three.
TEST(FunctionApi, DenseColumnDoesNotRuinTheColouring) {
  const std::int64_t n = 61;
  const Function f = trace(
      [n](Array x) {
        const Array rest = slice(x, {1}, {n});
        return sum(square(rest) * x[0]) + sum(square(softmax(reshape(rest, {20, 3}))));
      },
      n);
  const VectorXd x = wave(n);
  const SparsityReport report = hessian_sparsity(f);
  EXPECT_EQ(report.num_dense, 1);
  EXPECT_EQ(report.num_products, 4);
  EXPECT_TRUE(MatrixXd(sparse_hessian(f, x)).isApprox(hessian(f, x), 1e-13));
}

// The five-point Laplacian's energy on a grid of two axes.
TEST(FunctionApi, GridOfTwoAxes) {
  const std::int64_t m = 12;
  const Function f = trace(
      [m](Array u) {
        const Array right = slice(u, {0, 1}, {m, m}) - slice(u, {0, 0}, {m, m - 1});
        const Array down = slice(u, {1, 0}, {m, m}) - slice(u, {0, 0}, {m - 1, m});
        return sum(square(right)) + sum(square(down)) + sum(exp(u));
      },
      Shape{m, m});
  const VectorXd x = wave(m * m);
  const Eigen::SparseMatrix<double> s = sparse_hessian(f, x);
  EXPECT_EQ(s.nonZeros(), m * m + 4 * m * (m - 1));
  EXPECT_LE(hessian_sparsity(f).num_products, 8);
  EXPECT_TRUE(MatrixXd(s).isApprox(hessian(f, x), 1e-13));
  EXPECT_EQ(s.coeff(0, 1), -2);
  EXPECT_NEAR(s.coeff(0, 0), 4 + std::exp(x[0]), 1e-13);
}

TEST(FunctionApi, SeveralInputs) {
  const Function f =
      trace([](Array a, Array b) { return sum(matmul(a, b) * matmul(a, b)); }, Shape{2, 3}, 3);
  EXPECT_EQ(f.dimension(), 9);
  const VectorXd x = VectorXd::LinSpaced(9, 1, 9);
  const Eigen::Matrix<double, 2, 3> a =
      (Eigen::Matrix<double, 2, 3>() << 1, 2, 3, 4, 5, 6).finished();
  const Eigen::Vector3d b(7, 8, 9);
  EXPECT_DOUBLE_EQ(value(f, x), (a * b).squaredNorm());
  EXPECT_TRUE(gradient(f, x).tail(3).isApprox(2 * a.transpose() * (a * b), 1e-14));
  EXPECT_TRUE(MatrixXd(sparse_hessian(f, x)).isApprox(hessian(f, x), 1e-13));
}

TEST(FunctionApi, JacobianForwardReverseAndSparse) {
  const std::int64_t n = 30;
  // Differences of squares, and their sum as one long row.
  const Function f = trace(
      [n](Array x) {
        const Array y = square(slice(x, {1}, {n})) - slice(x, {0}, {n - 1});
        const std::array<Array, 2> parts{y, reshape(sum(x * x), {1})};
        return concat(parts, 0);
      },
      n);
  const VectorXd x = wave(n);
  MatrixXd j = MatrixXd::Zero(n, n);
  for (Eigen::Index i = 0; i + 1 < n; ++i) {
    j(i, i) = -1;
    j(i, i + 1) = 2 * x[i + 1];
  }
  j.row(n - 1) = 2 * x.transpose();
  EXPECT_TRUE(jacobian(f, x).isApprox(j, 1e-14));
  const Eigen::SparseMatrix<double> s = sparse_jacobian(f, x);
  EXPECT_EQ(s.nonZeros(), 2 * (n - 1) + n);
  EXPECT_TRUE(MatrixXd(s).isApprox(j, 1e-14));
  EXPECT_EQ(jacobian_sparsity(f).num_products, 0);
  const Function narrow = trace([](Array z) { return reshape(sum(z * z), {1}); }, 4);
  EXPECT_TRUE(jacobian(narrow, VectorXd::Ones(4)).isApprox(2 * MatrixXd::Ones(1, 4)));
}

// Running sums mix what they sum: columns are compressed, the one long row is taken in reverse.
TEST(FunctionApi, JacobianByProducts) {
  const std::int64_t n = 60;
  const Function f = trace(
      [n](Array x) {
        const Array y = reshape(cumsum(reshape(exp(x), {n / 2, 2}), 1), {n});
        const std::array<Array, 2> parts{y, reshape(sum(x * x), {1})};
        return concat(parts, 0);
      },
      n);
  const VectorXd x = wave(n);
  MatrixXd j = MatrixXd::Zero(n + 1, n);
  for (Eigen::Index i = 0; i < n; ++i) {
    j(i, i) = std::exp(x[i]);
    if (i % 2 == 1) j(i, i - 1) = std::exp(x[i - 1]);
  }
  j.row(n) = 2 * x.transpose();
  const Eigen::SparseMatrix<double> s = sparse_jacobian(f, x);
  EXPECT_EQ(s.nonZeros(), 3 * n / 2 + n);
  EXPECT_TRUE(MatrixXd(s).isApprox(j, 1e-14));
  EXPECT_EQ(jacobian_sparsity(f).num_products, 3);
  EXPECT_EQ(jacobian_sparsity(f).num_dense, 1);
}

// Springs between any vertices: entries of several springs meet on the diagonal blocks.
TEST(FunctionApi, GraphByGatherIsDirectAndExact) {
  const std::int64_t n = 12;
  const std::vector<double> from{0, 1, 2, 3, 4, 5, 6, 7, 8, 0, 3},
      to{1, 2, 3, 4, 5, 6, 7, 8, 9, 9, 7};
  const Function f = trace(
      [&](Array x) {
        const Array points = reshape(x, {n, 2});
        const auto edges = static_cast<std::int64_t>(from.size());
        const Array a = gather(points, constant(x, from, {edges}, DType::i64));
        const Array b = gather(points, constant(x, to, {edges}, DType::i64));
        return sum(square(sqrt(sum(square(a - b), {1})) - 1));
      },
      2 * n);
  const VectorXd x = 3 * wave(2 * n);
  const Eigen::SparseMatrix<double> s = sparse_hessian(f, x);
  EXPECT_EQ(hessian_sparsity(f).num_products, 0);
  EXPECT_EQ(s.nonZeros(), 4 * (10 + 2 * 11));
  EXPECT_TRUE(MatrixXd(s).isApprox(hessian(f, x), 1e-13));
  EXPECT_EQ(MatrixXd(s), MatrixXd(s.transpose()));
}

TEST(FunctionApi, LinearAndConstantFunctions) {
  const Function linear = trace([](Array x) { return sum(3 * x); }, 5);
  EXPECT_EQ(gradient(linear, VectorXd::Zero(5)), VectorXd::Constant(5, 3));
  EXPECT_EQ(hessian(linear, VectorXd::Zero(5)), MatrixXd::Zero(5, 5));
  EXPECT_EQ(sparse_hessian(linear, VectorXd::Zero(5)).nonZeros(), 0);
  const Function constant = trace([](Array) { return Array(2.5); }, 2);
  EXPECT_EQ(value(constant, VectorXd::Zero(2)), 2.5);
  EXPECT_EQ(gradient(constant, VectorXd::Zero(2)), VectorXd::Zero(2));
}

TEST(FunctionApi, ReadsEigenInPlace) {
  const Function f = rosenbrock(3);
  const MatrixXd columns = MatrixXd::Random(3, 4);
  EXPECT_DOUBLE_EQ(value(f, columns.col(2)), value(f, VectorXd(columns.col(2))));
  const std::vector<double> x{0.1, 0.2, 0.3};
  std::vector<double> g(3);
  gradient(f, x, g);
  EXPECT_TRUE(Eigen::Map<VectorXd>(g.data(), 3)
                  .isApprox(gradient(f, Eigen::Map<const VectorXd>(x.data(), 3))));
}

// Generic code starts sums at numbers, which stay numbers until an array joins them.
TEST(FunctionApi, NumbersAloneAreNumbers) {
  const Function f = trace(
      [](Array x) {
        Array sum = 3;
        sum = (2 * sum - 1) / 2 + sum * -sum;
        return sum * prod(x);
      },
      2);
  EXPECT_DOUBLE_EQ(value(f, VectorXd::Constant(2, 2)), -6.5 * 4);
}

TEST(FunctionApi, NotANumberIsEvaluated) {
  const Function f = rosenbrock(3);
  EXPECT_TRUE(std::isnan(value(f, VectorXd::Constant(3, std::nan("")))));
}

TEST(FunctionApi, MistakesAreNamed) {
  const Function f = rosenbrock(3);
  EXPECT_EQ(message_of([&] { gradient(f, VectorXd::Zero(4)); }),
            "gradient: x has 4 entries, expected 3");
  EXPECT_EQ(message_of([&] { hvp(f, VectorXd::Zero(3), VectorXd::Zero(2)); }),
            "hvp: v has 2 entries, expected 3");
  const Function vector = trace([](Array x) { return x * x; }, 3);
  EXPECT_NE(message_of([&] { hessian(vector, VectorXd::Zero(3)); }).find("sum(square(y))"),
            std::string::npos);
  EXPECT_NE(message_of([&] {
              (void)trace([](Array x) { return x; }, Shape{2, 3});
            }).find("reshape(y, {6})"),
            std::string::npos);
  EXPECT_NE(message_of([&] { (void)trace([](Array x) { return x < 1; }, 2); }).find("expected f64"),
            std::string::npos);
  Array kept;
  (void)trace([&](Array x) { return kept = sum(x); }, 2);
  EXPECT_NE(message_of([&] { (void)trace([](Array x) { return sum(x); }, 0); }).find("extent"),
            std::string::npos);
}

TEST(FunctionApi, EightThreadsGetTheSameBits) {
  const Function f = rosenbrock(500);
  const VectorXd x = wave(500);
  std::vector<VectorXd> gradients(8);
  std::vector<Eigen::SparseMatrix<double>> hessians(8);
  std::vector<std::thread> threads;
  for (std::size_t t = 0; t < 8; ++t) {
    threads.emplace_back([&, t] {
      gradients[t] = gradient(f, x);
      hessians[t] = sparse_hessian(f, x);
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (std::size_t t = 1; t < 8; ++t) {
    EXPECT_EQ(gradients[t], gradients[0]);
    EXPECT_EQ(MatrixXd(hessians[t]), MatrixXd(hessians[0]));
  }
}

}  // namespace
}  // namespace kappa
