#include <algorithm>
#include <cstring>

#include "base/blas.h"
#include "primitives/convolution.h"

namespace kappa {
namespace {

// Where tap k of each output position lies in the input, -1 outside; taps x positions.
std::vector<std::int64_t> patch_table(const Convolution& c) {
  std::vector<std::int64_t> table;
  table.reserve(static_cast<std::size_t>(c.taps() * c.y.positions()));
  for_each_position(c.kernel, [&](const Dims& tap, std::int64_t) {
    for_each_position(c.y.extents, [&](const Dims& at, std::int64_t) {
      table.push_back(input_position(c.window, c.x.extents, at, tap));
    });
  });
  return table;
}

// One call on contiguous images, sample by sample and group by group: patches of a sample are the
// columns of a matrix (channel and tap by position).
template <class T>
void run_block(const Convolution& c, const std::vector<std::int64_t>& table, const T* a, const T* b,
               T* out, bool accumulate, T* columns) {
  const std::int64_t inputs = c.group_inputs(), outputs = c.group_outputs();
  const std::int64_t positions = c.y.positions(), taps = c.taps(), area = c.x.positions();
  const std::int64_t rows = inputs * taps;
  const auto copy_patches = [&](const T* image) {
    T* target = columns;
    for (std::int64_t channel = 0; channel < inputs; ++channel, image += area) {
      for (std::int64_t i = 0; i < taps * positions; ++i) {
        const std::int64_t from = table[static_cast<std::size_t>(i)];
        *target++ = from < 0 ? T{0} : image[from];
      }
    }
  };
  if (!accumulate && c.part == ConvolutionPart::data) std::fill_n(out, c.x.size(), T{0});
  if (c.part == ConvolutionPart::weight && !accumulate) std::fill_n(out, c.weight_size(), T{0});
  for (std::int64_t n = 0; n < c.x.samples; ++n) {
    for (std::int64_t g = 0; g < c.window.groups; ++g) {
      const std::int64_t x_at = (n * c.x.channels + g * inputs) * area;
      const std::int64_t y_at = (n * c.y.channels + g * outputs) * positions;
      const std::int64_t w_at = g * outputs * rows;
      switch (c.part) {
        case ConvolutionPart::output:
          copy_patches(a + x_at);
          gemm({outputs, positions, rows}, b + w_at, rows, columns, positions,
               accumulate ? T{1} : T{0}, out + y_at, positions);
          break;
        case ConvolutionPart::data: {
          gemm({rows, positions, outputs, true, false}, b + w_at, rows, a + y_at, positions, T{0},
               columns, positions);
          const T* source = columns;
          for (std::int64_t channel = 0; channel < inputs; ++channel) {
            T* image = out + x_at + channel * area;
            for (std::int64_t i = 0; i < taps * positions; ++i, ++source) {
              const std::int64_t to = table[static_cast<std::size_t>(i)];
              if (to >= 0) image[to] += *source;
            }
          }
          break;
        }
        case ConvolutionPart::weight:
          copy_patches(a + x_at);
          gemm({outputs, rows, positions, false, true}, b + y_at, positions, columns, positions,
               T{1}, out + w_at, rows);
          break;
      }
    }
  }
}

template <class T>
void run_typed(const Convolution& c, const KernelCall& call) {
  const std::vector<std::int64_t> table = patch_table(c);
  const bool weight = c.part == ConvolutionPart::weight;
  const std::int64_t a_size = c.part == ConvolutionPart::data ? c.y.size() : c.x.size();
  const std::int64_t b_size = weight ? c.y.size() : c.weight_size();
  const std::int64_t out_size =
      weight ? c.weight_size() : (c.part == ConvolutionPart::data ? c.x.size() : c.y.size());
  const bool leading = c.batched[0] || c.batched[1];
  for (std::int64_t k = 0; k < (leading ? c.blocks : 1); ++k) {
    run_block(c, table, static_cast<const T*>(call.inputs[0]) + (c.batched[0] ? k * a_size : 0),
              static_cast<const T*>(call.inputs[1]) + (c.batched[1] ? k * b_size : 0),
              static_cast<T*>(call.output) + k * out_size, call.accumulate,
              static_cast<T*>(call.scratch));
  }
}

}  // namespace

void run_columns(const Convolution& convolution, const KernelCall& call) {
  if (call.output_type.dtype == DType::f64) return run_typed<double>(convolution, call);
  run_typed<float>(convolution, call);
}

std::int64_t columns_scratch_bytes(const Convolution& c, DType dtype) {
  return c.group_inputs() * c.taps() * c.y.positions() * size_of(dtype);
}

}  // namespace kappa
