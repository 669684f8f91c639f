// Many variables: memory linear in n, iterations nearly independent of it.

#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>

#include "kappa/minimize.h"
#include "minimize/problems.h"

namespace kappa {
namespace {

using test::FunctionProblem;
using test::Vector;

// KAPPA_LARGE=1000000 runs the full size of the issue; the default keeps the suite short.
std::int64_t size() {
  const char* text = std::getenv("KAPPA_LARGE");
  return text != nullptr ? std::atoll(text) : 5000;
}

/// sum_i 100 (x_{i+1} - x_i^2)^2 + (1 - x_i)^2
class ChainedRosenbrock final : public FunctionProblem {
 public:
  explicit ChainedRosenbrock(std::int64_t n) : n_(n) {}
  std::int64_t dimension() const override { return n_; }
  double evaluate(const double* x, double* g) const override {
    double f = 0;
    g[0] = 0;
    for (std::int64_t i = 0; i + 1 < n_; ++i) {
      const double a = x[i + 1] - x[i] * x[i], b = 1 - x[i];
      f += 100 * a * a + b * b;
      g[i] += -400 * a * x[i] - 2 * b;
      g[i + 1] = 200 * a;
    }
    return f;
  }
  void product(const double* x, const double* d, double* p) const override {
    p[0] = 0;
    for (std::int64_t i = 0; i + 1 < n_; ++i) {
      const double a = x[i + 1] - x[i] * x[i], da = d[i + 1] - 2 * x[i] * d[i];
      p[i] += -400 * (da * x[i] + a * d[i]) + 2 * d[i];
      p[i + 1] = 200 * da;
    }
  }

 private:
  std::int64_t n_;
};

/// sum_i ((3 - 2 x_i) x_i - x_{i-1} - 2 x_{i+1} + 1)^2
class BroydenTridiagonal final : public FunctionProblem {
 public:
  explicit BroydenTridiagonal(std::int64_t n) : n_(n) {}
  std::int64_t dimension() const override { return n_; }
  double evaluate(const double* x, double* g) const override {
    std::fill(g, g + n_, 0.0);
    double f = 0;
    for (std::int64_t i = 0; i < n_; ++i) {
      const double r = residual(x, i);
      f += r * r;
      g[i] += 2 * r * (3 - 4 * x[i]);
      if (i > 0) g[i - 1] -= 2 * r;
      if (i + 1 < n_) g[i + 1] -= 4 * r;
    }
    return f;
  }
  void product(const double* x, const double* d, double* p) const override {
    std::fill(p, p + n_, 0.0);
    for (std::int64_t i = 0; i < n_; ++i) {
      const double r = residual(x, i), s = 3 - 4 * x[i];
      const double dr = s * d[i] - (i > 0 ? d[i - 1] : 0) - (i + 1 < n_ ? 2 * d[i + 1] : 0);
      p[i] += 2 * dr * s - 8 * r * d[i];
      if (i > 0) p[i - 1] -= 2 * dr;
      if (i + 1 < n_) p[i + 1] -= 4 * dr;
    }
  }

 private:
  double residual(const double* x, std::int64_t i) const {
    return (3 - 2 * x[i]) * x[i] - (i > 0 ? x[i - 1] : 0) - (i + 1 < n_ ? 2 * x[i + 1] : 0) + 1;
  }
  std::int64_t n_;
};

/// sum (x_i - 1)^2 + s^2 + s^4, s = sum i (x_i - 1) / n: the one dense direction scaled by n so
/// that the problem stays the same at every size.
class VariablyDimensioned final : public FunctionProblem {
 public:
  explicit VariablyDimensioned(std::int64_t n) : n_(n) {}
  std::int64_t dimension() const override { return n_; }
  double evaluate(const double* x, double* g) const override {
    double f = 0, s = 0;
    for (std::int64_t i = 0; i < n_; ++i) s += weight(i) * (x[i] - 1);
    for (std::int64_t i = 0; i < n_; ++i) {
      f += (x[i] - 1) * (x[i] - 1);
      g[i] = 2 * (x[i] - 1) + (2 * s + 4 * s * s * s) * weight(i);
    }
    return f + s * s + s * s * s * s;
  }
  void product(const double* x, const double* d, double* p) const override {
    double s = 0, ds = 0;
    for (std::int64_t i = 0; i < n_; ++i) {
      s += weight(i) * (x[i] - 1);
      ds += weight(i) * d[i];
    }
    for (std::int64_t i = 0; i < n_; ++i) {
      p[i] = 2 * d[i] + (2 + 12 * s * s) * ds * weight(i);
    }
  }

 private:
  double weight(std::int64_t i) const {
    return (static_cast<double>(i) + 1) / static_cast<double>(n_);
  }
  std::int64_t n_;
};

/// Area of the graph over a k x k grid of inner points of the unit square, each cell two triangles;
/// boundary values of Enneper-like saddle x^2 - y^2.
class MinimalSurface final : public FunctionProblem {
 public:
  explicit MinimalSurface(std::int64_t k) : k_(k), h_(1 / (static_cast<double>(k) + 1)) {}
  std::int64_t dimension() const override { return k_ * k_; }
  double evaluate(const double* x, double* g) const override {
    std::fill(g, g + k_ * k_, 0.0);
    double f = 0;
    for_triangles([&](const Corner& c, const Corner& a, const Corner& b) {
      const double u = (at(x, a) - at(x, c)) / h_, v = (at(x, b) - at(x, c)) / h_;
      const double root = std::sqrt(1 + u * u + v * v);
      f += 0.5 * h_ * h_ * root;
      const double gu = 0.5 * h_ * u / root, gv = 0.5 * h_ * v / root;
      add(g, a, gu);
      add(g, b, gv);
      add(g, c, -gu - gv);
    });
    return f;
  }
  void product(const double* x, const double* d, double* p) const override {
    std::fill(p, p + k_ * k_, 0.0);
    for_triangles([&](const Corner& c, const Corner& a, const Corner& b) {
      const double u = (at(x, a) - at(x, c)) / h_, v = (at(x, b) - at(x, c)) / h_;
      const double du = (of(d, a) - of(d, c)) / h_, dv = (of(d, b) - of(d, c)) / h_;
      const double square = 1 + u * u + v * v, root = std::sqrt(square);
      const double t = (u * du + v * dv) / square;
      const double pu = 0.5 * h_ * (du - u * t) / root, pv = 0.5 * h_ * (dv - v * t) / root;
      add(p, a, pu);
      add(p, b, pv);
      add(p, c, -pu - pv);
    });
  }

 private:
  struct Corner {
    std::int64_t i, j;
  };
  bool inside(const Corner& c) const { return c.i > 0 && c.j > 0 && c.i <= k_ && c.j <= k_; }
  double at(const double* x, const Corner& c) const {
    if (inside(c)) return x[(c.i - 1) * k_ + c.j - 1];
    const double s = static_cast<double>(c.i) * h_, t = static_cast<double>(c.j) * h_;
    return s * s - t * t;
  }
  double of(const double* x, const Corner& c) const {
    return inside(c) ? x[(c.i - 1) * k_ + c.j - 1] : 0;
  }
  void add(double* g, const Corner& c, double value) const {
    if (inside(c)) g[(c.i - 1) * k_ + c.j - 1] += value;
  }
  template <class Visit>
  void for_triangles(Visit&& visit) const {
    for (std::int64_t i = 0; i <= k_; ++i) {
      for (std::int64_t j = 0; j <= k_; ++j) {
        visit(Corner{i, j}, Corner{i + 1, j}, Corner{i, j + 1});
        visit(Corner{i + 1, j + 1}, Corner{i, j + 1}, Corner{i + 1, j});
      }
    }
  }
  std::int64_t k_;
  double h_;
};

void report(const char* problem, const char* method, const MinimizeResult& r) {
  if (std::getenv("KAPPA_TABLE") == nullptr) return;
  std::printf(
      "%-22s %-10s n=%zu f=%.10g |g|=%.1e %s it=%ld g=%ld hvp=%ld %.2f s (derivatives %.2f)\n",
      problem, method, r.w.size(), r.value, r.gradient_norm_inf, to_string(r.status),
      static_cast<long>(r.num_iterations), static_cast<long>(r.counts.num_gradients),
      static_cast<long>(r.counts.num_hvps), r.seconds,
      r.counts.gradient_seconds + r.counts.hvp_seconds + r.counts.value_seconds);
}

class Large : public testing::TestWithParam<const char*> {};

TEST_P(Large, ChainedRosenbrock) {
  const ChainedRosenbrock problem(size());
  Vector start(static_cast<std::size_t>(size()), 1.2);
  for (std::size_t i = 0; i < start.size(); i += 2) start[i] = 0.8;
  const MinimizeResult result =
      minimize(problem, start, {.method = GetParam(), .gradient_tolerance = 1e-6});
  report("chained Rosenbrock", GetParam(), result);
  EXPECT_EQ(result.status, MinimizeStatus::converged);
  EXPECT_NEAR(result.w[0], 1, 1e-4);
}

TEST_P(Large, BroydenTridiagonal) {
  const BroydenTridiagonal problem(size());
  const MinimizeResult result = minimize(problem, Vector(static_cast<std::size_t>(size()), -1.0),
                                         {.method = GetParam(), .gradient_tolerance = 1e-6});
  report("Broyden tridiagonal", GetParam(), result);
  EXPECT_EQ(result.status, MinimizeStatus::converged);  // the sum has other minima than 0
  EXPECT_LT(result.value, 1e-3 * result.start_value);
}

TEST_P(Large, VariablyDimensioned) {
  const VariablyDimensioned problem(size());
  Vector start(static_cast<std::size_t>(size()));
  for (std::size_t i = 0; i < start.size(); ++i) {
    start[i] = 1 - (static_cast<double>(i) + 1) / static_cast<double>(start.size());
  }
  const MinimizeResult result =
      minimize(problem, start, {.method = GetParam(), .gradient_tolerance = 1e-6});
  report("variably dimensioned", GetParam(), result);
  EXPECT_EQ(result.status, MinimizeStatus::converged);
  EXPECT_LT(result.value, 1e-6);
}

TEST_P(Large, MinimalSurface) {
  const auto k = static_cast<std::int64_t>(std::sqrt(static_cast<double>(size())));
  const MinimalSurface problem(k);
  const MinimizeResult result = minimize(problem, Vector(static_cast<std::size_t>(k * k), 0.0),
                                         {.method = GetParam(), .gradient_tolerance = 1e-7});
  report("minimal surface", GetParam(), result);
  EXPECT_EQ(result.status, MinimizeStatus::converged);
  // By the maximum principle the surface stays between the extremes of its boundary.
  for (const double z : result.w) EXPECT_LE(std::fabs(z), 1);
}

INSTANTIATE_TEST_SUITE_P(Methods, Large, testing::Values("lbfgs", "newton-cg"),
                         [](const auto& instance) {
                           return std::string(instance.param) == "lbfgs" ? "lbfgs" : "newton_cg";
                         });

}  // namespace
}  // namespace kappa
