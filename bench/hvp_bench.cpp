// Hessian products of a network on Fashion-MNIST at a fixed point, residuals kept: seconds a
// direction, and the fraction of the single-precision matrix-product rate measured in the same run.
// Prints one line of JSON; bench/compare_hvp.py runs it beside PyTorch.

#include <dnnl.h>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "function/make_objective.h"

namespace {

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

}  // namespace

int main(int argc, char** argv) {
  std::int64_t samples = 2048, block = 1, repeat = 9, batch = 0;
  int threads = 1;
  bool gauss_newton = false, describe = false;
  std::string layers = "mlp:784-512-512-10:tanh";
  for (int i = 1; i < argc; ++i) {
    const auto next = [&] { return i + 1 < argc ? argv[++i] : (char*)"0"; };
    if (!std::strcmp(argv[i], "--samples"))
      samples = std::atoll(next());
    else if (!std::strcmp(argv[i], "--block"))
      block = std::atoll(next());
    else if (!std::strcmp(argv[i], "--threads"))
      threads = std::atoi(next());
    else if (!std::strcmp(argv[i], "--repeat"))
      repeat = std::atoll(next());
    else if (!std::strcmp(argv[i], "--batch"))
      batch = std::atoll(next());
    else if (!std::strcmp(argv[i], "--model"))
      layers = next();
    else if (!std::strcmp(argv[i], "--ggn"))
      gauss_newton = true;
    else if (!std::strcmp(argv[i], "--describe"))
      describe = true;
    else {
      fmt::print(stderr,
                 "usage: hvp_bench [--samples N] [--block K] [--threads T] [--repeat R] "
                 "[--model mlp:...] [--ggn]\n");
      return 2;
    }
  }
  (void)describe;
  kappa::DatasetOptions data_options;
  data_options.num_samples = samples;
  data_options.scale = 1.0 / 255;
  auto data = std::make_shared<kappa::Dataset>(kappa::load_dataset("fashion-mnist", data_options));
  kappa::ObjectiveSettings settings;
  settings.options.num_threads = threads;
  settings.options.batch = batch;
  const auto objective =
      kappa::make_network_objective(layers, data, "cross-entropy", "uniform", 0, {}, settings);
  const std::vector<double> w = objective->parameters().start();
  const auto n = static_cast<std::size_t>(objective->dimension());
  const kappa::ObjectiveCost cost = objective->cost(block);

  std::vector<double> gradient(n);
  objective->gradient(w.data(), gradient.data());
  double start = now();
  objective->gradient(w.data(), gradient.data());
  const double gradient_seconds = now() - start;

  auto linearization = objective->linearize(w.data());
  start = now();
  const double value = linearization->value();
  const double setup_seconds = now() - start;

  std::vector<double> v(n * static_cast<std::size_t>(block)), hv(v.size());
  for (std::size_t i = 0; i < v.size(); ++i) v[i] = std::sin(static_cast<double>(i) * 0.7);
  const auto apply = [&] {
    if (gauss_newton)
      linearization->gauss_newton_product(block, v.data(), hv.data());
    else
      linearization->hessian_product(block, v.data(), hv.data());
  };
  apply();
  std::vector<double> times, rates;
  for (std::int64_t r = 0; r < repeat; ++r) {
    if (r % 3 == 0) rates.push_back(sgemm_rate());
    start = now();
    apply();
    times.push_back((now() - start) / static_cast<double>(block));
  }
  const double seconds = median(times);
  // Matrix products alone: what the floor of peers.md counts.
  const double gflops = cost.product_flops / seconds / 1e9;
  const double rate = median(rates);
  fmt::print(
      "{{\"seconds_per_direction\": {:.6g}, \"seconds_min\": {:.6g}, \"seconds_setup\": {:.6g}, "
      "\"seconds_gradient\": {:.6g}, \"gflops\": {:.4g}, \"sgemm_gflops\": {:.4g}, "
      "\"fraction_of_sgemm\": {:.4g}, \"samples\": {}, \"block\": {}, \"threads\": {}, "
      "\"batch\": {}, \"num_batches\": {}, \"product_gflop\": {:.4g}, \"value\": {:.9g}}}\n",
      seconds, *std::min_element(times.begin(), times.end()), setup_seconds, gradient_seconds,
      gflops, rate, gflops / rate, samples, block, threads, cost.batch, cost.num_batches,
      cost.product_flops / 1e9, value);
  return 0;
}
