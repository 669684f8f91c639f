// Hessian products of LeNet (1x28x28) and ResNet-20 (3x32x32, batch norm by given statistics) at a
// fixed point, residuals kept, f32, on random images: one line of JSON. bench/compare_conv.py runs
// it beside PyTorch; with --arrays FILE.npz it takes parameters p0, p1, ..., images x, labels y and
// a direction v from there and compares its product with hv. --steps prints the time of every step
// of the product's plan instead, slowest kinds last; --scaling shows what
// two threads bring beside two independent products at once.

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "base/blas.h"
#include "bench/step_times.h"
#include "bench/thread_scaling.h"
#include "data/npz.h"
#include "frontend/losses.h"
#include "function/objective.h"
#include "kappa/convolution.h"
#include "program/builder.h"

namespace {

using kappa::Array;
using kappa::Builder;
using kappa::DType;
using kappa::Program;
using kappa::Shape;

double now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

// Unlike getrusage, of this program alone: a parent's peak is not inherited.
std::int64_t peak_bytes() {
  std::ifstream file("/proc/self/status");
  std::string word;
  while (file >> word) {
    std::int64_t kilobytes = 0;
    if (word == "VmHWM:" && file >> kilobytes) return kilobytes * 1024;
  }
  return 0;
}

double sgemm_rate() {
  const std::int64_t n = 1024;
  std::vector<float> a(n * n, 0.5F), b(n * n, 0.25F), c(n * n);
  std::vector<double> times;
  for (int i = 0; i < 9; ++i) {
    const double start = now();
    kappa::gemm({n, n, n}, a.data(), n, b.data(), n, 0.0F, c.data(), n);
    times.push_back(now() - start);
  }
  return 2.0 * n * n * n / median(times) / 1e9;
}

// A network under construction; parameters are inputs, in the order of their first use.
class Network {
 public:
  Network(std::string name, std::int64_t batch, DType dtype)
      : name_(std::move(name)), batch_(batch), dtype_(dtype) {}

  // Inputs: parameters, x (batch, pixels). Output (batch, 10).
  Program build() {
    // Twice: the first pass learns the parameters, which come before x.
    Builder trial;
    builder_ = &trial;
    run(trial.input({dtype_, {batch_, pixels()}}, "x"));
    Builder builder;
    builder_ = &builder;
    std::vector<Array> made;
    for (const Shape& shape : shapes_) made.push_back(builder.input({dtype_, shape}));
    given_ = std::move(made);
    taken_ = 0;
    const Array output = run(builder.input({dtype_, {batch_, pixels()}}, "x"));
    return builder.finish({&output, 1});
  }
  [[nodiscard]] std::int64_t pixels() const { return name_ == "lenet" ? 784 : 3072; }
  [[nodiscard]] const std::vector<Shape>& shapes() const { return shapes_; }

 private:
  std::string name_;
  std::int64_t batch_;
  DType dtype_;
  Builder* builder_ = nullptr;
  std::vector<Shape> shapes_;
  std::vector<Array> given_;
  std::size_t taken_ = 0;

  Array parameter(const Shape& shape) {
    if (!given_.empty()) return given_[taken_++];
    shapes_.push_back(shape);
    return builder_->input({dtype_, shape});
  }
  Array linear(const Array& x, std::int64_t out) {
    const Array weight = parameter({out, x.shape()[1]});
    return matmul(x, weight, false, true) + parameter({out});
  }
  Array conv(const Array& x, std::int64_t out, std::int64_t k, std::int64_t stride,
             std::int64_t pad) {
    return convolution(x, parameter({out, x.shape()[1], k, k}),
                       {{stride, stride}, {}, {pad, pad}, {pad, pad}});
  }
  Array per_channel(const Array& v) { return reshape(v, {v.size(), 1, 1}); }
  Array biased(const Array& x) { return x + per_channel(parameter({x.shape()[1]})); }
  // Batch norm by statistics 0.1 (mean) and 1.5 (variance).
  Array norm(const Array& x) {
    const std::int64_t c = x.shape()[1];
    const Array scale = parameter({c}), shift = parameter({c});
    return (x - 0.1) * (1 / std::sqrt(1.5 + 1e-5)) * per_channel(scale) + per_channel(shift);
  }
  Array block(const Array& x, std::int64_t out, std::int64_t stride) {
    Array h = relu(norm(conv(x, out, 3, stride, 1)));
    h = norm(conv(h, out, 3, 1, 1));
    Array shortcut = x;
    if (stride != 1 || x.shape()[1] != out) shortcut = norm(conv(x, out, 1, stride, 0));
    return relu(h + shortcut);
  }
  Array run(const Array& input) {
    if (name_ == "lenet") {
      Array x = reshape(input, {batch_, 1, 28, 28});
      x = tanh(biased(conv(x, 6, 5, 1, 2)));
      x = max_pool(x, {2, 2}, {{2, 2}});
      x = tanh(biased(conv(x, 16, 5, 1, 0)));
      x = max_pool(x, {2, 2}, {{2, 2}});
      x = reshape(x, {batch_, x.size() / batch_});
      x = tanh(linear(x, 120));
      return linear(tanh(linear(x, 84)), 10);
    }
    Array x = relu(norm(conv(reshape(input, {batch_, 3, 32, 32}), 16, 3, 1, 1)));
    for (const std::int64_t width : {16, 32, 64}) {
      for (int i = 0; i < 3; ++i) x = block(x, width, width > 16 && i == 0 ? 2 : 1);
    }
    return linear(mean(x, {2, 3}), 10);
  }
};

class Images final : public kappa::SampleSource {
 public:
  Images(std::int64_t count, std::int64_t pixels, DType dtype)
      : count_(count), pixels_(pixels), dtype_(dtype) {
    for (std::int64_t i = 0; i < count * pixels; ++i) {
      values.push_back(std::sin(static_cast<double>(i) * 0.37) + 0.3 * std::cos(i * i * 0.11));
    }
    for (std::int64_t i = 0; i < count; ++i) labels.push_back(i * 7 % 10);
  }
  std::vector<double> values;
  std::vector<std::int64_t> labels;

  [[nodiscard]] std::int64_t num_samples() const override { return count_; }
  [[nodiscard]] std::vector<kappa::Type> types(std::int64_t batch) const override {
    return {{dtype_, {batch, pixels_}}, {DType::i64, {batch}}};
  }
  void fill(std::size_t input, const kappa::Rows& rows, void* target) const override {
    for (std::int64_t i = 0; i < rows.count(); ++i) {
      if (input == 1) {
        static_cast<std::int64_t*>(target)[i] = labels[static_cast<std::size_t>(rows[i])];
        continue;
      }
      for (std::int64_t j = 0; j < pixels_; ++j) {
        const double value = values[static_cast<std::size_t>(rows[i] * pixels_ + j)];
        if (dtype_ == DType::f32) {
          static_cast<float*>(target)[i * pixels_ + j] = static_cast<float>(value);
        } else {
          static_cast<double*>(target)[i * pixels_ + j] = value;
        }
      }
    }
  }

 private:
  std::int64_t count_, pixels_;
  DType dtype_;
};

std::vector<double> doubles(const kappa::StoredArray& array) {
  return std::visit([](const auto& v) { return std::vector<double>(v.begin(), v.end()); },
                    array.values);
}

}  // namespace

int main(int argc, char** argv) {
  std::string network = "lenet", arrays;
  std::int64_t samples = 0, block = 1, repeat = 7, batch = 0;
  int threads = 1;
  bool steps = false, scaling = false, wide = false;
  for (int i = 1; i < argc; ++i) {
    const auto next = [&] { return i + 1 < argc ? argv[++i] : const_cast<char*>("0"); };
    const std::string option = argv[i];
    if (option == "--network")
      network = next();
    else if (option == "--samples")
      samples = std::atoll(next());
    else if (option == "--block")
      block = std::atoll(next());
    else if (option == "--threads")
      threads = std::atoi(next());
    else if (option == "--repeat")
      repeat = std::atoll(next());
    else if (option == "--batch")
      batch = std::atoll(next());
    else if (option == "--arrays")
      arrays = next();
    else if (option == "--f64")
      wide = true;
    else if (option == "--steps")
      steps = true;
    else if (option == "--scaling")
      scaling = true;
    else {
      fmt::print(stderr, "conv_hvp_bench: {}?\n", option);
      return 2;
    }
  }
  if (samples == 0) samples = network == "lenet" ? 256 : 64;
  const DType dtype = wide ? DType::f64 : DType::f32;

  Network shapes(network, 2, dtype);
  (void)shapes.build();
  auto images = std::make_shared<Images>(samples, shapes.pixels(), dtype);
  std::vector<kappa::Parameter> list;
  for (const Shape& shape : shapes.shapes()) {
    kappa::Tensor value(kappa::Type{dtype, shape});
    const double fan_in = static_cast<double>(value.size()) / static_cast<double>(shape[0]);
    for (std::int64_t i = 0; i < value.size(); ++i) {
      value.set(i, shape.size() == 1
                       ? 0.5 + 0.1 * std::sin(static_cast<double>(i))
                       : std::sin(1.7 * static_cast<double>(i * i % 1013)) * std::sqrt(2 / fan_in));
    }
    list.push_back({fmt::format("p{}", list.size()), shape, true, 0, value});
  }
  std::vector<double> v, expected;
  if (!arrays.empty()) {
    const kappa::NpzReader file(arrays);
    for (kappa::Parameter& p : list) {
      const std::vector<double> values = doubles(file.read(p.name));
      for (std::size_t i = 0; i < values.size(); ++i) {
        p.value.set(static_cast<std::int64_t>(i), values[i]);
      }
    }
    images->values = doubles(file.read("x"));
    v = doubles(file.read("v"));
    expected = doubles(file.read("hv"));
    const std::vector<double> y = doubles(file.read("y"));
    images->labels.assign(y.begin(), y.end());
    block = 1;
  }

  kappa::ObjectiveParts parts;
  parts.kind = "network";
  parts.dtype = dtype;
  parts.parameters = kappa::Parameters(list);
  parts.samples = images;
  parts.model = [network, dtype](std::int64_t n) { return Network(network, n, dtype).build(); };
  parts.loss = [dtype](std::int64_t n) {
    Builder builder;
    const Array z = builder.input({dtype, {n, 10}}, "z");
    const Array target = builder.input({DType::i64, {n}}, "y");
    const Array weight = builder.input({dtype, {n}}, "weights");
    const Array total =
        sum(kappa::build_loss(kappa::find_loss("cross-entropy"), z, target) * weight);
    return builder.finish({&total, 1});
  };
  parts.total = [model = parts.model, loss = parts.loss](std::int64_t n) {
    return kappa::compose(model(n), loss(n));
  };
  kappa::ObjectiveOptions options;
  options.num_threads = threads;
  options.batch = batch;
  if (scaling) {
    const auto make = [&](int count) {
      options.num_threads = count;
      return std::make_unique<kappa::Objective>(parts, options);
    };
    kappa::print_thread_scaling(make, block, repeat);
    return 0;
  }
  const kappa::Objective objective(std::move(parts), options);
  const std::vector<double> w = objective.parameters().start();
  const std::size_t n = w.size();
  if (steps) {
    kappa::print_step_times(objective, block, repeat);
    return 0;
  }
  const kappa::ObjectiveCost cost = objective.cost(block);

  std::vector<double> gradient(n);
  objective.gradient(w.data(), gradient.data());
  double start = now();
  objective.gradient(w.data(), gradient.data());
  const double gradient_seconds = now() - start;
  const auto linearization = objective.linearize(w.data());
  start = now();
  const double value = linearization->value();
  const double setup_seconds = now() - start;

  if (v.empty()) {
    v.resize(n * static_cast<std::size_t>(block));
    for (std::size_t i = 0; i < v.size(); ++i) v[i] = std::sin(static_cast<double>(i) * 0.7);
  }
  std::vector<double> hv(v.size());
  linearization->hessian_product(block, v.data(), hv.data());
  double error = 0, scale = 0;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    error = std::max(error, std::abs(hv[i] - expected[i]));
    scale = std::max(scale, std::abs(expected[i]));
  }
  std::vector<double> times, rates;
  for (std::int64_t r = 0; r < repeat; ++r) {
    if (r % 3 == 0) rates.push_back(sgemm_rate());
    start = now();
    linearization->hessian_product(block, v.data(), hv.data());
    times.push_back((now() - start) / static_cast<double>(block));
  }
  const double seconds = median(times), gflops = cost.product_flops / seconds / 1e9;
  fmt::print(
      "{{\"seconds_per_direction\": {:.6g}, \"seconds_min\": {:.6g}, \"seconds_setup\": {:.6g}, "
      "\"seconds_gradient\": {:.6g}, \"gflops\": {:.4g}, \"sgemm_gflops\": {:.4g}, "
      "\"fraction_of_sgemm\": {:.4g}, \"batch\": {}, \"num_batches\": {}, \"product_gflop\": "
      "{:.4g}, \"peak_bytes\": {}, \"parameters\": {}, \"value\": {:.9g}, \"error\": {:.3g}}}\n",
      seconds, *std::min_element(times.begin(), times.end()), setup_seconds, gradient_seconds,
      gflops, median(rates), gflops / median(rates), cost.batch, cost.num_batches,
      cost.product_flops / 1e9, peak_bytes(), n, value, scale > 0 ? error / scale : -1.0);
}
