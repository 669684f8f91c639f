// Convolutions of LeNet and ResNet-20, samples last, in GF/s: output, transpose in the image and in
// the weight, for one and for 8 directions; against sgemm in the same run.

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "base/blas.h"
#include "primitives/convolution.h"
#include "program/builder.h"
#include "runtime/plan.h"

namespace {

using kappa::Array;
using kappa::Builder;
using kappa::Dims;
using kappa::DType;
using kappa::Shape;

double now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

double sgemm_rate() {
  const std::int64_t n = 1024;
  std::vector<float> a(n * n, 0.5F), b(n * n, 0.25F), c(n * n);
  double best = 1e9;
  for (int i = 0; i < 8; ++i) {
    const double start = now();
    kappa::gemm({n, n, n}, a.data(), n, b.data(), n, 0.0F, c.data(), n);
    best = std::min(best, now() - start);
  }
  return 2.0 * n * n * n / best / 1e9;
}

double rate_of(const kappa::Program& program) {
  const kappa::Plan plan(program);
  std::vector<std::shared_ptr<std::byte[]>> memory;  // aligned, as a plan's arrays are
  std::vector<const void*> in;
  const auto array = [&](const kappa::Type& type) {
    memory.push_back(kappa::allocate_aligned(kappa::num_bytes(type)));
    auto* x = reinterpret_cast<float*>(memory.back().get());
    for (std::int64_t k = 0; k < kappa::num_elements(type.shape); ++k) {
      x[k] = static_cast<float>(k % 7) - 3;
    }
    return x;
  };
  for (std::size_t i = 0; i < program.inputs.size(); ++i)
    in.push_back(array(program.input_type(i)));
  void* out = array(program.output_type(0));
  const auto workspace = kappa::allocate_aligned(plan.workspace_bytes());
  double best = 1e9, spent = 0;
  for (int i = 0; i < 4 || spent < 0.05; ++i) {
    const double start = now();
    plan.run(in.data(), &out, workspace.get());
    best = std::min(best, now() - start);
    spent += now() - start;
  }
  return plan.flops() / best / 1e9;
}

struct Case {
  const char* name;
  std::int64_t samples, channels, outputs, extent, kernel, stride, pad;
};

}  // namespace

int main(int argc, char** argv) {
  const Case cases[] = {
      {"LeNet 1->6 5x5", 256, 1, 6, 28, 5, 1, 2},    {"LeNet 6->16 5x5", 256, 6, 16, 14, 5, 1, 0},
      {"ResNet 3->16", 64, 3, 16, 32, 3, 1, 1},      {"ResNet 16->16", 64, 16, 16, 32, 3, 1, 1},
      {"ResNet 16->32 /2", 64, 16, 32, 32, 3, 2, 1}, {"ResNet 32->32", 64, 32, 32, 16, 3, 1, 1},
      {"ResNet 64->64", 64, 64, 64, 8, 3, 1, 1}};
  std::int64_t samples = 0;
  for (int i = 1; i + 1 < argc; i += 2) {
    if (!std::strcmp(argv[i], "--samples")) samples = std::atoll(argv[i + 1]);
  }
  fmt::print("sgemm {:.0f} GF/s\n", sgemm_rate());
  fmt::print("{:18} {:>7} {:>7} {:>7}   8 directions: {:>6} {:>6} {:>6} {:>6} {:>6} {:>6}\n", "",
             "output", "data", "weight", "x", "w", "y", "w", "x", "y");
  for (Case c : cases) {
    if (samples > 0) c.samples = samples;
    const std::int64_t out = (c.extent + 2 * c.pad - c.kernel) / c.stride + 1;
    const Shape x{c.channels, c.extent, c.extent, c.samples}, y{c.outputs, out, out, c.samples},
        w{c.outputs, c.channels, c.kernel, c.kernel};
    const auto program = [&](const char* name, Shape a, Shape b, Dims extents) {
      kappa::WindowAttributes window;
      window.strides = {c.stride, c.stride};
      window.dilations = {1, 1};
      window.pads_low = {c.pad, c.pad};
      window.samples_last = true;
      window.extents = extents;
      Builder builder;
      const Array operands[] = {builder.input({DType::f32, a}), builder.input({DType::f32, b})};
      const Array result =
          builder.apply(*kappa::find_primitive(name), window.attributes(), operands);
      return builder.finish({&result, 1});
    };
    const auto many = [](Shape s) {
      s.insert(s.begin(), 8);
      return s;
    };
    const Dims in{c.extent, c.extent}, to{out, out}, kernel{c.kernel, c.kernel};
    fmt::print(
        "{:18} {:7.1f} {:7.1f} {:7.1f}                 {:6.1f} {:6.1f} {:6.1f} {:6.1f} "
        "{:6.1f} {:6.1f}\n",
        c.name, rate_of(program("convolution", x, w, to)),
        rate_of(program("convolution_data", y, w, in)),
        rate_of(program("convolution_weight", x, y, kernel)),
        rate_of(program("convolution", many(x), w, to)),
        rate_of(program("convolution", x, many(w), to)),
        rate_of(program("convolution_data", many(y), w, in)),
        rate_of(program("convolution_data", y, many(w), in)),
        rate_of(program("convolution_weight", many(x), y, kernel)),
        rate_of(program("convolution_weight", x, many(y), kernel)));
  }
  fmt::print("sgemm {:.0f} GF/s\n", sgemm_rate());
}
