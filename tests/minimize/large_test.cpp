// Many variables: memory linear in n, iterations nearly independent of it where the condition is.

#include <gtest/gtest.h>
#include <malloc.h>

#include <cmath>
#include <cstdlib>
#include <fstream>
#include <random>
#include <string>
#include <tuple>

#include "kappa/minimize.h"
#include "minimize/large_problem.h"
#include "minimize/vectors.h"

namespace kappa {
namespace {

// KAPPA_LARGE=1000000 runs the full size of the issue; the default keeps the suite short.
std::size_t size() {
  const char* text = std::getenv("KAPPA_LARGE");
  return text != nullptr ? static_cast<std::size_t>(std::atoll(text)) : 5000;
}

// --- the functions themselves -------------------------------------------------------------------

class LargeFunctions : public testing::TestWithParam<const char*> {};

// The slope of f and of the gradient along a direction, by central differences.
TEST_P(LargeFunctions, DerivativesAgree) {
  const auto f = large::make(GetParam(), 400);
  const std::size_t n = f->size();
  std::mt19937 random(1);
  std::normal_distribution<double> normal;
  std::vector<double> x = f->start(), d(n), ahead, behind, g(n), p(n), g_ahead(n), g_behind(n);
  for (std::size_t i = 0; i < n; ++i) {
    x[i] += 0.01 * normal(random);
    d[i] = normal(random) / std::sqrt(static_cast<double>(n));
  }
  const double h = 1e-4;
  ahead = behind = x;
  for (std::size_t i = 0; i < n; ++i) ahead[i] += h * d[i], behind[i] -= h * d[i];
  EXPECT_EQ(f->gradient(x.data(), g.data()), f->value(x.data()));
  const double rise =
      f->gradient(ahead.data(), g_ahead.data()) - f->gradient(behind.data(), g_behind.data());
  const double slope = dot(g, d);
  EXPECT_NEAR(rise / (2 * h), slope, 1e-6 * std::fabs(slope));
  const auto prepared = f->prepare(x.data());
  f->product(prepared.data(), d.data(), p.data());
  const double scale = max_abs(p);
  for (std::size_t i = 0; i < n; ++i) {
    EXPECT_NEAR((g_ahead[i] - g_behind[i]) / (2 * h), p[i], 1e-6 * scale);
  }
}

INSTANTIATE_TEST_SUITE_P(All, LargeFunctions,
                         testing::Values("rosenbrock", "broyden", "variably", "surface"),
                         [](const auto& instance) { return std::string(instance.param); });

// --- runs ---------------------------------------------------------------------------------------

// Peak resident bytes since the last call, or 0 where the system does not tell.
std::size_t peak_bytes_and_reset() {
  std::size_t kilobytes = 0;
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("VmHWM:")) kilobytes = std::stoul(line.substr(6));
  }
  malloc_trim(0);
  if (!(std::ofstream("/proc/self/clear_refs") << 5 << std::flush)) return 0;
  return 1024 * kilobytes;
}

struct Account {
  MinimizeResult result;
  double bytes_per_variable = 0;  // start and result included
};

Account run(const large::Function& f, const char* method) {
  Account r;
  peak_bytes_and_reset();
  const std::size_t before = peak_bytes_and_reset();
  r.result = minimize(test::LargeProblem(f), f.start(),
                      {.method = method, .gradient_tolerance = f.tolerance()});
  const std::size_t peak = peak_bytes_and_reset();
  if (before > 0 && peak > before) {
    r.bytes_per_variable = static_cast<double>(peak - before) / static_cast<double>(f.size());
  }
  return r;
}

void report(const char* function, const char* method, const Account& run) {
  if (std::getenv("KAPPA_TABLE") == nullptr) return;
  const MinimizeResult& r = run.result;
  std::printf("| %s | %s | %zu | %ld | %ld | %ld | %.1e | %.1f | %.1f | %.0f |\n", function, method,
              r.w.size(), static_cast<long>(r.num_iterations),
              static_cast<long>(r.counts.num_gradients), static_cast<long>(r.counts.num_hvps),
              r.gradient_norm_inf, r.seconds,
              r.counts.gradient_seconds + r.counts.hvp_seconds + r.counts.value_seconds,
              run.bytes_per_variable);
  std::fflush(stdout);
}

class Large : public testing::TestWithParam<std::tuple<const char*, const char*>> {};

TEST_P(Large, ConvergesInMemoryLinearInN) {
  const auto [function, method] = GetParam();
  const auto f = large::make(function, size()), small = large::make(function, size() / 10);
  const Account less = run(*small, method);
  report(function, method, less);
  const Account more = run(*f, method);
  report(function, method, more);
  const MinimizeResult& result = more.result;
  EXPECT_EQ(result.status, MinimizeStatus::converged);
  if (size() >= 1'000'000) {
    EXPECT_LE(more.bytes_per_variable, 1.1 * less.bytes_per_variable);
  }
  const std::string name = function;
  if (name == "rosenbrock" || name == "variably") {
    EXPECT_NEAR(result.w[0], 1, 1e-4);
  } else if (name == "broyden") {
    EXPECT_LT(result.value, 1e-3 * result.start_value);
  }
}

INSTANTIATE_TEST_SUITE_P(Methods, Large,
                         testing::Combine(testing::Values("rosenbrock", "broyden", "variably",
                                                          "surface"),
                                          testing::Values("lbfgs", "newton-cg")),
                         [](const auto& instance) {
                           const std::string method = std::get<1>(instance.param);
                           return std::string(std::get<0>(instance.param)) +
                                  (method == "lbfgs" ? "_lbfgs" : "_newton");
                         });

double distance_to_exact(const large::MinimalSurface& f, std::size_t k, const Vector& w) {
  double largest = 0;
  for (std::size_t i = 0; i < k; ++i) {
    for (std::size_t j = 0; j < k; ++j) {
      largest = std::fmax(largest, std::fabs(w[i * k + j] - f.exact(j + 1, i + 1)));
    }
  }
  return largest;
}

// Enneper's surface is known, and the triangles approach it as h^2.
TEST(LargeSurface, ApproachesEnnepersSurfaceAtSecondOrder) {
  std::vector<double> errors;
  for (const std::size_t k : {31, 63, 127}) {
    const large::MinimalSurface f(k);
    const MinimizeResult result =
        minimize(test::LargeProblem(f), f.start(),
                 {.method = "newton-cg", .gradient_tolerance = f.tolerance()});
    EXPECT_EQ(result.status, MinimizeStatus::converged);
    errors.push_back(distance_to_exact(f, k, result.w));
  }
  EXPECT_NEAR(errors[0] / errors[1], 4, 0.2);
  EXPECT_NEAR(errors[1] / errors[2], 4, 0.2);
}

}  // namespace
}  // namespace kappa
