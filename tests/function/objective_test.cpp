// Objectives over data: what must not matter (threads, memory, batch size, block size) does not,
// and what must (weights of a ragged last micro-batch, penalties, frozen parameters) does.

#include "function/objective.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>
#include <random>

#include "function/make_objective.h"
#include "kappa/error.h"

namespace kappa {
namespace {

std::shared_ptr<Dataset> make_data(std::int64_t samples, std::int64_t features,
                                   std::int64_t classes) {
  auto data = std::make_shared<Dataset>();
  data->source = "test data";
  data->x = StoredArray::zeros(ElementType::f64, {samples, features});
  data->y = StoredArray::zeros(ElementType::i64, {samples});
  data->num_classes = classes;
  std::mt19937_64 random(3);
  std::normal_distribution<double> normal;
  auto* x = static_cast<double*>(data->x.data());
  auto* y = static_cast<std::int64_t*>(data->y.data());
  for (std::int64_t i = 0; i < samples * features; ++i) x[i] = normal(random);
  for (std::int64_t i = 0; i < samples; ++i) {
    y[i] = static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(classes));
  }
  return data;
}

struct Setting {
  DType dtype = DType::f64;
  std::int64_t samples = 1500;
  int threads = 1;
  std::int64_t batch = 0;
  std::int64_t memory = 0;
  double l2 = 0;
  std::vector<std::string> params;
};

std::unique_ptr<Objective> make(const Setting& s) {
  ObjectiveSettings settings;
  settings.dtype = s.dtype;
  settings.l2 = s.l2;
  settings.params = s.params;
  settings.options = {.num_threads = s.threads, .batch = s.batch, .memory_bytes = s.memory};
  return make_network_objective("mlp:6-9-4:tanh", make_data(s.samples, 6, 4), "cross-entropy",
                                "uniform", 1, {}, settings);
}

std::vector<double> directions(std::int64_t n, std::int64_t k) {
  std::vector<double> v(static_cast<std::size_t>(n * k));
  std::mt19937_64 random(5);
  std::normal_distribution<double> normal;
  for (double& x : v) x = normal(random);
  return v;
}

struct Products {
  double value;
  std::vector<double> gradient, hessian, gauss_newton;
};

Products products(const Objective& f, std::int64_t k) {
  const std::vector<double> w = f.parameters().start();
  const auto linearization = f.linearize(w.data());
  const std::int64_t n = f.dimension();
  const std::vector<double> v = directions(n, k);
  Products result;
  result.value = linearization->value();
  result.gradient.assign(linearization->gradient().begin(), linearization->gradient().end());
  result.hessian.resize(v.size());
  result.gauss_newton.resize(v.size());
  linearization->hessian_product(k, v.data(), result.hessian.data());
  linearization->gauss_newton_product(k, v.data(), result.gauss_newton.data());
  return result;
}

void expect_same_bits(const Products& a, const Products& b) {
  EXPECT_EQ(a.value, b.value);
  EXPECT_EQ(a.gradient, b.gradient);
  EXPECT_EQ(a.hessian, b.hessian);
  EXPECT_EQ(a.gauss_newton, b.gauss_newton);
}

void expect_close(const std::vector<double>& a, const std::vector<double>& b, double tolerance) {
  ASSERT_EQ(a.size(), b.size());
  double scale = 0, worst = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    scale = std::max(scale, std::abs(b[i]));
    worst = std::max(worst, std::abs(a[i] - b[i]));
  }
  EXPECT_LE(worst, tolerance * scale);
}

TEST(Objective, ThreadsAndMemoryDoNotChangeABit) {
  for (const DType dtype : {DType::f64, DType::f32}) {
    Setting s{.dtype = dtype, .batch = 64};
    const Products reference = products(*make(s), 3);
    s.threads = 2;
    expect_same_bits(products(*make(s), 3), reference);
    s.threads = 5;
    expect_same_bits(products(*make(s), 3), reference);
    s.threads = 1;
    // Room for one worker and the residuals of a few micro-batches, or of none.
    const std::int64_t worker = make(s)->cost(8).workspace_bytes;
    const std::int64_t residuals = make(s)->cost(8).residual_bytes;
    for (const std::int64_t kept : {0, 3, 11}) {
      s.memory = worker + kept * residuals + 1024;
      const auto limited = make(s);
      EXPECT_EQ(limited->cost(8).kept_batches, kept);
      expect_same_bits(products(*limited, 3), reference);
      s.memory = 0;
    }
  }
}

// 19 directions are blocks of 8, 8 and 3: the micro-batches of the first two are shared out
// together, those of the block that is left over by themselves.
TEST(Objective, BlocksSideBySideDoNotChangeABit) {
  Setting s{.dtype = DType::f32, .batch = 64};
  const Products reference = products(*make(s), 19);
  for (const int threads : {2, 3, 4}) {
    s.threads = threads;
    s.memory = 0;
    expect_same_bits(products(*make(s), 19), reference);
    // No residuals kept: each thread computes them again for itself.
    s.memory = threads * make(s)->cost(8).workspace_bytes + 1024;
    const auto limited = make(s);
    EXPECT_EQ(limited->cost(8).kept_batches, 0);
    EXPECT_EQ(limited->cost(8).num_workers, threads);
    expect_same_bits(products(*limited, 19), reference);
  }
}

// Heavy samples are cut in two however few they are, so that a second thread has work.
TEST(Objective, ATransformerHasTheSameBitsOnTwoThreads) {
  const auto run = [](int threads) {
    ObjectiveSettings settings;
    settings.options.num_threads = threads;
    const auto f = make_network_objective("transformer:64x4-d64-h4-l2-4", make_data(16, 256, 4),
                                          "cross-entropy", "uniform", 1, {}, settings);
    EXPECT_EQ(f->cost().num_batches % 2, 0);
    return products(*f, 3);
  };
  expect_same_bits(run(2), run(1));
}

TEST(Objective, ARaggedLastBatchCountsOnlyItsSamples) {
  Setting s{.samples = 101};
  s.batch = 101;
  const Products whole = products(*make(s), 2);
  for (const std::int64_t batch : {1, 7, 50, 64, 100}) {
    s.batch = batch;
    const Products parts = products(*make(s), 2);
    EXPECT_NEAR(parts.value, whole.value, 1e-14 * whole.value);
    expect_close(parts.gradient, whole.gradient, 1e-13);
    expect_close(parts.hessian, whole.hessian, 1e-13);
    expect_close(parts.gauss_newton, whole.gauss_newton, 1e-13);
  }
}

TEST(Objective, ABlockIsItsDirections) {
  const auto f = make({.samples = 300});
  const std::vector<double> w = f->parameters().start();
  const std::int64_t n = f->dimension();
  const std::int64_t k = 19;  // more than one block
  const std::vector<double> v = directions(n, k);
  const auto linearization = f->linearize(w.data());
  std::vector<double> block(v.size()), single(v.size());
  linearization->hessian_product(k, v.data(), block.data());
  for (std::int64_t j = 0; j < k; ++j) {
    linearization->hessian_product(1, v.data() + j * n, single.data() + j * n);
  }
  expect_close(block, single, 1e-13);
}

TEST(Objective, HessianProductIsTheDerivativeOfTheGradient) {
  const auto f = make({.samples = 200, .l2 = 0.1});
  const std::vector<double> w = f->parameters().start();
  const std::int64_t n = f->dimension();
  const std::vector<double> v = directions(n, 1);
  std::vector<double> hv(v.size()), plus(v.size()), minus(v.size());
  f->linearize(w.data())->hessian_product(1, v.data(), hv.data());
  // Fourth-order differences: the error is far below the tolerance at this step.
  std::vector<double> difference(v.size(), 0.0);
  const double h = 1e-3;
  for (const auto& [step, factor] : {std::pair{1.0, 8.0 / 12}, std::pair{2.0, -1.0 / 12}}) {
    std::vector<double> at = w;
    for (std::size_t i = 0; i < at.size(); ++i) at[i] = w[i] + step * h * v[i];
    f->gradient(at.data(), plus.data());
    for (std::size_t i = 0; i < at.size(); ++i) at[i] = w[i] - step * h * v[i];
    f->gradient(at.data(), minus.data());
    for (std::size_t i = 0; i < at.size(); ++i) {
      difference[i] += factor * (plus[i] - minus[i]) / h;
    }
  }
  expect_close(difference, hv, 1e-8);
}

TEST(Objective, PenaltyAddsToValueGradientAndCurvature) {
  const Products plain = products(*make({}), 1);
  const Products penalised = products(*make({.l2 = 0.25}), 1);
  const std::vector<double> w = make({})->parameters().start();
  const std::vector<double> v = directions(static_cast<std::int64_t>(w.size()), 1);
  const double square = std::inner_product(w.begin(), w.end(), w.begin(), 0.0);
  EXPECT_NEAR(penalised.value, plain.value + 0.125 * square, 1e-14);
  for (std::size_t i = 0; i < w.size(); ++i) {
    EXPECT_NEAR(penalised.gradient[i], plain.gradient[i] + 0.25 * w[i], 1e-15);
    EXPECT_NEAR(penalised.hessian[i], plain.hessian[i] + 0.25 * v[i], 1e-14);
    EXPECT_NEAR(penalised.gauss_newton[i], plain.gauss_newton[i] + 0.25 * v[i], 1e-14);
  }
}

TEST(Objective, FrozenParametersLeaveABlockOfTheHessian) {
  const auto all = make({});
  const auto some = make({.params = {"layers.1.*"}});
  ASSERT_EQ(all->dimension(), 6 * 9 + 9 + 9 * 4 + 4);
  ASSERT_EQ(some->dimension(), 9 * 4 + 4);
  EXPECT_EQ(some->parameter_name(0), "layers.1.weight[0,0]");
  EXPECT_EQ(some->parameter_name(36), "layers.1.bias[0]");
  const std::int64_t n = all->dimension(), m = some->dimension();
  std::vector<double> full(static_cast<std::size_t>(n * n)), part(static_cast<std::size_t>(m * m));
  all->hessian(all->parameters().start().data(), full.data());
  some->hessian(some->parameters().start().data(), part.data());
  for (std::int64_t i = 0; i < m; ++i) {
    for (std::int64_t j = 0; j < m; ++j) {
      EXPECT_NEAR(part[static_cast<std::size_t>(i * m + j)],
                  full[static_cast<std::size_t>((n - m + i) * n + n - m + j)], 1e-13);
    }
  }
  EXPECT_THROW(make({.params = {"nothing*"}}), Error);
}

TEST(Objective, AMiniBatchIsTheMeanOverItsSamples) {
  const auto f = make({.samples = 40});
  const std::vector<double> w = f->parameters().start();
  double sum = 0;
  for (std::int64_t i = 0; i < 40; ++i) {
    const std::vector<std::int64_t> one{i};
    sum += f->value(w.data(), one);
  }
  EXPECT_NEAR(f->value(w.data()), sum / 40, 1e-14);
  const std::vector<std::int64_t> picked{3, 17, 17, 2};
  double expected = 0;
  for (const std::int64_t i : picked) expected += f->value(w.data(), std::vector<std::int64_t>{i});
  EXPECT_NEAR(f->value(w.data(), picked), expected / 4, 1e-14);
}

TEST(Objective, AnImpossibleBudgetIsRefusedWithFigures) {
  try {
    make({.memory = 10'000});
    FAIL() << "not refused";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::resource);
    const std::string message = error.what();
    EXPECT_NE(message.find("10 kB"), std::string::npos) << message;
    EXPECT_NE(message.find("--memory"), std::string::npos) << message;
  }
}

TEST(FormulaObjective, LeastSquaresOverATable) {
  auto table = std::make_shared<Table>();
  table->source = "t.csv";
  table->columns = {{"t", {0, 1, 2, 3, 4}, "", ErrorKind::data},
                    {"y", {1, 3, 5.5, 7, 8.5}, "", ErrorKind::data}};
  table->num_rows = 5;
  const NamedValues at{{"a", Tensor::scalar(0.5, DType::f64)},
                       {"b", Tensor::scalar(1.5, DType::f64)}};
  auto made = make_formula_objective("(y - (a + b*t))^2", at, {}, table, true, {});
  ASSERT_TRUE(made.scalar);
  const Objective& f = *made.scalar;
  ASSERT_EQ(f.num_residuals(), 5);
  EXPECT_DOUBLE_EQ(f.residual_scale(), 0.2);
  const std::vector<double> w{0.5, 1.5};
  std::vector<double> r(5), jacobian(10), hessian(4);
  f.residual_jacobian(w.data(), r.data(), jacobian.data());
  double sum = 0;
  for (std::size_t i = 0; i < 5; ++i) {
    const double t = table->columns[0].values[i];
    EXPECT_NEAR(std::abs(r[i]), std::abs(table->columns[1].values[i] - 0.5 - 1.5 * t), 1e-15);
    EXPECT_NEAR(std::abs(jacobian[2 * i]), 1, 1e-15);
    EXPECT_NEAR(std::abs(jacobian[2 * i + 1]), t, 1e-15);
    sum += r[i] * r[i];
  }
  EXPECT_NEAR(f.value(w.data()), sum / 5, 1e-14);
  // Linear residuals: the Hessian is 2/N JᵀJ and so is the Gauss-Newton matrix.
  f.hessian(w.data(), hessian.data());
  EXPECT_NEAR(hessian[0], 2, 1e-14);
  EXPECT_NEAR(hessian[1], 2 * 2, 1e-14);
  EXPECT_NEAR(hessian[3], 2 * 6, 1e-14);
  const double v[2] = {0.3, -1};
  double hv[2], gv[2];
  const auto linearization = f.linearize(w.data());
  ASSERT_TRUE(linearization->has_gauss_newton());
  linearization->hessian_product(1, v, hv);
  linearization->gauss_newton_product(1, v, gv);
  EXPECT_NEAR(hv[0], gv[0], 1e-14);
  EXPECT_NEAR(hv[1], gv[1], 1e-14);
}

TEST(FormulaObjective, ALinearFunctionHasZeroCurvature) {
  const NamedValues at{{"x", Tensor::scalar(2, DType::f64)}, {"y", Tensor::scalar(3, DType::f64)}};
  const auto made = make_formula_objective("3*x - y", at, {}, nullptr, true, {});
  const double v[2] = {1, 1};
  double hv[2] = {7, 7};
  made.scalar->linearize(made.scalar->parameters().start().data())->hessian_product(1, v, hv);
  EXPECT_EQ(hv[0], 0);
  EXPECT_EQ(hv[1], 0);
}

}  // namespace
}  // namespace kappa
