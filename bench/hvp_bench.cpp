// Hessian products of a network on Fashion-MNIST at a fixed point, residuals kept: seconds a
// direction, and the fraction of the single-precision matrix-product rate measured in the same run.
// Prints one line of JSON; bench/compare_hvp.py runs it beside PyTorch.
//
// --products adds the time of the product's matrix products alone: the same calls on operands of
// the same sizes in the same order, nothing between them. No way of running the rest can be faster.
// --scaling shows what two threads bring instead (thread_scaling.h), over --repeat rounds.

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

#include "base/blas.h"
#include "bench/thread_scaling.h"
#include "function/make_objective.h"
#include "program/tensor.h"

namespace {

double now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

// Rate of a 1024^3 product by oneDNN's sgemm in GF/s: the median of 12.
double sgemm_rate() {
  const std::int64_t n = 1024;
  std::vector<float> a(n * n, 0.5F), b(n * n, 0.25F), c(n * n);
  std::vector<double> times;
  while (times.size() < 12) {
    const double start = now();
    dnnl_sgemm('N', 'N', n, n, n, 1.0F, a.data(), n, b.data(), n, 0.0F, c.data(), n);
    times.push_back(now() - start);
  }
  return 2.0 * n * n * n / median(times) / 1e9;
}

// The matrix products of a Hessian product of a dense network at a fixed point, and nothing else.
class BareProducts {
 public:
  BareProducts(const std::vector<std::int64_t>& sizes, std::int64_t batch, std::int64_t batches,
               std::int64_t block)
      : sizes_(sizes), batch_(batch), batches_(batches), block_(block) {
    for (std::size_t l = 0; l + 1 < sizes_.size(); ++l) {
      const std::int64_t weights = sizes_[l] * sizes_[l + 1];
      weights_.push_back(array(weights));
      directions_.push_back(array(weights * block_));
      products_.push_back(array(weights * batches_));
      inputs_.push_back(array(batch_ * sizes_[l] * batches_));
      cotangents_.push_back(array(batch_ * sizes_[l + 1] * batches_));
      tangents_.push_back(array(batch_ * sizes_[l + 1]));
    }
    spare_ = array(batch_ * *std::max_element(sizes_.begin(), sizes_.end()));
  }

  // Seconds a direction.
  double run() {
    const double start = now();
    for (std::int64_t j = 0; j < block_; ++j) {
      for (std::int64_t b = 0; b < batches_; ++b) direction(j, b);
    }
    return (now() - start) / static_cast<double>(block_);
  }

 private:
  std::vector<std::int64_t> sizes_;
  std::int64_t batch_, batches_, block_;
  std::vector<std::shared_ptr<std::byte[]>> memory_;
  std::vector<float*> weights_, directions_, products_;  // a layer
  std::vector<float*> inputs_, cotangents_;              // kept, of all micro-batches
  std::vector<float*> tangents_;                         // of one; then what cotangents become
  float* spare_ = nullptr;

  float* array(std::int64_t count) {
    memory_.push_back(kappa::allocate_aligned(count * static_cast<std::int64_t>(sizeof(float))));
    auto* values = reinterpret_cast<float*>(memory_.back().get());
    for (std::int64_t i = 0; i < count; ++i) values[i] = 0.01F * static_cast<float>(i % 7 - 3);
    return values;
  }

  void direction(std::int64_t j, std::int64_t b) const {
    const std::size_t layers = weights_.size();
    for (std::size_t l = 0; l < layers; ++l) {  // tangents of the layers' outputs
      const std::int64_t in = sizes_[l], out = sizes_[l + 1];
      const float* input = inputs_[l] + b * batch_ * in;
      const float* v = directions_[l] + j * in * out;
      const kappa::GemmShape forward{batch_, out, in, false, true};
      float beta = 0;
      if (l > 0) {
        kappa::gemm(forward, tangents_[l - 1], in, weights_[l], in, 0.0F, tangents_[l], out);
        beta = 1;
      }
      kappa::gemm(forward, input, in, v, in, beta, tangents_[l], out);
    }
    for (std::size_t l = layers; l-- > 0;) {  // and of their cotangents
      const std::int64_t in = sizes_[l], out = sizes_[l + 1];
      const float* input = inputs_[l] + b * batch_ * in;
      const float* cotangent = cotangents_[l] + b * batch_ * out;
      const float* v = directions_[l] + j * in * out;
      const kappa::GemmShape by_weights{out, in, batch_, true, false};
      float* product = products_[l] + b * in * out;
      kappa::gemm(by_weights, tangents_[l], out, input, in, 0.0F, product, in);
      if (l == 0) continue;
      kappa::gemm(by_weights, cotangent, out, tangents_[l - 1], in, 1.0F, product, in);
      const kappa::GemmShape backward{batch_, in, out, false, false};
      kappa::gemm(backward, tangents_[l], out, weights_[l], in, 0.0F, spare_, in);
      kappa::gemm(backward, cotangent, out, v, in, 1.0F, spare_, in);
    }
  }
};

}  // namespace

int main(int argc, char** argv) {
  std::int64_t samples = 2048, block = 1, repeat = 9, batch = 0;
  int threads = 1;
  bool gauss_newton = false, with_products = false, scaling = false;
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
    else if (!std::strcmp(argv[i], "--products"))
      with_products = true;
    else if (!std::strcmp(argv[i], "--scaling"))
      scaling = true;
    else {
      fmt::print(stderr,
                 "usage: hvp_bench [--samples N] [--block K] [--threads T] [--repeat R] "
                 "[--model mlp:...] [--ggn] [--products] [--scaling]\n");
      return 2;
    }
  }
  kappa::DatasetOptions data_options;
  data_options.num_samples = samples;
  data_options.scale = 1.0 / 255;
  auto data = std::make_shared<kappa::Dataset>(kappa::load_dataset("fashion-mnist", data_options));
  kappa::ObjectiveSettings settings;
  settings.options.batch = batch;
  const auto make = [&](int num_threads) {
    settings.options.num_threads = num_threads;
    return kappa::make_network_objective(layers, data, "cross-entropy", "uniform", 0, {}, settings);
  };
  if (scaling) {
    kappa::print_thread_scaling(make, block, repeat);
    return 0;
  }
  const auto objective = make(threads);
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
  std::unique_ptr<BareProducts> products;
  if (with_products) {
    std::vector<std::int64_t> sizes;
    for (const kappa::Parameter& parameter : objective->parameters().list()) {
      if (parameter.shape.size() != 2) continue;
      if (sizes.empty()) sizes.push_back(parameter.shape[1]);
      sizes.push_back(parameter.shape[0]);
    }
    products = std::make_unique<BareProducts>(sizes, cost.batch, cost.num_batches, block);
    products->run();
  }
  std::vector<double> times, rates, product_times;
  for (std::int64_t r = 0; r < repeat; ++r) {
    if (r % 3 == 0) rates.push_back(sgemm_rate());
    start = now();
    apply();
    times.push_back((now() - start) / static_cast<double>(block));
    if (products) product_times.push_back(products->run());
  }
  const double seconds = median(times);
  // Matrix products alone: what the floor of peers.md counts.
  const double gflops = cost.product_flops / seconds / 1e9;
  const double rate = median(rates);
  fmt::print(
      "{{\"seconds_per_direction\": {:.6g}, \"seconds_min\": {:.6g}, \"seconds_setup\": {:.6g}, "
      "\"seconds_gradient\": {:.6g}, \"gflops\": {:.4g}, \"sgemm_gflops\": {:.4g}, "
      "\"fraction_of_sgemm\": {:.4g}, \"samples\": {}, \"block\": {}, \"threads\": {}, "
      "\"batch\": {}, \"num_batches\": {}, \"product_gflop\": {:.4g}, "
      "\"seconds_products\": {:.6g}, \"value\": {:.9g}}}\n",
      seconds, *std::min_element(times.begin(), times.end()), setup_seconds, gradient_seconds,
      gflops, rate, gflops / rate, samples, block, threads, cost.batch, cost.num_batches,
      cost.product_flops / 1e9, products ? median(product_times) : 0.0, value);
  return 0;
}
