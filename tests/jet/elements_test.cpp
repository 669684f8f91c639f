// Sums of elements against a plain loop over scalar jets into a dense matrix.
#include "kappa/elements.h"

#include <gtest/gtest.h>

#include <Eigen/Eigenvalues>
#include <array>
#include <cmath>
#include <limits>
#include <random>
#include <string>
#include <thread>
#include <vector>

namespace {

using Eigen::MatrixXd;
using Eigen::VectorXd;
using kappa::Projection;
using kappa::SimdLevel;
using kappa::Triangle;

const std::vector<SimdLevel> kLevels = {SimdLevel::base, SimdLevel::avx2, SimdLevel::avx512};

// Three kinds of elements: without data, with numbers, with a record.
const auto rosenbrock = [](const auto& x) {
  const auto t = x[1] - x[0] * x[0];
  const auto u = 1 - x[0];
  return 100 * (t * t) + u * u;
};
const auto spring = [](const auto& x, const auto& d) {
  const auto a = x[0] - x[2];
  const auto b = x[1] - x[3];
  const auto stretch = sqrt(a * a + b * b + 0.1) - d[1];
  return 0.5 * d[0] * (stretch * stretch) + exp(-d[0] * x[0]);
};
struct Weight {
  double factor;
  bool squared;
};
const auto weighted = [](const auto& x, const Weight& w) {
  const auto s = sin(x[0]) * x[1] + x[2];
  return w.squared ? w.factor * s * s : w.factor * s;
};

struct Example {
  int n;
  VectorXd x;
  VectorXd v;
  std::vector<std::array<int, 2>> pairs;
  std::vector<std::array<int, 4>> quads;
  std::vector<std::array<double, 2>> constants;
  std::vector<std::array<int, 3>> triples;
  std::vector<Weight> weights;

  /// With repeated variables within elements, and some variables that no element touches.
  explicit Example(int size, int num_elements, unsigned seed = 3) : n(size), x(size), v(size) {
    std::mt19937 random(seed);
    std::uniform_real_distribution<double> real(-1, 1);
    std::uniform_int_distribution<int> index(0, std::max(0, size - 3));
    for (int i = 0; i < n; ++i) {
      x[i] = real(random);
      v[i] = real(random);
    }
    for (int i = 0; i + 3 < n; ++i) pairs.push_back({i, i + 1});
    for (int e = 0; e < num_elements; ++e) {
      const auto any = [&] { return index(random); };
      quads.push_back({any(), any(), any(), any()});
      constants.push_back({1 + real(random) / 2, 1 + real(random) / 2});
      triples.push_back({any(), any(), any()});
      weights.push_back({real(random), e % 2 == 0});
    }
  }

  [[nodiscard]] auto sum() const {
    return kappa::ElementSum(n, kappa::elements(pairs, rosenbrock),
                             kappa::elements(quads, constants, spring),
                             kappa::elements(triples, weights, weighted));
  }
};

template <int N, class F>
void add_element(const F& f, const std::array<int, N>& indices, const VectorXd& x, double& value,
                 VectorXd& g, MatrixXd& h, Projection projection) {
  Eigen::Matrix<double, N, 1> local;
  for (int k = 0; k < N; ++k) local[k] = x[indices[k]];
  const Eigen::Matrix<double, N, 1> lg = kappa::gradient(f, local);
  Eigen::Matrix<double, N, N> lh = kappa::hessian(f, local);
  if (projection != Projection::none) {
    const Eigen::SelfAdjointEigenSolver<Eigen::Matrix<double, N, N>> solver(lh);
    const Eigen::Matrix<double, N, 1> lambda = projection == Projection::clamp
                                                   ? solver.eigenvalues().cwiseMax(0).eval()
                                                   : solver.eigenvalues().cwiseAbs().eval();
    lh = solver.eigenvectors() * lambda.asDiagonal() * solver.eigenvectors().transpose();
  }
  value += kappa::value(f, local);
  for (int a = 0; a < N; ++a) {
    g[indices[a]] += lg[a];
    for (int b = 0; b < N; ++b) h(indices[a], indices[b]) += lh(a, b);
  }
}

struct Dense {
  double value = 0;
  VectorXd g;
  MatrixXd h;
  explicit Dense(const Example& p, Projection projection = Projection::none)
      : g(VectorXd::Zero(p.n)), h(MatrixXd::Zero(p.n, p.n)) {
    for (const auto& i : p.pairs) add_element<2>(rosenbrock, i, p.x, value, g, h, projection);
    for (std::size_t e = 0; e < p.quads.size(); ++e) {
      const auto f = [&](const auto& y) { return spring(y, p.constants[e]); };
      add_element<4>(f, p.quads[e], p.x, value, g, h, projection);
    }
    for (std::size_t e = 0; e < p.triples.size(); ++e) {
      const auto f = [&](const auto& y) { return weighted(y, p.weights[e]); };
      add_element<3>(f, p.triples[e], p.x, value, g, h, projection);
    }
  }
};

double error(const MatrixXd& a, const MatrixXd& b) { return (a - b).norm() / (1 + b.norm()); }

TEST(Elements, EqualTheDenseLoopAtEveryLevelAndSize) {
  for (const int elements : {0, 1, 7, 8, 9, 300, 3000}) {
    const Example p(60, elements);
    const Dense dense(p);
    const auto f = p.sum();
    for (const SimdLevel level : kLevels) {
      SCOPED_TRACE(std::to_string(elements) + " elements, level " + std::to_string(int(level)));
      const kappa::ElementOptions options{.simd = level};
      EXPECT_NEAR(kappa::value(f, p.x, options), dense.value, 1e-13 * std::abs(dense.value));
      EXPECT_LT(error(kappa::gradient(f, p.x, options), dense.g), 1e-14);
      EXPECT_LT(error(MatrixXd(kappa::sparse_hessian(f, p.x, options)), dense.h), 1e-14);
      EXPECT_LT(error(kappa::hvp(f, p.x, p.v, options), dense.h * p.v), 1e-14);
    }
  }
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

/// Branches that differ between the lanes of a pack: the elements are evaluated one by one.
TEST(Elements, ControlFlowMayDifferBetweenLanes) {
  const auto huber = [](const auto& x) {
    const auto r = x[0] - x[1];
    if (abs(r) <= 0.5 && x[0] < 0.9) return 0.5 * r * r;
    return 0.5 * (abs(r) - 0.25) * (1 + 0.01 * x[0] * x[0]);
  };
  const auto iterated = [](const auto& x) {
    auto r = 1 + x[0] * x[0];
    while (r > 1e-3) r = r * (0.3 + 0.1 * x[1] * x[1]);
    return r;
  };
  const auto selected = [](const auto& x) {
    const auto r = x[0] - x[1];
    return select((abs(r) <= 0.5) & (x[0] < 0.9), 0.5 * r * r, r * r * r);
  };
  const Example p(100, 0);
  VectorXd smooth = p.x;  // sorted, so that many packs agree and some do not
  std::sort(smooth.begin(), smooth.end());
  const auto check = [&](const auto& phi, const VectorXd& x) {
    double value = 0;
    VectorXd g = VectorXd::Zero(100);
    MatrixXd h = MatrixXd::Zero(100, 100);
    for (const auto& i : p.pairs) add_element<2>(phi, i, x, value, g, h, Projection::none);
    const kappa::ElementSum f(100, kappa::elements(p.pairs, phi));
    for (const SimdLevel level : kLevels) {
      const kappa::ElementOptions options{.simd = level};
      EXPECT_NEAR(kappa::value(f, x, options), value, 1e-13 * std::abs(value));
      EXPECT_LT(error(kappa::gradient(f, x, options), g), 1e-14);
      EXPECT_LT(error(MatrixXd(kappa::sparse_hessian(f, x, options)), h), 1e-14);
      EXPECT_LT(error(kappa::hvp(f, x, p.v, options), h * p.v), 1e-14);
    }
  };
  for (const VectorXd& x : {p.x, smooth}) {
    check(huber, x);
    check(iterated, x);
    check(selected, x);
  }
}

TEST(Elements, ProjectionEqualsEigensByElement) {
  const Example p(60, 200);
  const auto f = p.sum();
  for (const Projection projection : {Projection::clamp, Projection::absolute}) {
    const MatrixXd expected = Dense(p, projection).h;
    for (const SimdLevel level : kLevels) {
      const MatrixXd h = kappa::sparse_hessian(f, p.x, {.projection = projection, .simd = level});
      EXPECT_LT(error(h, expected), 1e-13);
      EXPECT_GT(Eigen::SelfAdjointEigenSolver<MatrixXd>(h).eigenvalues().minCoeff(),
                -1e-12 * h.norm());
    }
  }
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

template <class F>
std::string message_of(const F& call) {
  try {
    call();
  } catch (const kappa::Error& e) {
    return e.what();
  }
  return "no error";
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
