#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "curvature/spectra.h"
#include "kappa/curvature.h"
#include "kappa/error.h"

namespace kappa {
namespace {

using testing::dot;
using testing::KnownOperator;
using testing::linspace;
using testing::repeat;

KnownSpectrum dense_known(const std::vector<double>& lambda) {
  return known(dense_spectrum(KnownOperator(lambda)));
}

KnownSpectrum partly_known(const std::vector<double>& lambda, std::int64_t top, std::int64_t bottom,
                           double tolerance = 1e-8) {
  const KnownOperator a(lambda);
  return known(lanczos(a, {.num_top = top, .num_bottom = bottom, .tolerance = tolerance}),
               a.dimension());
}

TEST(DenseSpectrum, MatchesTheKnownOneWithInertia) {
  const std::vector<double> lambda{-2, -2, 0, 0, 0, 1, 3, 3, 7};
  const KnownOperator a(lambda);
  const Spectrum s = dense_spectrum(a);
  EXPECT_EQ(s.num_products, 9);
  EXPECT_EQ(s.inertia.negative, 2);
  EXPECT_EQ(s.inertia.zero, 3);
  EXPECT_EQ(s.inertia.positive, 4);
  std::vector<double> ax(9);
  for (std::size_t j = 0; j < 9; ++j) {
    EXPECT_NEAR(s.values[j], lambda[j], 1e-14);
    a.apply(1, s.vectors.data() + 9 * j, ax.data());
    for (std::size_t i = 0; i < 9; ++i) EXPECT_NEAR(ax[i], lambda[j] * s.vectors[9 * j + i], 1e-13);
  }
  EXPECT_EQ(dense_spectrum(KnownOperator({-4}, false)).values[0], -4);
  EXPECT_EQ(dense_spectrum(KnownOperator(repeat({{0, 3}}))).inertia.zero, 3);
  EXPECT_THROW((void)dense_spectrum(a, 8), Error);
  const std::vector<double> nan(4, std::nan(""));
  EXPECT_EQ(dense_spectrum(2, nan).status, CurvatureStatus::non_finite);
}

TEST(Known, OverlappingListsHoldEachPairOnce) {
  for (const auto& lambda : {std::vector<double>{1, 2, 3}, repeat({{1, 3}})}) {
    const KnownSpectrum k = partly_known(lambda, 2, 2);
    EXPECT_TRUE(k.complete);
    ASSERT_EQ(k.values.size(), 3u);
    for (std::size_t i = 0; i < 3; ++i) EXPECT_NEAR(k.values[i], lambda[i], 1e-12);
    EXPECT_EQ(k.vectors.size(), 9u);
  }
  const KnownSpectrum part = partly_known(linspace(-1, 1, 100), 3, 2);
  EXPECT_FALSE(part.complete);
  EXPECT_EQ(part.values.size(), 5u);
  EXPECT_EQ(part.num_top, 3);
  EXPECT_EQ(part.num_bottom, 2);
  EXPECT_TRUE(std::is_sorted(part.values.begin(), part.values.end()));
}

TEST(ConditionNumber, SaysWhatItDivided) {
  const Condition c = condition(dense_known({0.5, 1, 8}));
  EXPECT_NEAR(c.number, 16, 1e-12);
  EXPECT_EQ(c.null_dimension, 0);
  EXPECT_FALSE(c.lower_bound);
  EXPECT_NE(c.definition.find("lambda_max / lambda_min over all 3"), std::string::npos);

  const Condition with_null = condition(dense_known({0, 0, 0.5, 8}));
  EXPECT_NEAR(with_null.number, 16, 1e-12);
  EXPECT_EQ(with_null.null_dimension, 2);

  const Condition indefinite = condition(dense_known({-8, 0.5, 1}));
  EXPECT_NEAR(indefinite.number, 16, 1e-12);
  EXPECT_NEAR(indefinite.lambda_max, -8, 1e-13);
  EXPECT_NE(indefinite.definition.find("|lambda|"), std::string::npos);

  EXPECT_TRUE(std::isnan(condition(dense_known({0, 0})).number));

  const Condition part = condition(partly_known(linspace(1, 10, 200), 3, 0));
  EXPECT_TRUE(part.lower_bound);
  EXPECT_LT(part.number, 10);
  EXPECT_NEAR(condition_of_mean(10, 50, 100).number, 20, 1e-12);
}

struct Verdict {
  std::vector<double> lambda;
  CriticalKind kind;
  std::int64_t index;
  SurfaceShape form;
};

TEST(CriticalPointTest, TextbookVerdicts) {
  for (const Verdict& v : {Verdict{{1, 2, 3}, CriticalKind::minimum, 0, SurfaceShape::bowl},
                           Verdict{{-1, -2, -3}, CriticalKind::maximum, 3, SurfaceShape::dome},
                           Verdict{{-1, 2, 3}, CriticalKind::saddle, 1, SurfaceShape::saddle},
                           Verdict{{-1, 0, 3}, CriticalKind::saddle, 1, SurfaceShape::saddle},
                           Verdict{{0, 2, 3}, CriticalKind::degenerate, 0, SurfaceShape::trough},
                           Verdict{{-2, -1, 0}, CriticalKind::degenerate, 2, SurfaceShape::ridge},
                           Verdict{{0, 0, 0}, CriticalKind::degenerate, 0, SurfaceShape::flat},
                           Verdict{{5}, CriticalKind::minimum, 0, SurfaceShape::bowl}}) {
    const KnownSpectrum k = dense_known(v.lambda);
    const CriticalPoint p = critical_point(k, 1e-9, 1e-6);
    EXPECT_EQ(p.kind, v.kind) << p.evidence;
    EXPECT_EQ(p.index, v.index);
    EXPECT_FALSE(p.index_lower_bound);
    EXPECT_EQ(shape(k), v.form);
    const CriticalPoint away = critical_point(k, 1e-3, 1e-6);
    EXPECT_EQ(away.kind, CriticalKind::not_critical);
    EXPECT_EQ(away.index, v.index);
    EXPECT_NE(away.evidence.find("0.001"), std::string::npos);
  }
  EXPECT_EQ(critical_point(dense_known({1}), std::nan(""), 1e-6).kind, CriticalKind::not_critical);
}

TEST(CriticalPointTest, PartialKnowledgeIsNotOverstated) {
  // Only the top: it may be a minimum or a saddle.
  const KnownSpectrum top = partly_known(linspace(1, 10, 300), 3, 0);
  const CriticalPoint undecided = critical_point(top, 0, 1e-6);
  EXPECT_EQ(undecided.kind, CriticalKind::undecided);
  EXPECT_NE(undecided.evidence.find("smallest"), std::string::npos);
  EXPECT_FALSE(shape(top).has_value());
  // Both ends decide; the index is counted to the first that is not negative.
  std::vector<double> lambda = linspace(1, 10, 300);
  EXPECT_EQ(critical_point(partly_known(lambda, 1, 1), 0, 1e-6).kind, CriticalKind::minimum);
  lambda.push_back(-3);
  lambda.push_back(-2);
  const CriticalPoint saddle = critical_point(partly_known(lambda, 1, 4), 0, 1e-6);
  EXPECT_EQ(saddle.kind, CriticalKind::saddle);
  EXPECT_EQ(saddle.index, 2);
  EXPECT_FALSE(saddle.index_lower_bound);
  EXPECT_TRUE(critical_point(partly_known(lambda, 1, 2), 0, 1e-6).index_lower_bound);
  // A maximum known from the largest alone.
  const CriticalPoint maximum = critical_point(partly_known(linspace(-10, -1, 300), 1, 0), 0, 1e-6);
  EXPECT_EQ(maximum.kind, CriticalKind::maximum);
  EXPECT_EQ(maximum.index, 300);
}

TEST(CriticalPointTest, AnUnconvergedEndProvesOnlyItsSign) {
  KnownSpectrum k;
  k.dimension = 1000;
  k.num_top = k.num_bottom = 1;
  k.norm = 10;
  k.rounding = 1e-12;
  k.values = {0.1, 10};
  k.error_bounds = {0.5, 1e-9};  // lambda_min may be anything down to -0.4
  EXPECT_EQ(critical_point(k, 0, 1e-6).kind, CriticalKind::undecided);
  k.values[0] = -0.1;  // but a negative Rayleigh quotient is a negative direction
  EXPECT_EQ(critical_point(k, 0, 1e-6).kind, CriticalKind::saddle);
}

/// Runs w <- w - alpha A w + beta (w - w_old) in the eigenbasis from all ones; |w| after `steps`.
double descend(const std::vector<double>& lambda, double alpha, double beta, int steps,
               std::vector<double>* end = nullptr) {
  std::vector<double> w(lambda.size(), 1.0), old = w;
  for (int s = 0; s < steps; ++s) {
    for (std::size_t i = 0; i < w.size(); ++i) {
      const double next = w[i] - alpha * lambda[i] * w[i] + beta * (w[i] - old[i]);
      old[i] = w[i];
      w[i] = next;
    }
  }
  if (end != nullptr) *end = w;
  return std::sqrt(dot(w, w));
}

TEST(LearningRateTest, StabilityLimitIsWhereDescentTurns) {
  const std::vector<double> lambda{0.5, 1, 2.5, 8};
  const LearningRate r = learning_rate(dense_known(lambda));
  ASSERT_TRUE(r.stability_limit);
  EXPECT_NEAR(*r.stability_limit, 0.25, 1e-14);
  EXPECT_LT(descend(lambda, 0.999 * *r.stability_limit, 0, 20000), 1e-10);
  EXPECT_GT(descend(lambda, 1.001 * *r.stability_limit, 0, 20000), 1e10);
}

TEST(LearningRateTest, FastestFixedBeatsItsNeighboursAtThePredictedRate) {
  const std::vector<double> lambda{0.5, 1, 2.5, 8};
  const LearningRate r = learning_rate(dense_known(lambda));
  EXPECT_NEAR(*r.fastest_fixed, 2 / 8.5, 1e-14);
  EXPECT_NEAR(*r.gradient_descent_rate, 15.0 / 17, 1e-14);
  const double best = descend(lambda, *r.fastest_fixed, 0, 200);
  EXPECT_LT(best, descend(lambda, 0.98 * *r.fastest_fixed, 0, 200));
  EXPECT_LT(best, descend(lambda, 1.02 * *r.fastest_fixed, 0, 200));
  const double ratio = descend(lambda, *r.fastest_fixed, 0, 201) / best;
  EXPECT_NEAR(ratio, *r.gradient_descent_rate, 1e-6);
  // The slowest component is below 1e-6 exactly at the predicted iteration.
  std::vector<double> w;
  const auto n = static_cast<int>(*r.iterations_to_1e_6);
  descend(lambda, *r.fastest_fixed, 0, n, &w);
  EXPECT_LE(std::fabs(w[0]), 1e-6);
  descend(lambda, *r.fastest_fixed, 0, n - 1, &w);
  EXPECT_GT(std::fabs(w[0]), 1e-6);
}

TEST(LearningRateTest, HeavyBallReachesItsRateAndNoNeighbourBeatsIt) {
  const std::vector<double> lambda{0.01, 0.3, 1};  // kappa 100: beta = (9/11)^2
  const LearningRate r = learning_rate(dense_known(lambda));
  ASSERT_TRUE(r.momentum);
  EXPECT_NEAR(r.momentum->learning_rate, 4 / 1.21, 1e-12);
  EXPECT_NEAR(r.momentum->momentum, 81.0 / 121, 1e-12);
  EXPECT_NEAR(r.momentum->rate, 9.0 / 11, 1e-12);
  const double here = descend(lambda, r.momentum->learning_rate, r.momentum->momentum, 600);
  // |w_k| ~ k rate^k at the optimum (a double root).
  EXPECT_NEAR(std::log(here) / 600, std::log(9.0 / 11), 0.02);
  EXPECT_LT(here, descend(lambda, r.momentum->learning_rate * 0.9, r.momentum->momentum, 600));
  EXPECT_LT(here, descend(lambda, r.momentum->learning_rate, r.momentum->momentum * 0.9, 600));
  EXPECT_LT(here, descend(lambda, r.momentum->learning_rate, r.momentum->momentum * 1.1, 600));
}

TEST(LearningRateTest, GivenRateIsJudgedAsItRuns) {
  const std::vector<double> lambda{0.1, 1, 5, 6, 7};
  LearningRateOptions options{.given = 0.45};  // limit 2/7: 5, 6 and 7 diverge
  const LearningRate r = learning_rate(dense_known(lambda), options);
  ASSERT_TRUE(r.given);
  EXPECT_FALSE(r.given->stable);
  EXPECT_EQ(r.given->num_diverging, 3);
  EXPECT_NEAR(r.given->contraction_worst, 2.15, 1e-12);
  const auto steps = static_cast<int>(*r.given->steps_to_divergence);
  std::vector<double> w;
  descend(lambda, 0.45, 0, steps, &w);
  EXPECT_GE(std::fabs(w[4]), 10);
  descend(lambda, 0.45, 0, steps - 1, &w);
  EXPECT_LT(std::fabs(w[4]), 10);
  EXPECT_NE(r.given->sentence.find("diverges along 3 directions"), std::string::npos);

  options.given = 0.28;
  EXPECT_TRUE(learning_rate(dense_known(lambda), options).given->stable);
  // Momentum widens the limit to 2 (1 + beta) / lambda_max.
  options.given_momentum = 0.5;
  options.given = 0.42;
  EXPECT_TRUE(learning_rate(dense_known(lambda), options).given->stable);
  EXPECT_LT(descend(lambda, 0.42, 0.5, 5000), 1e-10);
  options.given = 0.43;
  EXPECT_FALSE(learning_rate(dense_known(lambda), options).given->stable);
  EXPECT_GT(descend(lambda, 0.43, 0.5, 5000), 1e10);
}

TEST(LearningRateTest, DirectionsAndTheirContractions) {
  const LearningRate r = learning_rate(dense_known({0, 1, 4}), {.given = 0.3});
  ASSERT_EQ(r.directions.size(), 3u);
  EXPECT_NEAR(r.directions[0].ideal_rate, 0.25, 1e-15);
  EXPECT_NEAR(r.directions[0].contraction, 0.2, 1e-14);
  EXPECT_NEAR(r.directions[1].contraction, 0.7, 1e-14);
  EXPECT_TRUE(std::isinf(r.directions[2].ideal_rate));
  EXPECT_FALSE(r.fastest_fixed);  // singular: not positive definite
  EXPECT_TRUE(r.given->stable);
  EXPECT_NEAR(r.given->contraction_worst, 0.7, 1e-14);
}

TEST(LearningRateTest, NegativeCurvatureWarnsAndKeepsQuiet) {
  // f = x^2 - y^2 at (0, 1): g = (0, -2), g'Hg = -8.
  const LearningRate r = learning_rate(dense_known({-2, 2}), {.given = 0.1}, 2.0, -8.0);
  EXPECT_FALSE(r.fastest_fixed);
  EXPECT_FALSE(r.momentum);
  EXPECT_FALSE(r.steepest_descent_step);
  EXPECT_NEAR(*r.curvature_along_gradient, -2, 1e-15);
  EXPECT_EQ(r.warnings.size(), 2u);
  EXPECT_EQ(r.given->num_escaping, 1);
  EXPECT_TRUE(r.given->stable);
  EXPECT_FALSE(learning_rate(dense_known({-2, -1})).stability_limit);
  const LearningRate bowl = learning_rate(dense_known({1, 3}), {}, 2.0, 8.0);
  EXPECT_NEAR(*bowl.steepest_descent_step, 0.5, 1e-15);
  EXPECT_TRUE(bowl.warnings.empty());
  EXPECT_EQ(*learning_rate(dense_known({3, 3})).iterations_to_1e_6, 1);
  EXPECT_THROW((void)learning_rate(dense_known({1}), {.given = -1}), Error);
}

TEST(Direction, WeightsAreSquaredCosines) {
  const KnownOperator a({1, 2, 5});
  const KnownSpectrum k = known(dense_spectrum(a));
  std::vector<double> d(3, 0.0);
  for (std::size_t j = 0; j < 3; ++j) {
    const auto v = a.eigenvector(j);
    const double part[] = {1, 2, 2};
    for (std::size_t i = 0; i < 3; ++i) d[i] += part[j] * v[i];
  }
  const DirectionAnalysis r = direction(a, d, k);
  EXPECT_NEAR(r.norm, 3, 1e-14);
  EXPECT_NEAR(r.quadratic, 1 + 8 + 20, 1e-12);
  EXPECT_NEAR(r.curvature, 29.0 / 9, 1e-13);
  EXPECT_NEAR(r.weights[0], 1.0 / 9, 1e-14);
  EXPECT_NEAR(r.weights[2], 4.0 / 9, 1e-14);
  EXPECT_NEAR(r.remainder, 0, 1e-14);
  const KnownSpectrum top = known(lanczos(a, {.num_top = 1, .tolerance = 1e-12}), 3);
  EXPECT_NEAR(direction(a, d, top).remainder, 5.0 / 9, 1e-9);
  EXPECT_EQ(direction(a, std::vector<double>(3, 0.0)).curvature, 0);
}

TEST(OperatorChecks, SeeEachFault) {
  KnownOperator good(linspace(-1, 1, 50));
  EXPECT_TRUE(check_operator(good).passed());
  EXPECT_LT(check_operator(good).symmetry_error, 1e-14);
  EXPECT_EQ(check_operator(good).num_products, 3);
  EXPECT_TRUE(check_operator(KnownOperator(repeat({{0, 4}}))).passed());
  good.single_precision = true;
  EXPECT_TRUE(check_operator(good).passed());
  good.fail_from = 1;
  EXPECT_FALSE(check_operator(good).finite);

  class Faulty : public SymmetricOperator {
   public:
    explicit Faulty(bool random) : random_(random) {}
    [[nodiscard]] std::int64_t dimension() const override { return 4; }
    void apply(std::int64_t k, const double* d, double* p) const override {
      for (std::int64_t i = 0; i < 4 * k; ++i) p[i] = d[i] * (random_ ? 1 + 1e-12 * ++calls_ : 1);
      if (!random_) p[0] += d[1];  // A_01 without A_10
    }

   private:
    bool random_;
    mutable int calls_ = 0;
  };
  EXPECT_FALSE(check_operator(Faulty(true)).deterministic);
  EXPECT_NE(check_operator(Faulty(true)).message.find("dropout"), std::string::npos);
  const OperatorCheck skew = check_operator(Faulty(false));
  EXPECT_TRUE(skew.deterministic);
  EXPECT_FALSE(skew.symmetric);
}

TEST(OperatorAlgebra, HasTheSpectrumItShould) {
  const KnownOperator a({1, 2, 5, 7}), b({1, 1, 1, 1});
  const Spectrum affine = dense_spectrum(AffineOperator(a, -2, 3));
  EXPECT_NEAR(affine.values[0], -11, 1e-13);
  EXPECT_NEAR(affine.values[3], 1, 1e-13);
  EXPECT_NEAR(dense_spectrum(SumOperator(a, b)).values[3], 8, 1e-13);
  const DeflatedOperator without(a, a.eigenvector(3));
  const Spectrum deflated = dense_spectrum(without);
  EXPECT_NEAR(deflated.values[0], 0, 1e-14);
  EXPECT_NEAR(deflated.values[3], 5, 1e-13);
  EXPECT_NEAR(dense_spectrum(DenseOperator(2, {1, 3, 1, 1})).values[1], 3,
              1e-15);  // symmetric part
  EXPECT_THROW(DenseOperator(2, {1}), Error);
  EXPECT_THROW(SumOperator(a, KnownOperator({1})), Error);
}

}  // namespace
}  // namespace kappa
