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

/// Neighbouring positions whose meetings differ by a shift, taken together where samples are few.
constexpr std::int64_t max_group = 4;

/// out[m][g * out_step + i] (+)= sum over meetings j, channels c of w[m, tap_j, c] *
/// x[c * channel_stride + (base + position_j) * samples + g * in_step + i], for g < num_positions,
/// i < width <= sample_chunk.
template <class T>
struct PositionCall {
  const Meeting* meetings;
  std::int64_t num_meetings, channels, channel_stride, samples, width;
  std::int64_t base, num_positions, in_step, out_step;
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

/// Rows and columns a tile of dot products has at most; rows by the columns.
constexpr std::int64_t max_dot_rows = 8, max_dot_columns = 5;
constexpr std::int64_t dot_rows_beside(std::int64_t columns) {
  return columns <= 3 ? 8 : (columns == 4 ? 6 : 5);
}

/// What a tap meets at an output position: the input position, or -1, and for how many positions of
/// the row from here on that goes on in steps of the stride (or stays -1).
struct Contact {
  std::int32_t position, run;
};

/// out[row_out[r] + column_out[c]] += sum over positions p in [first, last), i < width of
/// rows[r][p * samples + i] * columns[c][q * samples + i],
/// q = contacts[p * num_taps + tap[c]], and nothing where q < 0. At most
/// dot_rows_beside(column_block) rows; `packed` holds max_dot_rows * (last - first) * sample_chunk
/// elements.
template <class T>
struct DotCall {
  const T* const* rows;
  const T* const* columns;
  const std::int64_t* tap;
  const std::int64_t* row_out;
  const std::int64_t* column_out;
  std::int64_t num_rows, num_columns, column_block;
  const Contact* contacts;
  std::int64_t num_taps, first, last, samples, stride, width;
  T* packed;
  T* out;
};
void dot_tile(const DotCall<float>& call);
void dot_tile(const DotCall<double>& call);

}  // namespace kappa
