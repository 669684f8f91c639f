// Hessian products of a transformer encoder at a fixed point, residuals kept: seconds a direction,
// the fraction of the single-precision matrix-product rate, peak memory. Prints one line of JSON;
// bench/compare_transformer.py runs it beside PyTorch. --steps prints the time of every step of the
// product's plan instead, slowest kinds last; --scaling shows what
// two threads bring beside two independent products at once.

#include <dnnl.h>
#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include "bench/step_times.h"
#include "bench/thread_scaling.h"
#include "frontend/network.h"
#include "function/make_objective.h"

namespace {
using namespace kappa;

struct Settings {
  std::string model = "transformer:64x16-d128-h4-l2-10";
  std::int64_t samples = 16, block = 1, repeat = 9, batch = 0;
  int threads = 1;
  bool gauss_newton = false, steps = false, scaling = false;
};

double now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

// Rate of a 1024^3 product by oneDNN's sgemm in GF/s.
double sgemm_rate() {
  const std::int64_t n = 1024;
  std::vector<float> a(n * n, 0.5F), b(n * n, 0.25F), c(n * n);
  std::vector<double> times;
  for (int i = 0; i < 12; ++i) {
    const double start = now();
    dnnl_sgemm('N', 'N', n, n, n, 1.0F, a.data(), n, b.data(), n, 0.0F, c.data(), n);
    times.push_back(now() - start);
  }
  return 2.0 * n * n * n / median(times) / 1e9;
}

// Sequences of numbers without structure: times do not depend on them.
std::shared_ptr<Dataset> sequences(const Settings& settings) {
  const std::int64_t features = parse_network(settings.model).num_inputs;
  auto data = std::make_shared<Dataset>();
  data->source = "sequences";
  data->x = StoredArray::zeros(ElementType::f32, {settings.samples, features});
  data->y = StoredArray::zeros(ElementType::i64, {settings.samples});
  data->num_classes = 10;
  auto* x = static_cast<float*>(data->x.data());
  for (std::int64_t i = 0; i < data->x.size(); ++i) {
    x[i] = static_cast<float>(std::sin(0.37 * static_cast<double>(i * i % 10007)));
  }
  auto* y = static_cast<std::int64_t*>(data->y.data());
  for (std::int64_t i = 0; i < settings.samples; ++i) y[i] = i * 7 % 10;
  return data;
}

}  // namespace

int main(int argc, char** argv) {
  Settings s;
  for (int i = 1; i < argc; ++i) {
    const std::string option = argv[i];
    const auto next = [&] { return std::string(i + 1 < argc ? argv[++i] : "0"); };
    if (option == "--samples")
      s.samples = std::stoll(next());
    else if (option == "--block")
      s.block = std::stoll(next());
    else if (option == "--threads")
      s.threads = std::stoi(next());
    else if (option == "--repeat")
      s.repeat = std::stoll(next());
    else if (option == "--batch")
      s.batch = std::stoll(next());
    else if (option == "--model")
      s.model = next();
    else if (option == "--ggn")
      s.gauss_newton = true;
    else if (option == "--steps")
      s.steps = true;
    else if (option == "--scaling")
      s.scaling = true;
    else {
      fmt::print(stderr,
                 "usage: transformer_bench [--samples N] [--block K] [--threads T] [--repeat R] "
                 "[--batch B] [--model transformer:...] [--ggn] [--steps]\n");
      return 2;
    }
  }
  ObjectiveSettings settings;
  settings.options.batch = s.batch;
  const auto make = [&](int threads) {
    settings.options.num_threads = threads;
    return make_network_objective(s.model, sequences(s), "cross-entropy", "uniform", 0, {},
                                  settings);
  };
  if (s.scaling) {
    print_thread_scaling(make, s.block, s.repeat);
    return 0;
  }
  const auto objective = make(s.threads);
  if (s.steps) {
    print_step_times(*objective, s.block, s.repeat);
    return 0;
  }
  const std::vector<double> w = objective->parameters().start();
  const auto n = static_cast<std::size_t>(objective->dimension());
  const ObjectiveCost cost = objective->cost(s.block);
  const auto linearization = objective->linearize(w.data());
  double start = now();
  const double value = linearization->value();
  const double setup_seconds = now() - start;
  std::vector<double> v(n * static_cast<std::size_t>(s.block)), hv(v.size());
  for (std::size_t i = 0; i < v.size(); ++i) v[i] = std::sin(static_cast<double>(i) * 0.7);
  const auto apply = [&] {
    if (s.gauss_newton)
      linearization->gauss_newton_product(s.block, v.data(), hv.data());
    else
      linearization->hessian_product(s.block, v.data(), hv.data());
  };
  apply();
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);  // before the rate is measured, whose matrices are no part of it
  std::vector<double> times, rates;
  for (std::int64_t r = 0; r < s.repeat; ++r) {
    if (r % 3 == 0) rates.push_back(sgemm_rate());
    start = now();
    apply();
    times.push_back((now() - start) / static_cast<double>(s.block));
  }
  const double seconds = median(times), rate = median(rates);
  const double gflops = cost.product_flops / seconds / 1e9;
  fmt::print(
      "{{\"seconds_per_direction\": {:.6g}, \"seconds_min\": {:.6g}, \"seconds_setup\": {:.6g}, "
      "\"gflops\": {:.4g}, \"sgemm_gflops\": {:.4g}, \"fraction_of_sgemm\": {:.4g}, "
      "\"samples\": {}, \"block\": {}, \"threads\": {}, \"batch\": {}, \"num_batches\": {}, "
      "\"product_gflop\": {:.4g}, \"value\": {:.9g}, \"peak_mb\": {:.4g}}}\n",
      seconds, *std::min_element(times.begin(), times.end()), setup_seconds, gflops, rate,
      gflops / rate, s.samples, s.block, s.threads, cost.batch, cost.num_batches,
      cost.product_flops / 1e9, value, static_cast<double>(usage.ru_maxrss) / 1024);
  return 0;
}
