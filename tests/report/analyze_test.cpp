#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <numeric>

#include "kappa/analysis.h"
#include "kappa/error.h"
#include "report/analysis_text.h"
#include "report/json.h"
#include "report/spectrum_text.h"

namespace kappa {
namespace {

/// f(w) = sum_i d_i w_i^2 / 2: everything about it is known.
class Bowl final : public Problem {
 public:
  explicit Bowl(std::vector<double> d) : d_(std::move(d)) {}
  [[nodiscard]] std::int64_t dimension() const override {
    return static_cast<std::int64_t>(d_.size());
  }
  [[nodiscard]] double value(const double* w, Samples) const override {
    double sum = 0;
    for (std::size_t i = 0; i < d_.size(); ++i) sum += d_[i] * w[i] * w[i] / 2;
    return sum;
  }
  double gradient(const double* w, double* g, Samples) const override {
    for (std::size_t i = 0; i < d_.size(); ++i) g[i] = d_[i] * w[i];
    return value(w, {});
  }
  [[nodiscard]] std::unique_ptr<Linearization> linearize(const double* w, Samples) const override {
    return std::make_unique<At>(*this, w);
  }

 private:
  class At final : public Linearization {
   public:
    At(const Bowl& bowl, const double* w) : bowl_(bowl), g_(bowl.d_.size()) {
      f_ = bowl.gradient(w, g_.data(), {});
    }
    [[nodiscard]] std::int64_t dimension() const override { return bowl_.dimension(); }
    [[nodiscard]] double value() const override { return f_; }
    [[nodiscard]] std::span<const double> gradient() const override { return g_; }
    void hessian_product(std::int64_t k, const double* v, double* p) const override {
      const std::size_t n = g_.size();
      for (std::size_t i = 0; i < n * static_cast<std::size_t>(k); ++i) {
        p[i] = bowl_.d_[i % n] * v[i];
      }
    }
    void gauss_newton_product(std::int64_t, const double*, double*) const override {
      throw Error(ErrorKind::unsupported, "none");
    }
    [[nodiscard]] bool has_gauss_newton() const override { return false; }

   private:
    const Bowl& bowl_;
    double f_ = 0;
    std::vector<double> g_;
  };
  std::vector<double> d_;
};

std::vector<double> spectrum(std::size_t n) {
  std::vector<double> d(n);
  for (std::size_t i = 0; i < n; ++i) d[i] = 1 + static_cast<double>(i) / static_cast<double>(n);
  d[n - 1] = 50;
  d[n - 2] = 20;
  return d;
}

TEST(Analyze, DenseAndProductsAgree) {
  const Bowl bowl(spectrum(200));
  const std::vector<double> w(200, 1.0);
  AnalyzeOptions options{.num_top = 3, .num_bottom = 1, .tolerance = 1e-8};
  options.max_dense_dimension = 64;
  const Analysis products = analyze(bowl, w, options);
  options.max_dense_dimension = 300;
  const Analysis dense = analyze(bowl, w, options);
  EXPECT_TRUE(products.eigenvalues->all.empty());
  EXPECT_EQ(dense.eigenvalues->all.size(), 200U);
  EXPECT_EQ(dense.cost.num_hvps, 200);  // the rest comes from the matrix
  for (std::size_t i = 0; i < 2; ++i) {
    EXPECT_NEAR(products.eigenvalues->top[i].value, dense.eigenvalues->top[i].value, 1e-9);
  }
  EXPECT_EQ(*dense.shape, SurfaceShape::bowl);
  EXPECT_EQ(*products.shape, SurfaceShape::bowl);
  EXPECT_NEAR(*dense.learning_rate->stability_limit, 2.0 / 50, 1e-14);
  EXPECT_EQ(products.outliers->count, 2);
  EXPECT_NEAR(dense.model->actual_decrease, *dense.value, 1e-10);
}

TEST(Analyze, BlocksAreTheDiagonalBlocks) {
  const Bowl bowl({1, 2, 3, 4, 9});
  AnalyzeOptions options;
  options.blocks = {{"a", 0, 2}, {"b", 2, 2}, {"c", 4, 1}};
  const Analysis a = analyze(bowl, std::vector<double>(5, 0.0), options);
  ASSERT_EQ(a.blocks.size(), 3U);
  EXPECT_NEAR(a.blocks[0].lambda_max.value, 2, 1e-12);
  EXPECT_NEAR(a.blocks[1].lambda_max.value, 4, 1e-12);
  EXPECT_NEAR(a.blocks[2].lambda_max.value, 9, 1e-12);
  EXPECT_EQ(a.critical_point->kind, CriticalKind::minimum);
}

TEST(Analyze, StopsWhenToldAndKeepsWhatIsKnown) {
  const Bowl bowl(spectrum(1000));
  AnalyzeOptions options;
  options.density = true;
  std::int64_t calls = 0;
  options.progress = [&](const Progress&) { return ++calls < 6; };
  const Analysis a = analyze(bowl, std::vector<double>(1000, 1.0), options);
  EXPECT_TRUE(a.interrupted);
  EXPECT_FALSE(a.complete);
  EXPECT_TRUE(a.value.has_value());
  EXPECT_FALSE(a.density.has_value());
}

TEST(Analyze, AValueThatIsNotFiniteIsAWarning) {
  const Bowl bowl({std::numeric_limits<double>::infinity(), 1});
  const Analysis a = analyze(bowl, std::vector<double>{1, 1});
  EXPECT_FALSE(a.complete);
  EXPECT_FALSE(a.eigenvalues.has_value());
  ASSERT_FALSE(a.warnings.empty());
  const Json json = to_json(a);
  EXPECT_TRUE(json["value"].is_null());
}

TEST(Analyze, RefusesWhatDoesNotFit) {
  const Bowl bowl({1, 2});
  EXPECT_THROW(analyze(bowl, std::vector<double>{1}), Error);
  AnalyzeOptions options;
  options.direction = {1, 2, 3};
  EXPECT_THROW(analyze(bowl, std::vector<double>{1, 1}, options), Error);
  options = {.num_top = 0, .num_bottom = 0};
  EXPECT_THROW(analyze(bowl, std::vector<double>{1, 1}, options), Error);
}

TEST(Json, ReadsBackToTheSameBits) {
  Json json;
  json["x"] = {0.1, 1e-300, 1.0 / 3, -0.0, 5e-324};
  json["deep"]["list"] = {{1, 2}, {3, 4}};
  json["empty"] = Json::array();
  EXPECT_EQ(Json::parse(dump(json)), json);
}

TEST(Json, NoNanAndNoInfinity) {
  Json json = {{"a", std::nan("")}, {"b", {1.0, INFINITY}}, {"c", 2.0}};
  EXPECT_TRUE(replace_non_finite(json));
  EXPECT_EQ(json.dump(), R"({"a":null,"b":[1.0,null],"c":2.0})");
  EXPECT_FALSE(replace_non_finite(json));
}

TEST(Text, DigitsThatTheErrorLeaves) {
  EXPECT_EQ(number_within(1.23456789, 1e-3), "1.235");
  EXPECT_EQ(number_within(1.23456789, 0), "1.23456789");
  EXPECT_EQ(number_within(1234.5678, 10), "1.23e+03");
  EXPECT_EQ(number_within(1e-9, 1e-3), "1e-09");
  EXPECT_EQ(counted(1, "step"), "1 step");
  EXPECT_EQ(counted(1234567, "step"), "1,234,567 steps");
}

TEST(Text, SparklineShowsASingleOutlier) {
  std::vector<double> values(300, 0.0);
  values[10] = 1;
  values[299] = 0.5;
  const std::string line = sparkline(values, 30, false);
  EXPECT_EQ(line.size(), 30U);
  EXPECT_EQ(line[1], '@');
  EXPECT_EQ(line[29], '=');
}

}  // namespace
}  // namespace kappa
