// What minimize() itself costs, on one thread:
//
//   overhead   what the driver adds to the steps of a method, over the seconds in derivatives, on
//              mlp:784-64-10:tanh and Fashion-MNIST; beside it the method's own arithmetic
//   bandwidth  bytes a second that L-BFGS moves on a million variables, outside of the gradients,
//              over the copy bandwidth measured in the same run
//   functions  seconds to the same value as SciPy's L-BFGS-B and Newton-CG on the same functions,
//              through hand-written loops in a C library (--library FILE; bench/minimize_peers.py)
//
// Exits 1 where a bound of the first two is missed: 5 % and one half.

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "bench/rosenbrock_hand.h"
#include "function/make_objective.h"
#include "kappa/minimize.h"
#include "minimize/method.h"

namespace kappa {
namespace {

double now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

double derivative_seconds(const EvaluationCounts& c) {
  return c.value_seconds + c.gradient_seconds + c.hvp_seconds;
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

/// sum 100 (x_{i+1} - x_i^2)^2 + (1 - x_i)^2 by the loops of rosenbrock_hand.h.
class ChainedRosenbrock final : public Problem {
 public:
  explicit ChainedRosenbrock(std::int64_t n) : n_(n) {}
  [[nodiscard]] std::int64_t dimension() const override { return n_; }
  [[nodiscard]] double value(const double* w, Samples) const override {
    return rosenbrock_hand::value(size(), w);
  }
  double gradient(const double* w, double* gradient, Samples) const override {
    rosenbrock_hand::gradient(size(), w, gradient);
    return rosenbrock_hand::value(size(), w);
  }
  [[nodiscard]] std::unique_ptr<Linearization> linearize(const double* w, Samples) const override {
    return std::make_unique<At>(*this, w);
  }

 private:
  class At final : public Linearization {
   public:
    At(const ChainedRosenbrock& f, const double* w) : f_(f), w_(w, w + f.n_), gradient_(f.size()) {
      value_ = f.gradient(w, gradient_.data(), {});
    }
    [[nodiscard]] std::int64_t dimension() const override { return f_.n_; }
    [[nodiscard]] double value() const override { return value_; }
    [[nodiscard]] std::span<const double> gradient() const override { return gradient_; }
    void hessian_product(std::int64_t k, const double* d, double* p) const override {
      for (std::int64_t j = 0; j < k; ++j) {
        rosenbrock_hand::hessian_product(f_.size(), w_.data(), d + j * f_.n_, p + j * f_.n_);
      }
    }
    void gauss_newton_product(std::int64_t, const double*, double*) const override {}
    [[nodiscard]] bool has_gauss_newton() const override { return false; }

   private:
    const ChainedRosenbrock& f_;
    std::vector<double> w_, gradient_;
    double value_;
  };
  [[nodiscard]] std::size_t size() const { return static_cast<std::size_t>(n_); }
  std::int64_t n_;
};

std::vector<double> rosenbrock_start(std::int64_t n) {
  std::vector<double> start(static_cast<std::size_t>(n), 1.2);
  for (std::size_t i = 0; i < start.size(); i += 2) start[i] = 0.8;
  return start;
}

/// Seconds of the steps of a method alone: its derivative calls and its own arithmetic.
double bare_seconds(const Problem& problem, const std::vector<double>& start,
                    const MinimizeOptions& options, std::int64_t steps) {
  const Method& method = *find_method(options.method);
  std::vector<bool> taken(options.method_options.size());
  const auto walker = method.start(Settings(method.info, options.method_options, taken));
  Evaluator evaluator(problem, options);
  Iterate iterate(start.size());
  iterate.w = start;
  const double begin = now();
  iterate.value = evaluator.gradient(iterate.w.data(), iterate.gradient.data());
  for (std::int64_t k = 0; k < steps; ++k) walker->step(evaluator, iterate);
  if (method.info.stochastic) evaluator.gradient(iterate.w.data(), iterate.gradient.data());
  return now() - begin;
}

bool overhead() {
  auto data = std::make_shared<Dataset>(
      load_dataset("fashion-mnist", {.num_samples = 2048, .scale = 1.0 / 255}));
  ObjectiveSettings settings;
  settings.options.num_threads = 1;
  const auto objective = make_network_objective("mlp:784-64-10:tanh", data, "cross-entropy",
                                                "uniform", 0, {}, settings);
  const std::vector<double> start = objective->parameters().start();
  bool good = true;
  fmt::print(
      "mlp:784-64-10:tanh, 2048 samples: seconds over those in derivatives\n"
      "  method            driver    method itself\n");
  const std::vector<MinimizeOptions> runs = {
      {.method = "gd", .method_options = {{"learning-rate", "0.1"}}, .max_iterations = 80},
      {.method = "sgd", .max_epochs = 8},
      {.method = "adam", .max_epochs = 8},
      {.method = "lbfgs", .max_iterations = 60},
      {.method = "newton-cg", .max_iterations = 4},
      {.method = "hessian-free", .max_iterations = 4}};
  for (const MinimizeOptions& options : runs) {
    double whole = INFINITY, bare = INFINITY, derivatives = INFINITY;
    for (int repeat = 0; repeat < 5; ++repeat) {  // in turn, and the least of each
      const double begin = now();
      const MinimizeResult r = minimize(*objective, start, options);
      whole = std::min(whole, now() - begin);
      derivatives = std::min(derivatives, derivative_seconds(r.counts));
      bare = std::min(bare, bare_seconds(*objective, start, options, r.num_iterations));
    }
    const double driver = (whole - bare) / derivatives;
    good = good && driver < 0.05;
    fmt::print("  {:<14} {:7.2f} %  {:7.2f} %  {}\n", options.method, 100 * driver,
               100 * (bare - derivatives) / derivatives, driver < 0.05 ? "ok" : "MISSED");
  }
  return good;
}

bool bandwidth(std::int64_t n) {
  const auto size = static_cast<std::size_t>(n);
  // Arrays far larger than the caches together, as the pairs of L-BFGS are.
  std::vector<double> from(16 * size, 1.0), to(16 * size, 0.0);
  std::vector<double> copies;
  for (int i = 0; i < 7; ++i) {
    const double begin = now();
    std::memcpy(to.data(), from.data(), from.size() * sizeof(double));
    copies.push_back(2 * 8 * static_cast<double>(from.size()) / (now() - begin));
  }
  const double copy = median(copies);
  from = to = {};
  constexpr std::int64_t kPairs = 10, kIterations = 60;
  const ChainedRosenbrock problem(n);
  std::vector<double> rates;
  for (int repeat = 0; repeat < 3; ++repeat) {
    const MinimizeResult r = minimize(problem, rosenbrock_start(n),
                                      {.method = "lbfgs",
                                       .method_options = {{"memory", std::to_string(kPairs)}},
                                       .max_iterations = kIterations,
                                       .gradient_tolerance = 0});
    // Vectors of n read or written: an update of the direction with its product 4 (two pairs read,
    // the direction read and written), twice a pair; scaling 2, negation 2, the first product 2;
    // the new pair 10; a trial of the line search w + a d 3, its slope 2, finite 1; the record's
    // norms 2.
    double vectors = 0;
    for (std::int64_t k = 0; k < r.num_iterations; ++k) {
      vectors += 8.0 * static_cast<double>(std::min(k, kPairs)) + 2 + 2 + 2 + 10 + 2;
    }
    vectors += 6.0 * static_cast<double>(r.counts.num_gradients);
    rates.push_back(8 * static_cast<double>(n) * vectors /
                    (r.seconds - derivative_seconds(r.counts)));
  }
  const double rate = *std::max_element(rates.begin(), rates.end());
  fmt::print("L-BFGS, {} variables: {:.1f} GB/s, copy {:.1f} GB/s, ratio {:.2f}  {}\n", n,
             rate / 1e9, copy / 1e9, rate / copy, rate >= 0.5 * copy ? "ok" : "MISSED");
  return rate >= 0.5 * copy;
}

// One line of JSON a method: bench/minimize_peers.py reads it.
void functions(std::int64_t n) {
  const ChainedRosenbrock problem(n);
  for (const char* method : {"lbfgs", "newton-cg"}) {
    std::vector<double> seconds;
    MinimizeResult last;
    for (int repeat = 0; repeat < 3; ++repeat) {
      last = minimize(problem, rosenbrock_start(n), {.method = method, .gradient_tolerance = 1e-5});
      seconds.push_back(last.seconds);
    }
    fmt::print(
        "{{\"method\": \"{}\", \"n\": {}, \"seconds\": {:.6g}, \"value\": {:.6g}, "
        "\"gradient\": {:.3g}, \"gradients\": {}, \"products\": {}, \"status\": \"{}\"}}\n",
        method, n, median(seconds), last.value, last.gradient_norm_inf, last.counts.num_gradients,
        last.counts.num_hvps, to_string(last.status));
  }
}

int main(int argc, char** argv) {
  const std::string what = argc > 1 ? argv[1] : "";
  const std::int64_t n = argc > 2 ? std::atoll(argv[2]) : 1'000'000;
  if (what == "functions") {
    functions(n);
    return 0;
  }
  bool good = true;
  if (what.empty() || what == "overhead") good = overhead() && good;
  if (what.empty() || what == "bandwidth") good = bandwidth(n) && good;
  return good ? 0 : 1;
}

}  // namespace
}  // namespace kappa

int main(int argc, char** argv) { return kappa::main(argc, argv); }
