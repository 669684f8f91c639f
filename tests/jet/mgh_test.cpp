// The More-Garbow-Hillstrom problems as jets: value, gradient and all eigenvalues of the Hessian at
// the published starts.
#include <gtest/gtest.h>

#include <Eigen/Eigenvalues>
#include <cmath>
#include <vector>

#include "jet/mgh_problems.h"
#include "kappa/jet.h"

namespace {

using namespace mgh;

template <int N, class F>
void check(const F& f, const Instance& known) {
  ASSERT_EQ(known.start.size(), std::size_t(N));
  using Vector = Eigen::Matrix<double, N, 1>;
  const Vector x = Eigen::Map<const Vector>(known.start.data());
  // No. 26 subtracts ten cosines from 10 to reach residuals of 0.02, which costs three digits.
  EXPECT_NEAR(kappa::value(f, x), known.value, 1e-12 * std::abs(known.value));
  const Vector g = Eigen::Map<const Vector>(known.gradient.data());
  EXPECT_LE((kappa::gradient(f, x) - g).norm(), 1e-11 * g.norm());
  const Eigen::Matrix<double, N, N> h = kappa::hessian(f, x);
  const Vector expected = Eigen::Map<const Vector>(known.eigenvalues.data());
  const Eigen::VectorXd found =
      Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd>(Eigen::MatrixXd(h)).eigenvalues();
  EXPECT_LE((found - expected).norm(), 1e-10 * expected.norm());
}

bool check_instance(const Instance& known) {
  const auto n = static_cast<int>(known.start.size());
  switch (known.number) {
    case 1: check<2>(Rosenbrock(), known); return true;
    case 2: check<2>(FreudensteinRoth(), known); return true;
    case 3: check<2>(PowellBadlyScaled(), known); return true;
    case 4: check<2>(BrownBadlyScaled(), known); return true;
    case 5: check<2>(Beale(), known); return true;
    case 6: check<2>(JennrichSampson(), known); return true;
    case 7: check<3>(HelicalValley(), known); return true;
    case 8: check<3>(Bard(), known); return true;
    case 9: check<3>(Gaussian(), known); return true;
    case 10: check<3>(Meyer(), known); return true;
    case 11: check<3>(Gulf(), known); return true;
    case 12: check<3>(Box(), known); return true;
    case 13: check<4>(PowellSingular(), known); return true;
    case 14: check<4>(Wood(), known); return true;
    case 15: check<4>(KowalikOsborne(), known); return true;
    case 16: check<4>(BrownDennis(), known); return true;
    case 17: check<5>(Osborne1(), known); return true;
    case 18: check<6>(Biggs(), known); return true;
    case 19: check<11>(Osborne2(), known); return true;
    case 20:
      if (n == 6) check<6>(Watson(), known);
      if (n == 9) check<9>(Watson(), known);
      if (n == 12) check<12>(Watson(), known);
      return true;
    case 21: check<10>(Rosenbrock(), known); return true;
    case 22: check<12>(PowellSingular(), known); return true;
    case 23:
      if (n == 4) check<4>(PenaltyI(), known);
      if (n == 10) check<10>(PenaltyI(), known);
      return true;
    case 24:
      if (n == 4) check<4>(PenaltyII(), known);
      if (n == 10) check<10>(PenaltyII(), known);
      return true;
    case 25: check<10>(VariablyDimensioned(), known); return true;
    case 26: check<10>(Trigonometric(), known); return true;
    case 27: check<10>(BrownAlmostLinear(), known); return true;
    case 28: check<10>(DiscreteBoundaryValue(), known); return true;
    case 29: check<10>(DiscreteIntegral(), known); return true;
    case 30: check<10>(BroydenTridiagonal(), known); return true;
    case 31: check<10>(BroydenBanded(), known); return true;
    case 32: check<10>(LinearFullRank(), known); return true;
    case 33: check<10>(LinearRank1(), known); return true;
    case 34: check<10>(LinearRank1Zeros(), known); return true;
    case 35:
      if (n == 7) check<7>(Chebyquad(), known);
      if (n == 8) check<8>(Chebyquad(), known);
      if (n == 9) check<9>(Chebyquad(), known);
      if (n == 10) check<10>(Chebyquad(), known);
      return true;
    default: return false;
  }
}

TEST(Mgh, ValueGradientAndHessianAtTheStarts) {
  const std::vector<Instance> all = instances();
  EXPECT_EQ(all.size(), 42U);
  for (const Instance& known : all) {
    SCOPED_TRACE(known.name);
    ASSERT_TRUE(check_instance(known));
  }
}

}  // namespace
