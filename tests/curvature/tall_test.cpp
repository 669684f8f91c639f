#include "curvature/tall.h"

#include <gtest/gtest.h>

#include <Eigen/Dense>
#include <cmath>

namespace kappa {
namespace {

using Eigen::MatrixXd;

TEST(Tall, ProductsMatchEigenForEveryRemainder) {
  for (const Eigen::Index n : {1, 7, 31, 300, 4096, 9001}) {
    for (const Eigen::Index m : {1, 3, 4, 9}) {
      for (const Eigen::Index k : {1, 2, 5}) {
        const MatrixXd v = MatrixXd::Random(n, m), w = MatrixXd::Random(n, k);
        MatrixXd gram = MatrixXd::Constant(m + 2, k, 7);
        tall_gram(n, m, v.data(), k, w.data(), gram.data(), m + 2);
        const double size = static_cast<double>(n);
        EXPECT_LE((gram.topRows(m) - v.transpose() * w).norm(), 1e-14 * size);
        EXPECT_EQ(gram(m, 0), 7);  // nothing beyond the block is touched
        MatrixXd rest = w;
        tall_subtract(n, m, v.data(), k, gram.data(), m + 2, rest.data());
        EXPECT_LE((rest - (w - v * gram.topRows(m))).norm(), 1e-13 * size);
        const MatrixXd y = MatrixXd::Random(m, std::min(k, m));
        MatrixXd in_place = v;
        tall_product(n, m, v.data(), y.cols(), y.data(), m, in_place.data());
        EXPECT_LE((in_place.leftCols(y.cols()) - v * y).norm(), 1e-13 * size);
        in_place = v;
        tall_product(n, m, in_place.data(), y.cols(), y.data(), m, in_place.data());
        EXPECT_LE((in_place.leftCols(y.cols()) - v * y).norm(), 1e-13 * size);
      }
    }
  }
}

TEST(Tall, NormSurvivesScalesAndSeesNonFinite) {
  for (const double scale : {0.0, 1e-300, 1e-160, 1.0, 1e160, 1e300}) {
    const std::vector<double> x{3 * scale, 4 * scale};
    EXPECT_DOUBLE_EQ(tall_norm(2, x.data()), 5 * scale);
  }
  const std::vector<double> nan{1, std::nan("")}, infinite{1, -INFINITY};
  EXPECT_TRUE(std::isnan(tall_norm(2, nan.data())));
  EXPECT_TRUE(std::isinf(tall_norm(2, infinite.data())));
}

}  // namespace
}  // namespace kappa
