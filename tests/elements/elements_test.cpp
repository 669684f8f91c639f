// What sums of elements do at any instruction set; compiled for one, which is three times as quick.
#include <gtest/gtest.h>

#include <limits>
#include <thread>

#include "jet/elements_example.h"

namespace {

using namespace elements_example;

template <class F>
std::string message_of(const F& call) {
  try {
    call();
  } catch (const kappa::Error& e) {
    return e.what();
  }
  return "no error";
}

TEST(Elements, EveryLayoutIsThatPartOfTheMatrix) {
  const Example p(40, 50);
  const MatrixXd h = Dense(p).h;
  const auto f = p.sum();
  const kappa::SparseHessian lower(f, {.triangle = Triangle::lower});
  EXPECT_LT(error(MatrixXd(lower.matrix(f, p.x)), h.triangularView<Eigen::Lower>()), 1e-14);
  const kappa::SparseHessian upper(f, {.triangle = Triangle::upper});
  EXPECT_LT(error(MatrixXd(upper.matrix(f, p.x)), h.triangularView<Eigen::Upper>()), 1e-14);
  const kappa::SparseHessian diagonal(f, {.diagonal_only = true});
  EXPECT_LT(error(MatrixXd(diagonal.matrix(f, p.x)), h.diagonal().asDiagonal()), 1e-14);
  EXPECT_EQ(diagonal.num_nonzeros(), p.n - 2);  // the last two touch no element
  for (const auto& [r0, r1, c0, c1] :
       {std::array{0, 10, 25, 40}, std::array{30, 40, 0, 12}, std::array{5, 20, 10, 33},
        std::array{0, 40, 7, 8}, std::array{3, 3, 0, 40}}) {
    const kappa::SparseHessian block(f, {.rows = {r0, r1}, .cols = {c0, c1}});
    EXPECT_EQ(block.rows(), r1 - r0);
    EXPECT_EQ(block.cols(), c1 - c0);
    EXPECT_LT(error(MatrixXd(block.matrix(f, p.x)), h.block(r0, c0, r1 - r0, c1 - c0)), 1e-14);
  }
}

TEST(Elements, WritesCoordinatesAndColumnsIntoTheCallersMemory) {
  const Example p(40, 50);
  const Dense dense(p);
  const auto f = p.sum();
  const kappa::SparseHessian lower(f, {.triangle = Triangle::lower});
  const auto size = static_cast<std::size_t>(lower.num_nonzeros());
  std::vector<std::int32_t> row(size);
  std::vector<std::int32_t> col(size);
  std::vector<double> values(size, std::nan(""));
  std::vector<double> g(40, std::nan(""));
  lower.coordinates(row, col);
  const double y = lower.evaluate(f, {p.x.data(), 40}, values, g);
  EXPECT_NEAR(y, dense.value, 1e-12);
  EXPECT_LT(error(Eigen::Map<VectorXd>(g.data(), 40), dense.g), 1e-14);
  for (std::size_t k = 0; k < size; ++k) {
    EXPECT_GE(row[k], col[k]);
    EXPECT_EQ(row[k], lower.row_indices()[k]);
    EXPECT_NEAR(values[k], dense.h(row[k], col[k]), 1e-11);
    EXPECT_TRUE(k == 0 || col[k] > col[k - 1] || row[k] > row[k - 1]);
  }
  Eigen::SparseMatrix<double> h = lower.matrix(f, VectorXd::Zero(40));
  lower.update(h, f, p.x);
  EXPECT_LT(error(MatrixXd(h), dense.h.triangularView<Eigen::Lower>()), 1e-14);
}

TEST(Elements, TheBitsDoNotDependOnTheNumberOfThreads) {
  const Example p(3000, 20000);
  const auto f = p.sum();
  const kappa::SparseHessian& hessian = f.full_hessian();
  const VectorXd h1 = hessian.matrix(f, p.x).coeffs();
  const VectorXd g1 = kappa::gradient(f, p.x);
  const VectorXd hv1 = kappa::hvp(f, p.x, p.v);
  for (const int threads : {2, 3, 8}) {
    const kappa::ElementOptions options{.num_threads = threads};
    EXPECT_EQ(VectorXd(hessian.matrix(f, p.x, options).coeffs()), h1);
    EXPECT_EQ(kappa::gradient(f, p.x, options), g1);
    EXPECT_EQ(kappa::hvp(f, p.x, p.v, options), hv1);
    EXPECT_EQ(kappa::value(f, p.x, options), kappa::value(f, p.x));
  }
}

TEST(Elements, EightThreadsMayShareOneFunction) {
  const Example p(500, 2000);
  const auto f = p.sum();
  const VectorXd g = kappa::gradient(f, p.x);
  std::vector<int> same(8);
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 8; ++t) {
      threads.emplace_back([&, t] {
        // The first call of each builds, or waits for, the one shared pattern.
        const VectorXd h = kappa::sparse_hessian(f, p.x).coeffs();
        same[t] = VectorXd(kappa::sparse_hessian(f, p.x, {.num_threads = 2}).coeffs()) == h &&
                  kappa::gradient(f, p.x) == g;
      });
    }
  }
  for (const int s : same) EXPECT_TRUE(s);
}

/// A quadratic form with a chosen spectrum, six variables, among them repeated and zero
/// eigenvalues.
TEST(Elements, ProjectionOfChosenSpectra) {
  std::mt19937 random(5);
  std::normal_distribution<double> normal;
  const MatrixXd q =
      MatrixXd::NullaryExpr(6, 6, [&] { return normal(random); }).householderQr().householderQ();
  using Vector6 = Eigen::Matrix<double, 6, 1>;
  for (const Vector6& lambda :
       {Vector6{-3, -3, 0, 0, 2, 2}, Vector6{-1, -1, -1, -1, -1, -1}, Vector6{0, 0, 0, 0, 0, 0},
        Vector6{1e-9, -1e-9, 1e6, -1e6, 1, -1}, Vector6{1, 2, 3, 4, 5, 6}}) {
    const MatrixXd a = q * lambda.asDiagonal() * q.transpose();
    const auto form = [&](const auto& x) {
      auto s = 0 * x[0];
      for (int i = 0; i < 6; ++i) {
        for (int j = 0; j < 6; ++j) s += 0.5 * a(i, j) * x[i] * x[j];
      }
      return s;
    };
    const std::vector<std::array<int, 6>> indices = {{0, 1, 2, 3, 4, 5}};
    const kappa::ElementSum f(6, kappa::elements(indices, form));
    const MatrixXd clamped =
        kappa::sparse_hessian(f, VectorXd::Zero(6), {.projection = Projection::clamp});
    const MatrixXd absolute =
        kappa::sparse_hessian(f, VectorXd::Zero(6), {.projection = Projection::absolute});
    const double scale = 1e-300 + lambda.cwiseAbs().maxCoeff();
    const MatrixXd plus = q * lambda.cwiseMax(0).asDiagonal() * q.transpose();
    const MatrixXd both = q * lambda.cwiseAbs().asDiagonal() * q.transpose();
    EXPECT_LT((clamped - plus).norm(), 2e-14 * scale) << lambda.transpose();
    EXPECT_LT((absolute - both).norm(), 2e-14 * scale) << lambda.transpose();
  }
}

TEST(Elements, ChainsAreExactWhateverTheChunking) {
  // Integer data: every sum is exact, so any wrong or missing contribution shows.
  for (const int n : {2, 9, 17, 100, 4097, 5000, 12289}) {
    std::vector<std::array<int, 2>> pairs;
    for (int i = 0; i + 1 < n; ++i) pairs.push_back({i, i + 1});
    const kappa::ElementSum f(
        n, kappa::elements(pairs, [](const auto& x) { return x[0] * x[0] * x[1] + 3 * x[1]; }));
    VectorXd x(n);
    for (int i = 0; i < n; ++i) x[i] = i % 13 - 6;
    const Eigen::SparseMatrix<double> h = kappa::sparse_hessian(f, x);
    const VectorXd g = kappa::gradient(f, x);
    EXPECT_EQ(h.nonZeros(), 3 * n - 2);
    for (int i = 0; i < n; ++i) {
      const double before = i > 0 ? x[i - 1] : 0;
      ASSERT_EQ(h.coeff(i, i), i + 1 < n ? 2 * x[i + 1] : 0) << n << " " << i;
      if (i + 1 < n) {
        ASSERT_EQ(h.coeff(i, i + 1), 2 * x[i]);
        ASSERT_EQ(h.coeff(i + 1, i), 2 * x[i]);
      }
      ASSERT_EQ(g[i], (i + 1 < n ? 2 * x[i] * x[i + 1] : 0) + (i > 0 ? before * before + 3 : 0));
    }
  }
}

TEST(Elements, ManyVariablesInAnElement) {
  // 20 variables: beyond the lanes' reach, one element at a time.
  std::vector<std::array<int, 20>> indices;
  for (int e = 0; e < 5; ++e) {
    auto& i = indices.emplace_back();
    for (int k = 0; k < 20; ++k) i[static_cast<std::size_t>(k)] = (7 * e + 3 * k) % 40;
  }
  const auto phi = [](const auto& x) {
    auto s = x[0];
    for (int k = 1; k < 20; ++k) s += sin(x[k] * x[k - 1]);
    return s * s;
  };
  const Example p(40, 0);
  double value = 0;
  VectorXd g = VectorXd::Zero(40);
  MatrixXd h = MatrixXd::Zero(40, 40);
  for (const auto& i : indices) add_element<20>(phi, i, p.x, value, g, h, Projection::none);
  const kappa::ElementSum f(40, kappa::elements(indices, phi));
  EXPECT_LT(error(MatrixXd(kappa::sparse_hessian(f, p.x)), h), 1e-14);
  EXPECT_LT(error(kappa::hvp(f, p.x, p.v), h * p.v), 1e-14);
}

TEST(Elements, TheOperatorIsTheMatrix) {
  const Example p(40, 50);
  const auto f = p.sum();
  const MatrixXd h = Dense(p).h;
  const auto op = kappa::hvp_operator(f, p.x);
  const kappa::SymmetricOperator& base = op;
  MatrixXd products(40, 40);
  const MatrixXd identity = MatrixXd::Identity(40, 40);
  base.apply(40, identity.data(), products.data());
  EXPECT_EQ(base.dimension(), 40);
  EXPECT_LT(error(products, h), 1e-14);
}

TEST(Elements, MistakesSayWhatAndWhere) {
  const Example p(10, 3);
  const auto f = p.sum();
  using Pairs = std::vector<std::array<int, 2>>;
  EXPECT_EQ(message_of([] {
              kappa::ElementSum(3, kappa::elements(Pairs{{0, 1}}, rosenbrock),
                                kappa::elements(Pairs{{0, 1}, {1, 3}}, rosenbrock));
            }),
            "ElementSum: term 1, element 1, argument 1: index 3 is outside 0..2");
  EXPECT_EQ(message_of([] {
              kappa::elements(Pairs{{0, -1}}, rosenbrock);
            }),
            "elements: element 0, argument 1: index -1 is no variable");
  EXPECT_EQ(message_of([] {
              kappa::elements(Pairs{{0, 1}}, std::vector<double>{1, 2},
                              [](const auto& x, const auto& c) { return c * x[0]; });
            }),
            "elements: 1 index tuples, but 2 records of data; give one for each element");
  EXPECT_EQ(message_of([&] { kappa::gradient(f, VectorXd::Zero(9)); }),
            "gradient: x has 9 entries, expected 10");
  EXPECT_EQ(message_of([&] { kappa::value(f, p.x, {.num_threads = 0}); }),
            "num_threads is 0, expected 1 or more");
  EXPECT_EQ(message_of([&] {
              const auto other = p.sum();
              const kappa::SparseHessian hessian(f);
              hessian.matrix(other, p.x);
            }),
            "SparseHessian: made for another ElementSum; construct one from this function");
  EXPECT_EQ(message_of([&] {
              kappa::SparseHessian(f, {.rows = {3, 11}});
            }),
            "SparseHessian: rows 3..11 is no range within 0..10");
  EXPECT_EQ(message_of([&] {
              Eigen::SparseMatrix<double> h(10, 10);
              f.full_hessian().update(h, f, p.x);
            }).substr(0, 60),
            "SparseHessian::update: the matrix is 10 x 10 with 0 entries,");
  // An index out of range inside the callable, also from a helper thread.
  const kappa::ElementSum wrong(
      3, kappa::elements(Pairs(5000, {0, 1}), [](const auto& x) { return x[0] * x[2]; }));
  EXPECT_EQ(message_of([&] { kappa::gradient(wrong, VectorXd::Ones(3), {.num_threads = 2}); }),
            "x[2]: this callable was given 2 variables, x[0] to x[1]");
}

TEST(Elements, NaNAtTheStartIsFound) {
  const Example p(10, 0);
  const kappa::ElementSum f(
      10, kappa::elements(p.pairs, [](const auto& x) { return log(x[0] - x[1]); }));
  VectorXd x(10);
  for (int i = 0; i < 10; ++i) x[i] = -i;
  f.check_finite({x.data(), 10});
  x[5] = 0.5;
  EXPECT_TRUE(std::isnan(kappa::value(f, x)));  // an outcome, no error
  const std::string message = message_of([&] { f.check_finite({x.data(), 10}); });
  EXPECT_NE(message.find("term 0, element 4 is "), std::string::npos) << message;
  EXPECT_NE(message.find("x[4] = -4.000000, x[5] = 0.500000; start where"), std::string::npos)
      << message;
  x[5] = std::nan("");
  EXPECT_EQ(message_of([&] {
              f.check_finite({x.data(), 10});
            }),
            "x[5] is nan; the point must be finite");
}

}  // namespace
