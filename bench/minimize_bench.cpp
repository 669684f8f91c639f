// What minimize() itself costs, on one thread:
//
//   overhead   what the driver adds to the steps of a method, over the seconds in derivatives, on
//              mlp:784-64-10:tanh and Fashion-MNIST; beside it the method's own arithmetic
//   bandwidth  bytes a second that L-BFGS moves on a million variables, outside of the gradients,
//              over the copy bandwidth measured in the same run
//   functions NAME N
//              lbfgs and newton-cg on a function of large_functions.h, and liblbfgs where it is
//              installed, a line of JSON each; bench/minimize_peers.py adds SciPy and the ratios
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

#include "function/make_objective.h"
#include "kappa/minimize.h"
#include "minimize/method.h"
#include "tests/minimize/large_problem.h"

#ifdef KAPPA_HAVE_LIBLBFGS
#include <lbfgs.h>
#endif

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
    for (int repeat = 0; repeat < 15; ++repeat) {  // in turn, and the least of each
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
  const large::ChainedRosenbrock rosenbrock(size);
  const test::LargeProblem problem(rosenbrock);
  std::vector<double> rates;
  for (int repeat = 0; repeat < 3; ++repeat) {
    const MinimizeResult r = minimize(problem, rosenbrock.start(),
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

struct Race {
  std::string solver;
  double seconds = 0, value = 0, gradient = 0;
  std::int64_t gradients = 0, products = 0;
};

void print(const Race& r) {
  fmt::print(
      "{{\"solver\": \"{}\", \"seconds\": {:.6g}, \"value\": {:.10g}, \"gradient\": {:.3g}, "
      "\"gradients\": {}, \"products\": {}}}\n",
      r.solver, r.seconds, r.value, r.gradient, r.gradients, r.products);
}

#ifdef KAPPA_HAVE_LIBLBFGS
struct Peer {
  const large::Function& f;
  Race race;
};

// Both stop at max |g_i|, for which liblbfgs has no rule of its own.
Race liblbfgs(const large::Function& f) {
  Peer peer{f, {.solver = "liblbfgs"}};
  const auto evaluate = [](void* data, const double* x, double* g, int, double) {
    ++static_cast<Peer*>(data)->race.gradients;
    return static_cast<Peer*>(data)->f.gradient(x, g);
  };
  const auto progress = [](void* data, const double*, const double* g, double value, double, double,
                           double, int n, int, int) {
    auto& [function, race] = *static_cast<Peer*>(data);
    race.value = value;
    race.gradient = max_abs({g, static_cast<std::size_t>(n)});
    return race.gradient <= function.tolerance() ? 1 : 0;
  };
  lbfgs_parameter_t parameters;
  lbfgs_parameter_init(&parameters);
  parameters.m = 10;
  parameters.epsilon = 0;
  parameters.max_linesearch = 40;
  const std::vector<double> start = f.start();
  const double begin = now();
  double* x = lbfgs_malloc(static_cast<int>(f.size()));
  std::ranges::copy(start, x);
  double value = 0;
  lbfgs(static_cast<int>(f.size()), x, &value, evaluate, progress, &peer, &parameters);
  peer.race.seconds = now() - begin;
  lbfgs_free(x);
  return peer.race;
}
#endif

void functions(const std::string& name, std::size_t n) {
  const auto f = large::make(name, n);
  const test::LargeProblem problem(*f);
  // In turn, and the least of each: neighbours on the machine only ever add.
  std::vector<Race> best;
  for (int repeat = 0; repeat < 3; ++repeat) {
    std::vector<Race> races;
    for (const char* method : {"lbfgs", "newton-cg"}) {
      const MinimizeResult r =
          minimize(problem, f->start(), {.method = method, .gradient_tolerance = f->tolerance()});
      races.push_back({method, r.seconds, r.value, r.gradient_norm_inf, r.counts.num_gradients,
                       r.counts.num_hvps});
    }
#ifdef KAPPA_HAVE_LIBLBFGS
    races.push_back(liblbfgs(*f));
#endif
    if (best.empty()) best = races;
    for (std::size_t i = 0; i < races.size(); ++i) {
      if (races[i].seconds < best[i].seconds) best[i] = races[i];
    }
  }
  for (const Race& race : best) print(race);
}

int main(int argc, char** argv) {
  const std::string what = argc > 1 ? argv[1] : "";
  if (what == "functions" && argc > 3 && large::make(argv[2], 100) != nullptr) {
    functions(argv[2], static_cast<std::size_t>(std::atoll(argv[3])));
    return 0;
  }
  const std::int64_t n = argc > 2 ? std::atoll(argv[2]) : 1'000'000;
  bool good = true;
  if (what.empty() || what == "overhead") good = overhead() && good;
  if (what.empty() || what == "bandwidth") good = bandwidth(n) && good;
  return good ? 0 : 1;
}

}  // namespace
}  // namespace kappa

int main(int argc, char** argv) { return kappa::main(argc, argv); }
