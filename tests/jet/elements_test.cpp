// Sums of elements at every instruction set. What does not depend on that is in tests/elements.
#include <gtest/gtest.h>

#include "jet/elements_example.h"

namespace {

using namespace elements_example;

const std::vector<SimdLevel> kLevels = {SimdLevel::base, SimdLevel::avx2, SimdLevel::avx512};

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

/// The data of elements that part goes with them. H = diag(2 c) where x < c, else diag(6 x).
TEST(Elements, ControlFlowMayDependOnTheData) {
  std::vector<std::array<int, 1>> indices;
  std::vector<std::array<double, 2>> data;
  VectorXd x(37);
  for (int i = 0; i < 37; ++i) {
    x[i] = std::sin(3.0 * i);
    indices.push_back({i});
    data.push_back({std::cos(7.0 * i), 0.5 * i});
  }
  const kappa::ElementSum f(37, kappa::elements(indices, data, [](const auto& y, const auto& c) {
                              if (y[0] < c[0]) return c[1] * y[0] * y[0];
                              return y[0] * y[0] * y[0];
                            }));
  for (const SimdLevel level : kLevels) {
    const Eigen::SparseMatrix<double> h = kappa::sparse_hessian(f, x, {.simd = level});
    for (int i = 0; i < 37; ++i) {
      const double expected = x[i] < data[i][0] ? 2 * data[i][1] : 6 * x[i];
      EXPECT_NEAR(h.coeff(i, i), expected, 1e-14 * std::abs(expected)) << i;
    }
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

}  // namespace
