// The More-Garbow-Hillstrom problems as arrays: value, gradient and all eigenvalues of the Hessian,
// dense and sparse, at the published starts.
#include <gtest/gtest.h>

#include <Eigen/Eigenvalues>
#include <Eigen/SparseCore>
#include <cmath>

#include "jet/mgh_problems.h"
#include "kappa/function.h"

namespace kappa {
namespace {

struct Entries {
  const Array& x;
  Array operator[](int i) const { return x[i]; }
};

TEST(MghArrays, ValueGradientAndHessianAtTheStarts) {
  for (const mgh::Instance& known : mgh::instances()) {
    SCOPED_TRACE(known.name);
    const auto n = static_cast<Eigen::Index>(known.start.size());
    const bool found = mgh::visit(known.number, [&](const auto& problem) {
      const Function f = trace(
          [&](const Array& x) {
            mgh::Squares<Array> add;
            problem.template residuals<Array>(Entries{x}, static_cast<int>(n), add);
            return add.sum;
          },
          n);
      const Eigen::Map<const Eigen::VectorXd> x(known.start.data(), n);
      const Eigen::Map<const Eigen::VectorXd> g(known.gradient.data(), n);
      const Eigen::Map<const Eigen::VectorXd> expected(known.eigenvalues.data(), n);
      EXPECT_NEAR(value(f, x), known.value, 1e-12 * std::abs(known.value));
      EXPECT_LE((gradient(f, x) - g).norm(), 1e-11 * g.norm());
      const Eigen::MatrixXd h = hessian(f, x);
      const Eigen::VectorXd eigenvalues =
          Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd>(h).eigenvalues();
      EXPECT_LE((eigenvalues - expected).norm(), 1e-10 * expected.norm());
      EXPECT_LE((Eigen::MatrixXd(sparse_hessian(f, x)) - h).norm(), 1e-12 * h.norm());
    });
    EXPECT_TRUE(found);
  }
}

}  // namespace
}  // namespace kappa
