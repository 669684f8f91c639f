#include <algorithm>

#include "primitives/convolution.h"

namespace kappa {
namespace {

template <class T>
void run_typed(const Convolution& c, const KernelCall& call) {
  const std::int64_t inputs = c.group_inputs(), outputs = c.group_outputs(), taps = c.taps();
  const std::int64_t samples = c.x.samples;
  const bool weight = c.part == ConvolutionPart::weight, data = c.part == ConvolutionPart::data;
  const std::int64_t a_size = data ? c.y.size() : c.x.size();
  const std::int64_t b_size = weight ? c.y.size() : c.weight_size();
  const std::int64_t out_size = weight ? c.weight_size() : (data ? c.x.size() : c.y.size());
  const bool leading = c.batched[0] || c.batched[1];
  for (std::int64_t k = 0; k < (leading ? c.blocks : 1); ++k) {
    const T* a = static_cast<const T*>(call.inputs[0]) + (c.batched[0] ? k * a_size : 0);
    const T* b = static_cast<const T*>(call.inputs[1]) + (c.batched[1] ? k * b_size : 0);
    T* out = static_cast<T*>(call.output) + k * out_size;
    if (!call.accumulate) std::fill_n(out, out_size, T{0});
    for (std::int64_t o = 0; o < c.y.channels; ++o) {
      for (std::int64_t i = 0; i < inputs; ++i) {
        const std::int64_t channel = o / outputs * inputs + i;
        for_each_position(c.kernel, [&](const Dims& tap, std::int64_t t) {
          const std::int64_t w_at = (o * inputs + i) * taps + t;
          for_each_position(c.y.extents, [&](const Dims& at, std::int64_t p) {
            const std::int64_t q = input_position(c.window, c.x.extents, at, tap);
            if (q < 0) return;
            const std::int64_t x_at = (channel * c.x.positions() + q) * samples;
            const std::int64_t y_at = (o * c.y.positions() + p) * samples;
            for (std::int64_t n = 0; n < samples; ++n) {
              if (weight) {
                out[w_at] += a[x_at + n] * b[y_at + n];
              } else if (data) {
                out[x_at + n] += a[y_at + n] * b[w_at];
              } else {
                out[y_at + n] += a[x_at + n] * b[w_at];
              }
            }
          });
        });
      }
    }
  }
}

}  // namespace

void run_direct(const Convolution& convolution, const KernelCall& call) {
  if (call.output_type.dtype == DType::f64) return run_typed<double>(convolution, call);
  run_typed<float>(convolution, call);
}

std::int64_t direct_scratch_bytes(const Convolution&, DType) { return 0; }

}  // namespace kappa
