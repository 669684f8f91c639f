// Formula over arrays: the chained Rosenbrock function of a million variables against loops written
// by hand (rosenbrock_hand.h), both on one core in this run. Prints JSON with the ratios.

#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <functional>
#include <vector>

#include "bench/rosenbrock_hand.h"
#include "function/make_objective.h"

namespace {

double now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

// Medians of two things timed in turn.
std::pair<double, double> in_turn(const std::function<void()>& a, const std::function<void()>& b) {
  std::vector<double> times_a, times_b;
  a();
  b();
  for (int i = 0; i < 21; ++i) {
    double start = now();
    a();
    times_a.push_back(now() - start);
    start = now();
    b();
    times_b.push_back(now() - start);
  }
  std::sort(times_a.begin(), times_a.end());
  std::sort(times_b.begin(), times_b.end());
  return {times_a[10], times_b[10]};
}

double worst(const std::vector<double>& a, const std::vector<double>& b) {
  double difference = 0, scale = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    difference = std::max(difference, std::abs(a[i] - b[i]));
    scale = std::max(scale, std::abs(b[i]));
  }
  return difference / scale;
}

}  // namespace

int main(int argc, char** argv) {
  const std::size_t n = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 1'000'000;
  std::vector<double> x(n), v(n), mine(n), hand(n);
  kappa::Tensor start(kappa::Type{kappa::DType::f64, {static_cast<std::int64_t>(n)}});
  for (std::size_t i = 0; i < n; ++i) {
    x[i] = std::sin(static_cast<double>(i));
    v[i] = std::cos(3.0 * static_cast<double>(i));
    start.set(static_cast<std::int64_t>(i), x[i]);
  }
  double begin = now();
  const auto made = kappa::make_formula_objective("sum(100*(x[1:] - x[:-1]^2)^2 + (1 - x[:-1])^2)",
                                                  {{"x", start}}, {}, nullptr, true, {});
  const kappa::Objective& f = *made.scalar;
  const double setup = now() - begin;

  double value_mine = 0, value_hand = 0;
  const auto [value_a, value_b] =
      in_turn([&] { value_mine = f.value(x.data()); },
              [&] { value_hand = rosenbrock_hand::value(n, x.data()); });
  const auto [gradient_a, gradient_b] =
      in_turn([&] { f.gradient(x.data(), mine.data()); },
              [&] { rosenbrock_hand::gradient(n, x.data(), hand.data()); });
  const double gradient_error = worst(mine, hand);
  const auto linearization = f.linearize(x.data());
  const auto [product_a, product_b] =
      in_turn([&] { linearization->hessian_product(1, v.data(), mine.data()); },
              [&] { rosenbrock_hand::hessian_product(n, x.data(), v.data(), hand.data()); });
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  fmt::print(
      "{{\"n\": {}, \"setup_seconds\": {:.3g},\n"
      " \"value\":    {{\"kappa_ms\": {:.3f}, \"hand_ms\": {:.3f}, \"ratio\": {:.2f}, "
      "\"relative_difference\": {:.1e}}},\n"
      " \"gradient\": {{\"kappa_ms\": {:.3f}, \"hand_ms\": {:.3f}, \"ratio\": {:.2f}, "
      "\"relative_difference\": {:.1e}}},\n"
      " \"hvp\":      {{\"kappa_ms\": {:.3f}, \"hand_ms\": {:.3f}, \"ratio\": {:.2f}, "
      "\"relative_difference\": {:.1e}}},\n"
      " \"peak_bytes_per_variable\": {:.0f}}}\n",
      n, setup, value_a * 1e3, value_b * 1e3, value_a / value_b,
      std::abs(value_mine - value_hand) / value_hand, gradient_a * 1e3, gradient_b * 1e3,
      gradient_a / gradient_b, gradient_error, product_a * 1e3, product_b * 1e3,
      product_a / product_b, worst(mine, hand),
      static_cast<double>(usage.ru_maxrss) * 1024 / static_cast<double>(n));
  return 0;
}
