#pragma once

#include <cstdint>

namespace kappa {

// Register tiles of convolutions whose samples stand last: vectors run along the samples, so any
// kernel, stride, padding and number of channels is a list of rows to multiply and add.

/// Samples taken at a time: four vectors of 512 bits.
template <class T>
constexpr std::int64_t sample_chunk = 256 / static_cast<std::int64_t>(sizeof(T));

/// One row of an input that an output position meets: position and weight, by index.
struct Meeting {
  std::int32_t position, tap;
};

/// Outputs come in blocks of nearly equal width, at most this wide.
constexpr std::int64_t max_outputs = 6;
struct OutputBlocks {
  std::int64_t outputs, count;
  explicit OutputBlocks(std::int64_t outputs_)
      : outputs(outputs_), count((outputs_ + max_outputs - 1) / max_outputs) {}
  [[nodiscard]] std::int64_t begin(std::int64_t block) const { return block * outputs / count; }
};

/// out[m][i] (+)= sum over meetings j, channels c of w[m, tap_j, c] * x[c * channel_stride +
/// position_j * samples + i], for i < width <= sample_chunk.
template <class T>
struct PositionCall {
  const Meeting* meetings;
  std::int64_t num_meetings, channels, channel_stride, samples, width;
  const T* x;
  const T* weight;  // blocks of outputs, in each [tap][channel][output]
  std::int64_t num_taps;
  OutputBlocks blocks;
  T* const* out;  // a row each output
  std::int64_t out_offset;
  bool accumulate;
};
void convolve_position(const PositionCall<float>& call);
void convolve_position(const PositionCall<double>& call);

/// Rows a tile of dot products has at most.
constexpr std::int64_t max_dot_rows = 6;

/// out[row_out[r] + column_out[c]] += sum over positions p in [first, last), i < width of
/// rows[r][p * samples + i] * columns[c][q * samples + i], q = table[p * num_taps + tap[c]], and
/// nothing where q < 0. At most max_dot_rows rows; `packed` holds
/// max_dot_rows * (last - first) * sample_chunk elements.
template <class T>
struct DotCall {
  const T* const* rows;
  const T* const* columns;
  const std::int64_t* tap;
  const std::int64_t* row_out;
  const std::int64_t* column_out;
  std::int64_t num_rows, num_columns;
  const std::int32_t* table;
  std::int64_t num_taps, first, last, samples, width;
  T* packed;
  T* out;
};
void dot_tile(const DotCall<float>& call);
void dot_tile(const DotCall<double>& call);

}  // namespace kappa
