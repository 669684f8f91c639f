// Lines and planes through a point: textbook shapes in closed form, runs cut and continued, and
// filter normalisation.
#include "kappa/landscape.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "kappa/error.h"

namespace kappa {
namespace {

/// f(w) = (a w0^2 + b w1^2) / 2 + c w0, in three variables of which the third does nothing.
class Quadratic final : public Problem {
 public:
  Quadratic(double a, double b, double c) : a_(a), b_(b), c_(c) {}
  [[nodiscard]] std::int64_t dimension() const override { return 3; }
  double value(const double* w, Samples) const override {
    return (a_ * w[0] * w[0] + b_ * w[1] * w[1]) / 2 + c_ * w[0];
  }
  double gradient(const double* w, double* g, Samples) const override {
    g[0] = a_ * w[0] + c_;
    g[1] = b_ * w[1];
    g[2] = 0;
    return value(w, {});
  }
  std::unique_ptr<Linearization> linearize(const double* w, Samples) const override {
    return std::make_unique<Here>(*this, w);
  }

 private:
  struct Here final : Linearization {
    Here(const Quadratic& f, const double* w) : f_(f), g_(3) {
      value_ = f.gradient(w, g_.data(), {});
    }
    [[nodiscard]] std::int64_t dimension() const override { return 3; }
    [[nodiscard]] double value() const override { return value_; }
    [[nodiscard]] std::span<const double> gradient() const override { return g_; }
    void hessian_product(std::int64_t k, const double* d, double* p) const override {
      for (std::int64_t j = 0; j < k; ++j) {
        p[3 * j] = f_.a_ * d[3 * j];
        p[3 * j + 1] = f_.b_ * d[3 * j + 1];
        p[3 * j + 2] = 0;
      }
    }
    void gauss_newton_product(std::int64_t, const double*, double*) const override {}
    [[nodiscard]] bool has_gauss_newton() const override { return false; }
    const Quadratic& f_;
    std::vector<double> g_;
    double value_ = 0;
  };
  double a_, b_, c_;
};

std::vector<double> places(double reach, int count) {
  std::vector<double> t;
  for (int i = 0; i < count; ++i) t.push_back(reach * (2.0 * i / (count - 1) - 1));
  return t;
}

std::vector<LandscapeAxis> two_axes() {
  return {{"parameter", "x", {1, 0, 0}, places(2, 9)}, {"parameter", "y", {0, 2, 0}, places(1, 5)}};
}

TEST(Landscape, TextbookShapesOnLinesAndPlanes) {
  struct Shape {
    const char* name;
    double a, b;
  };
  for (const Shape& s : {Shape{"bowl", 3, 1}, Shape{"dome", -3, -1}, Shape{"trough", 3, 0},
                         Shape{"saddle", 3, -1}}) {
    SCOPED_TRACE(s.name);
    const Quadratic f(s.a, s.b, 0);
    const std::vector<double> w = {0, 0, 7};
    const std::vector<LandscapeAxis> axes = two_axes();
    const Landscape plane = landscape(f, w, axes);
    ASSERT_EQ(plane.value.size(), 45U);
    EXPECT_TRUE(plane.complete);
    for (std::size_t j = 0; j < 5; ++j) {
      for (std::size_t i = 0; i < 9; ++i) {
        const double x = axes[0].t[i], y = 2 * axes[1].t[j];
        EXPECT_DOUBLE_EQ(plane.value[j * 9 + i], (s.a * x * x + s.b * y * y) / 2);
      }
    }
    const LandscapeModel model = landscape_model(f, w, axes);
    EXPECT_EQ(model.value, 0);
    EXPECT_EQ(model.curvature[0][0], s.a);
    EXPECT_EQ(model.curvature[1][1], 4 * s.b);  // the second axis is twice as long
    EXPECT_EQ(model.curvature[0][1], 0);
    EXPECT_EQ(model.slope[0], 0);

    const Landscape line = landscape(f, w, {axes[0]});
    for (std::size_t i = 0; i < 9; ++i) {
      EXPECT_DOUBLE_EQ(line.value[i], s.a * axes[0].t[i] * axes[0].t[i] / 2);
    }
  }
}

TEST(Landscape, ModelOnSkewAxesIsTheFunctionWhereItIsQuadratic) {
  const Quadratic f(3, -1, 0.5);
  const std::vector<double> w = {0.3, -0.2, 0};
  const std::vector<LandscapeAxis> axes = {{"", "", {1, 1, 0}, places(1, 5)},
                                           {"", "", {0.5, -2, 1}, places(1, 5)}};
  const Landscape plane = landscape(f, w, axes);
  const LandscapeModel m = landscape_model(f, w, axes);
  for (std::size_t j = 0; j < 5; ++j) {
    for (std::size_t i = 0; i < 5; ++i) {
      const double t = axes[0].t[i], u = axes[1].t[j];
      const double model = m.value + m.slope[0] * t + m.slope[1] * u +
                           (m.curvature[0][0] * t * t + m.curvature[1][1] * u * u) / 2 +
                           m.curvature[0][1] * t * u;
      EXPECT_NEAR(plane.value[j * 5 + i], model, 1e-13);
    }
  }
}

TEST(Landscape, CutRunsGoOnToTheSameBits) {
  const Quadratic f(3, -1, 0.5);
  const std::vector<double> w = {0.3, -0.2, 0};
  const Landscape whole = landscape(f, w, two_axes());
  LandscapeOptions options;
  int calls = 0;
  options.progress = [&](const Progress& p) {
    EXPECT_EQ(p.total, 45);
    return ++calls <= 17;
  };
  std::vector<double> kept;
  options.on_values = [&](std::span<const double> values) {
    kept.assign(values.begin(), values.end());
  };
  const Landscape cut = landscape(f, w, two_axes(), options);
  EXPECT_FALSE(cut.complete);
  EXPECT_EQ(cut.value.size(), 17U);
  EXPECT_EQ(cut.value, kept);
  LandscapeOptions rest;
  rest.known = kept;
  const Landscape joined = landscape(f, w, two_axes(), rest);
  EXPECT_TRUE(joined.complete);
  EXPECT_EQ(joined.value, whole.value);
  LandscapeOptions threads;
  threads.num_threads = 3;
  EXPECT_EQ(landscape(f, w, two_axes(), threads).value, whole.value);
}

TEST(Landscape, CallersMistakes) {
  const Quadratic f(1, 1, 0);
  const std::vector<double> w(3);
  EXPECT_THROW((void)landscape(f, std::vector<double>(2), two_axes()), Error);
  EXPECT_THROW((void)landscape(f, w, {}), Error);
  EXPECT_THROW((void)landscape(f, w, {{"", "", {1, 0}, {0}}}), Error);
  EXPECT_THROW((void)landscape(f, w, {{"", "", {1, 0, 0}, {}}}), Error);
  LandscapeOptions options;
  options.known.resize(46);
  EXPECT_THROW((void)landscape(f, w, two_axes(), options), Error);
}

TEST(FilterNormalize, FiltersGetTheLengthOfTheirWeights) {
  const std::vector<double> w = {3, 4, 0, 0, 5, 12, 99};
  std::vector<double> d = random_direction(7, 1);
  const std::vector<double> raw = d;
  filter_normalize(w, {{0, 2}, {2, 2}, {4, 2}}, d);
  EXPECT_NEAR(std::hypot(d[0], d[1]), 5, 1e-14);
  EXPECT_EQ(d[2], 0);  // a filter that is zero stays zero
  EXPECT_NEAR(std::hypot(d[4], d[5]), 13, 1e-13);
  EXPECT_NEAR(d[0] / d[1], raw[0] / raw[1], 1e-12);
  EXPECT_EQ(d[6], 0);  // in no filter
  EXPECT_EQ(random_direction(7, 1), raw);
  EXPECT_NE(random_direction(7, 1, 1), raw);
}

}  // namespace
}  // namespace kappa
