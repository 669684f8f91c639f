// ADBench's Gaussian mixture: value and gradient against those published with it, the Hessian
// against central differences of the gradient. The data stand in $KAPPA_TEST_DATA/adbench.
#include <gtest/gtest.h>

#include <Eigen/Core>
#include <cmath>
#include <cstdlib>
#include <string>

#include "function/gmm.h"

namespace kappa {
namespace {

std::string folder() {
  const char* data = std::getenv("KAPPA_TEST_DATA");
  return data == nullptr ? "" : std::string(data) + "/adbench/gmm/";
}

// From the unit tests of microsoft/ADBench, src/cpp/shared: inputs gmm/test.txt.
TEST(Adbench, MixtureValueAndGradientAsPublished) {
  if (folder().empty()) GTEST_SKIP() << "KAPPA_TEST_DATA is not set";
  const gmm::Problem p = gmm::read(folder() + "test.txt");
  const Eigen::VectorXd expected{
      {1.08662855508652456e-01, -7.41270039523898472e-01, 6.32607184015246071e-01,
       1.11692576532787013e+00, 1.63333013551455269e-01, -2.19989824071193142e-02,
       2.27778292254236098e-01, 1.20963025612832187e+00, -6.06375920733956339e-02,
       2.58529994051162237e+00, 1.12632694524213789e-01, 3.85744309849611777e-01,
       7.35180573182305508e-02, 5.41836362715595232e+00, -3.21494409677446469e-01,
       1.71892309775004937e+00, 8.60091090790866875e-01, -9.94640930466322848e-01}};
  const Eigen::Map<const Eigen::VectorXd> x(p.parameters.data(), p.num_parameters());
  const Function f = gmm::traced(p);
  EXPECT_NEAR(value(f, x), 8.07380408004975791, 1e-12);
  EXPECT_LE((gradient(f, x) - expected).norm(), 1e-13 * expected.norm());
}

// Objective values in data/adbench/README.md were computed by NumPy from the formula.
void check_hessian(const std::string& file, double objective, int columns) {
  if (folder().empty()) GTEST_SKIP() << "KAPPA_TEST_DATA is not set";
  const gmm::Problem p = gmm::read(folder() + file);
  const Eigen::VectorXd x =
      Eigen::Map<const Eigen::VectorXd>(p.parameters.data(), p.num_parameters());
  const Function f = gmm::traced(p);
  EXPECT_NEAR(value(f, x), objective, 1e-12 * std::abs(objective));
  const Eigen::MatrixXd h = hessian(f, x);
  const auto stride = std::max<Eigen::Index>(1, x.size() / columns);
  for (Eigen::Index j = 0; j < x.size(); j += stride) {
    // Richardson's extrapolation of two central differences: error of order h^4.
    const auto difference = [&](double step) -> Eigen::VectorXd {
      Eigen::VectorXd above = x, below = x;
      above[j] += step;
      below[j] -= step;
      return (gradient(f, above) - gradient(f, below)) / (2 * step);
    };
    const Eigen::VectorXd column = (4 * difference(5e-4) - difference(1e-3)) / 3;
    EXPECT_LE((h.col(j) - column).norm(), 1e-7 * h.norm()) << "column " << j;
  }
}
TEST(Adbench, MixtureHessianOfTwoDimensions) {
  check_hessian("1k/gmm_d2_K10.txt", -3484.5523663481254, 60);
}
TEST(Adbench, MixtureHessianOfTenDimensions) {
  check_hessian("1k/gmm_d10_K5.txt", -31302.540910910437, 8);
}
TEST(Adbench, MixtureHessianOfManyComponents) {
  check_hessian("1k/gmm_d10_K25.txt", -25649.652621197303, 5);
}

}  // namespace
}  // namespace kappa
