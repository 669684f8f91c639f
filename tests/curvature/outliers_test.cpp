#include <gtest/gtest.h>

#include <Eigen/Dense>
#include <cmath>
#include <random>

#include "kappa/curvature.h"
#include "kappa/error.h"
#include "spectra.h"

namespace kappa {
namespace {

std::vector<Eigenvalue> known_exactly(const std::vector<double>& values) {
  std::vector<Eigenvalue> list;
  for (const double v : values) list.push_back({v, 0, 0, true});
  return list;
}

/// The `count` largest eigenvalues of X'X / rows, the columns of X normal with variances
/// `variance`: a Marchenko-Pastur bulk where they are 1, and a spike for each above 1 + sqrt(p/n).
std::vector<Eigenvalue> wishart(int rows, const Eigen::VectorXd& variance, int count,
                                unsigned seed) {
  std::mt19937_64 engine(seed);
  std::normal_distribution<double> normal;
  Eigen::MatrixXd x(rows, variance.size());
  for (Eigen::Index j = 0; j < x.cols(); ++j) {
    for (Eigen::Index i = 0; i < rows; ++i) x(i, j) = normal(engine) * std::sqrt(variance(j));
  }
  const Eigen::MatrixXd gram = x.transpose() * x / rows;
  Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver(gram, Eigen::EigenvaluesOnly);
  std::vector<double> values;
  for (int i = 0; i < count; ++i) values.push_back(solver.eigenvalues()(x.cols() - 1 - i));
  return known_exactly(values);
}

Eigen::VectorXd spiked(int n, const std::vector<double>& spikes) {
  Eigen::VectorXd variance = Eigen::VectorXd::Ones(n);
  for (std::size_t i = 0; i < spikes.size(); ++i) variance(static_cast<int>(i)) = spikes[i];
  return variance;
}

TEST(Outliers, SpikesOnAMarchenkoPasturBulkAreCounted) {
  // The edge of the bulk is (1 + sqrt(1/2))^2 = 2.91; a spike s comes out at s + s / (2 (s - 1))
  // (Baik and Silverstein 2006).
  const std::vector<std::vector<double>> cases = {
      {},
      {8},
      {10, 8, 6},
      {30, 25, 20, 18, 15, 12, 10, 9, 8},
      {5, 5, 5, 5, 5, 5, 5, 5, 5},
      {1000, 20, 18, 16, 14, 12, 10, 9, 8, 7},  // the first gap is not the one
  };
  for (const std::vector<double>& spikes : cases) {
    for (const int count : {18, 30}) {
      for (unsigned seed = 0; seed < 4; ++seed) {
        const auto found = outliers(wishart(240, spiked(120, spikes), count, seed));
        EXPECT_EQ(found ? found->count : 0, static_cast<std::int64_t>(spikes.size()))
            << count << " known, seed " << seed;
        if (found && !spikes.empty()) {
          EXPECT_GT(found->last, 2.91);
          EXPECT_NEAR(found->next, 2.91, 0.4);
        }
      }
    }
  }
}

TEST(Outliers, FalseAlarmsAreAsRareAsSaid) {
  for (const double decay : {0.0, 0.5, 1.0}) {
    Eigen::VectorXd variance(60);
    for (int i = 0; i < 60; ++i) variance(i) = std::pow(i + 1.0, -decay);
    int alarms = 0;
    for (unsigned seed = 0; seed < 200; ++seed) {
      alarms += outliers(wishart(120, variance, 20, seed)).has_value() ? 1 : 0;
    }
    EXPECT_LE(alarms, 6) << decay;  // 2 expected at most; more than 6 has probability 0.005
  }
}

TEST(Outliers, TheProbabilityIsTheOneDocumented) {
  // z_j = 1 but z_3 = 6, among 12 values: 7 gaps have at least 4 spacings below them.
  std::vector<double> values = {100};
  for (int j = 1; j < 12; ++j)
    values.push_back(values.back() * std::exp(-(j == 3 ? 6.0 : 1.0) / j));
  const auto found = outliers(known_exactly(values), {.significance = 0.05});
  ASSERT_TRUE(found);
  EXPECT_EQ(found->count, 3);
  EXPECT_DOUBLE_EQ(found->last, values[2]);
  EXPECT_DOUBLE_EQ(found->next, values[3]);
  EXPECT_NEAR(found->p_value, 7 * std::pow(1 + 36.0 / 8, -8), 1e-12);
  EXPECT_FALSE(outliers(known_exactly(values), {.significance = 1e-6}));
}

TEST(Outliers, SmoothTailsHaveNone) {
  for (const double power : {0.3, 1.0, 3.0}) {
    std::vector<double> values;
    for (int j = 1; j <= 30; ++j) values.push_back(std::pow(j, -power));
    EXPECT_FALSE(outliers(known_exactly(values))) << power;
  }
  std::vector<double> geometric, linear;
  for (int j = 0; j < 30; ++j) {
    geometric.push_back(std::pow(0.5, j));
    linear.push_back(2 - j / 100.0);
  }
  EXPECT_FALSE(outliers(known_exactly(geometric)));
  EXPECT_FALSE(outliers(known_exactly(linear)));
}

TEST(Outliers, ErrorBoundsCountAgainstTheGap) {
  std::vector<double> values = {100};
  for (int j = 1; j < 12; ++j)
    values.push_back(values.back() * std::exp(-(j == 3 ? 6.0 : 1.0) / j));
  std::vector<Eigenvalue> list = known_exactly(values);
  list[3].error_bound = 0.3 * values[3];
  const double gap = 3 * std::log(values[2] / (1.3 * values[3]));
  const double below = 4 * std::log(1.3 * values[3] / values[4]);
  const auto found = outliers(list, {.significance = 0.05});
  ASSERT_TRUE(found);
  EXPECT_EQ(found->count, 3);
  EXPECT_NEAR(found->p_value, 7 * std::pow(1 + gap * gap / (7 + below * below), -8), 1e-12);
  list[3].error_bound = values[2] - values[3];  // may be next to the third
  EXPECT_FALSE(outliers(list, {.significance = 0.05}));
}

TEST(Outliers, FewOrNegativeEigenvaluesSayNothing) {
  EXPECT_FALSE(outliers({}));
  EXPECT_FALSE(outliers(known_exactly({9, 1})));
  EXPECT_FALSE(outliers(known_exactly({9, 1, 1, 1, 1})));
  EXPECT_TRUE(outliers(known_exactly({9, 1, 1, 1, 1, 1})));  // repeated: no spacing below at all
  EXPECT_FALSE(outliers(known_exactly({9, 1, 0, -1, -2, -3, -4})));
  EXPECT_THROW(outliers({}, {.significance = 0}), Error);
  EXPECT_THROW(outliers({}, {.least_ratio = 0.5}), Error);
}

TEST(Outliers, LanczosKnowsEigenvaluesBelowTheWanted) {
  const testing::KnownOperator a(testing::network_spectrum(2000));
  const std::vector<double> exact = a.descending();
  const LanczosOptions wanted{.num_top = 10, .num_bottom = 3};
  LanczosOptions more = wanted;
  more.num_beyond = 8;
  for (const LanczosOptions& options : {wanted, more}) {
    const LanczosResult r = lanczos(a, options);
    EXPECT_EQ(r.status, CurvatureStatus::converged);
    for (std::size_t i = 0; i < r.below_top.size(); ++i) {
      const Eigenvalue& e = r.below_top[i];
      EXPECT_LE(e.error_bound,
                (i < static_cast<std::size_t>(options.num_beyond) ? 0.021 : 0.1) * e.value);
      double nearest = HUGE_VAL;
      for (const double value : exact) nearest = std::min(nearest, std::fabs(value - e.value));
      EXPECT_LE(nearest, e.error_bound) << i;
      if (i < static_cast<std::size_t>(options.num_beyond)) {
        EXPECT_NEAR(e.value, exact[10 + i], 0.021 * e.value);  // none is missed
      }
    }
    EXPECT_GE(static_cast<std::int64_t>(r.below_top.size()), options.num_beyond);
  }
  // Fewer than asked for where the rest is the other end.
  const LanczosResult all = lanczos(testing::KnownOperator({5, 4, 3, 2, 1}),
                                    {.num_top = 3, .num_bottom = 2, .num_beyond = 8});
  EXPECT_TRUE(all.below_top.empty());
  EXPECT_THROW(lanczos(a, {.num_beyond = -1}), Error);
}

}  // namespace
}  // namespace kappa
