#include <gtest/gtest.h>

#include <Eigen/Dense>
#include <cmath>
#include <numeric>

#include "base/random.h"
#include "curvature/spectra.h"
#include "kappa/curvature.h"
#include "kappa/error.h"

namespace kappa {
namespace {

using testing::KnownOperator;
using testing::linspace;
using testing::network_spectrum;
using testing::repeat;

double sum(const std::vector<double>& x) { return std::accumulate(x.begin(), x.end(), 0.0); }

Eigen::MatrixXd dense(const SymmetricOperator& a) {
  Eigen::MatrixXd m(a.dimension(), a.dimension());
  const Eigen::MatrixXd unit = Eigen::MatrixXd::Identity(a.dimension(), a.dimension());
  a.apply(a.dimension(), unit.data(), m.data());
  return m;
}

double integral(const SpectralDensity& d, int power = 0) {
  const double h = d.lambda[1] - d.lambda[0];
  double total = 0;
  for (std::size_t i = 0; i < d.lambda.size(); ++i) {
    const double end = i == 0 || i + 1 == d.lambda.size() ? 0.5 : 1;
    total += end * h * d.density[i] * std::pow(d.lambda[i], power);
  }
  return total;
}

TEST(Random, SignsAndNormalsHaveTheirMoments) {
  constexpr std::int64_t n = 100000;
  std::vector<double> x(n);
  Random(3, 5).fill_normal(n, x.data());
  double mean = 0, square = 0, fourth = 0;
  for (const double v : x) {
    mean += v / n;
    square += v * v / n;
    fourth += v * v * v * v / n;
  }
  EXPECT_NEAR(mean, 0, 4 / std::sqrt(double(n)));
  EXPECT_NEAR(square, 1, 4 * std::sqrt(2.0 / n));
  EXPECT_NEAR(fourth, 3, 4 * std::sqrt(96.0 / n));
  Random(3, 6).fill_signs(n, x.data());
  mean = 0;
  for (const double v : x) {
    ASSERT_EQ(std::fabs(v), 1);
    mean += v / n;
  }
  EXPECT_NEAR(mean, 0, 4 / std::sqrt(double(n)));
}

TEST(Trace, HutchinsonEqualsItsNaiveTwin) {
  const KnownOperator a(linspace(-1, 3, 60));
  const TraceEstimate t =
      trace(a, {.tolerance = 1e-9, .min_probes = 20, .max_probes = 20, .block_size = 3, .seed = 4});
  const Eigen::MatrixXd m = dense(a);
  std::vector<double> samples;
  for (std::uint64_t j = 0; j < 20; ++j) {
    Eigen::VectorXd z(60);
    Random(4, j).fill_signs(60, z.data());
    samples.push_back(z.dot(m * z));
  }
  const double mean = sum(samples) / 20;
  double squares = 0;
  for (const double s : samples) squares += (s - mean) * (s - mean);
  EXPECT_NEAR(t.value, mean, 1e-11);
  EXPECT_NEAR(t.standard_error, std::sqrt(squares / 19 / 20), 1e-11);
  EXPECT_EQ(t.num_products, 20);
  EXPECT_EQ(t.status, CurvatureStatus::max_products);
}

TEST(Trace, StopsOnTheStandardErrorAndIsRightWithinIt) {
  const KnownOperator a(network_spectrum(400));
  const double exact = sum(a.descending());
  for (const TraceMethod method : {TraceMethod::hutchinson, TraceMethod::hutch_plus_plus}) {
    double squares = 0;
    constexpr int runs = 40;
    for (std::uint64_t seed = 0; seed < runs; ++seed) {
      const TraceEstimate t = trace(a, {.method = method, .tolerance = 0.03, .seed = seed});
      EXPECT_EQ(t.status, CurvatureStatus::converged);
      EXPECT_LE(t.standard_error, 0.03 * std::fabs(t.value));
      const double z = (t.value - exact) / t.standard_error;
      EXPECT_LT(std::fabs(z), 6) << seed;
      squares += z * z;
    }
    // Mean of z^2 is 1 for a right standard error (a little more: few probes, a stopping rule).
    EXPECT_GT(squares / runs, 0.5);
    EXPECT_LT(squares / runs, 2.5);
  }
}

TEST(Trace, VarianceIsTheClosedForm) {
  // Var z'Az = 2 sum_{i != j} A_ij^2.
  const KnownOperator a(linspace(-1, 3, 50));
  const Eigen::MatrixXd m = dense(a);
  const double variance = 2 * (m.squaredNorm() - m.diagonal().squaredNorm());
  const TraceEstimate t = trace(a, {.tolerance = 1e-12, .min_probes = 4000, .max_probes = 4000});
  EXPECT_NEAR(t.standard_error * t.standard_error * 4000 / variance, 1, 0.15);
}

TEST(Trace, HutchPlusPlusIsExactForLowRankAndBetterForOutliers) {
  const KnownOperator low(repeat({{5, 2}, {-1, 1}, {0, 197}}));
  const TraceEstimate exact = trace(low, {.method = TraceMethod::hutch_plus_plus});
  EXPECT_NEAR(exact.value, 9, 1e-11);
  EXPECT_EQ(exact.standard_error, 0);
  // Turned by a random orthogonal matrix, so that the outliers lie across all entries.
  std::srand(3);
  const Eigen::MatrixXd q =
      Eigen::HouseholderQR<Eigen::MatrixXd>(Eigen::MatrixXd::Random(300, 300)).householderQ();
  const std::vector<double> lambda = network_spectrum(300);
  const Eigen::MatrixXd m =
      q * Eigen::Map<const Eigen::VectorXd>(lambda.data(), 300).asDiagonal() * q.transpose();
  const DenseOperator a(300, std::vector<double>(m.data(), m.data() + m.size()));
  const auto plain = trace(a, {.tolerance = 1e-9, .min_probes = 60, .max_probes = 60});
  const auto sketched = trace(a, {.method = TraceMethod::hutch_plus_plus,
                                  .tolerance = 1e-9,
                                  .min_probes = 28,
                                  .max_probes = 28});
  EXPECT_EQ(plain.num_products, sketched.num_products);
  EXPECT_LT(sketched.standard_error, plain.standard_error / 3);
}

TEST(Trace, OfDiagonalZeroAndOneByOneIsExact) {
  EXPECT_NEAR(trace(KnownOperator({1, 2, 4}, false)).value, 7, 1e-14);
  const TraceEstimate zero = trace(KnownOperator(repeat({{0, 5}})));
  EXPECT_EQ(zero.value, 0);
  EXPECT_EQ(zero.status, CurvatureStatus::converged);
  EXPECT_EQ(trace(KnownOperator({-2.5}, false), {.method = TraceMethod::hutch_plus_plus}).value,
            -2.5);
}

TEST(Trace, NanStopAndBadOptions) {
  KnownOperator a(linspace(0, 1, 30));
  a.fail_from = 12;
  EXPECT_EQ(trace(a, {.tolerance = 1e-9}).status, CurvatureStatus::non_finite);
  a.fail_from = 1 << 20;
  TraceOptions options{.tolerance = 1e-9};
  options.progress = [](const Progress& p) { return p.done < 16; };
  const TraceEstimate t = trace(a, options);
  EXPECT_EQ(t.status, CurvatureStatus::stopped);
  EXPECT_EQ(t.num_probes, 16);
  EXPECT_THROW((void)trace(a, {.tolerance = -1}), Error);
  EXPECT_THROW((void)trace(a, {.min_probes = 1}), Error);
}

TEST(Diagonal, ErrorsAreThoseItStates) {
  const KnownOperator a(linspace(-1, 3, 80));
  const Eigen::MatrixXd m = dense(a);
  const DiagonalEstimate d = diagonal(a, {.num_probes = 400, .block_size = 7, .seed = 2});
  EXPECT_EQ(d.num_products, 400);
  double squares = 0, variance_ratio = 0;
  for (Eigen::Index i = 0; i < 80; ++i) {
    const auto k = static_cast<std::size_t>(i);
    const double z = (d.value[k] - m(i, i)) / d.standard_error[k];
    squares += z * z / 80;
    const double variance = m.row(i).squaredNorm() - m(i, i) * m(i, i);  // sum_{j != i} A_ij^2
    variance_ratio += d.standard_error[k] * d.standard_error[k] * 400 / variance / 80;
  }
  EXPECT_NEAR(squares, 1, 0.6);
  EXPECT_NEAR(variance_ratio, 1, 0.1);
}

TEST(Diagonal, IsExactForADiagonalOperator) {
  const KnownOperator a(linspace(-1, 3, 9), false);
  const DiagonalEstimate d = diagonal(a, {.num_probes = 2});
  for (std::size_t i = 0; i < 9; ++i) {
    EXPECT_DOUBLE_EQ(d.value[i], linspace(-1, 3, 9)[i]);
    EXPECT_EQ(d.standard_error[i], 0);
  }
}

TEST(Density, IntegratesToOneAndHasTheMomentsOfTheSpectrum) {
  const KnownOperator a(network_spectrum(2000));
  const SpectralDensity d = density(a, {.num_probes = 20, .num_steps = 60, .seed = 1});
  EXPECT_EQ(d.status, CurvatureStatus::converged);
  EXPECT_EQ(d.num_products, 20 * 60);
  EXPECT_NEAR(integral(d), 1, 1e-12);
  const double exact = sum(a.descending());
  EXPECT_LT(std::fabs(d.trace - exact), 4 * d.trace_standard_error);
  EXPECT_NEAR(integral(d, 1), d.trace / 2000, 1e-9);  // a Gaussian's mean is its centre
  EXPECT_EQ(d.standard_error.size(), d.density.size());
}

TEST(Density, EqualsTheExactBroadenedSpectrumWithinItsErrors) {
  const std::vector<double> lambda = network_spectrum(1500);
  const KnownOperator a(lambda);
  const SpectralDensity d =
      density(a, {.num_probes = 40, .num_steps = 80, .sigma = 0.05, .seed = 3});
  double squares = 0;
  int counted = 0;
  for (std::size_t i = 0; i < d.lambda.size(); ++i) {
    double exact = 0;
    for (const double l : lambda) {
      const double z = (d.lambda[i] - l) / 0.05;
      exact += std::exp(-z * z / 2) / (0.05 * std::sqrt(2 * M_PI)) / 1500;
    }
    if (exact < 1e-3) continue;
    const double z = (d.density[i] - exact) / d.standard_error[i];
    squares += z * z;
    ++counted;
  }
  ASSERT_GT(counted, 20);
  EXPECT_LT(squares / counted, 3);
  EXPECT_GT(squares / counted, 0.1);
}

TEST(Density, QuadratureOfOneProbeIsExactForPolynomials) {
  // m nodes integrate degree 2m - 1: against z'A^k z / z'z of the same probe.
  const KnownOperator a(linspace(-1, 2, 40));
  const SpectralDensity d = density(a, {.num_probes = 1, .num_steps = 5, .seed = 9});
  Eigen::VectorXd z(40);
  Random(9, 0).fill_normal(40, z.data());
  z.normalize();
  const Eigen::MatrixXd m = dense(a);
  Eigen::VectorXd power = z;
  for (int k = 0; k <= 9; ++k) {
    double quadrature = 0;
    for (std::size_t i = 0; i < d.nodes.size(); ++i)
      quadrature += d.weights[i] * std::pow(d.nodes[i], k);
    EXPECT_NEAR(quadrature, z.dot(power), 1e-11) << k;
    power = m * power;
  }
  EXPECT_TRUE(d.standard_error.empty());
}

TEST(Density, NoGhostsOfAConvergedOutlier) {
  // Without orthogonalisation 120 steps give copies of the outlier.
  std::vector<double> lambda = linspace(0, 1, 300);
  lambda.push_back(50);
  const SpectralDensity d = density(KnownOperator(lambda), {.num_probes = 3, .num_steps = 120});
  for (std::size_t p = 0, first = 0; p < 3; ++p) {
    const auto size = static_cast<std::size_t>(d.probe_sizes[p]);
    int copies = 0;
    double weight = 0;
    for (std::size_t i = first; i < first + size; ++i) {
      copies += d.nodes[i] > 2 ? 1 : 0;
      weight += d.weights[i];
    }
    EXPECT_EQ(copies, 1);
    EXPECT_NEAR(weight, 1, 1e-12);
    first += size;
  }
}

TEST(Density, BreakdownsAndSmallOperators) {
  for (const auto& lambda :
       {repeat({{2, 50}}), repeat({{0, 10}}), repeat({{1, 5}, {-1, 5}}), {4.0}}) {
    const SpectralDensity d = density(KnownOperator(lambda), {.num_probes = 3});
    EXPECT_EQ(d.status, CurvatureStatus::converged);
    EXPECT_NEAR(integral(d), 1, 1e-12);
    for (const double node : d.nodes) {
      double nearest = 1e9;
      for (const double l : lambda) nearest = std::min(nearest, std::fabs(l - node));
      EXPECT_LT(nearest, 1e-12);
    }
  }
}

TEST(Density, GroupsOfProbesGiveTheSameAnswer) {
  const KnownOperator a(network_spectrum(300));
  DensityOptions options{.num_probes = 5, .num_steps = 20};
  const SpectralDensity all = density(a, options);
  options.max_basis_bytes = 2 * 8 * 300 * 20;
  const SpectralDensity grouped = density(a, options);
  EXPECT_EQ(all.nodes, grouped.nodes);
  EXPECT_EQ(all.density, grouped.density);
}

TEST(Density, NanAndStopKeepWhatIsKnown) {
  KnownOperator a(network_spectrum(300));
  DensityOptions options{.num_probes = 4, .num_steps = 30};
  options.progress = [](const Progress& p) { return p.done < 40; };
  const SpectralDensity stopped = density(a, options);
  EXPECT_EQ(stopped.status, CurvatureStatus::stopped);
  EXPECT_EQ(stopped.num_steps, 10);
  EXPECT_NEAR(integral(stopped), 1, 1e-12);
  a.fail_from = 1;
  EXPECT_EQ(density(a).status, CurvatureStatus::non_finite);
  EXPECT_TRUE(density(a).density.empty());
}

}  // namespace
}  // namespace kappa
