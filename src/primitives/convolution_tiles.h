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
  bool far;  // what is added to has left the near caches: it is fetched while a tile computes
};
void convolve_position(const PositionCall<float>& call);
void convolve_position(const PositionCall<double>& call);

/// Rows and columns a tile of dot products has at most; rows by the columns.
constexpr std::int64_t max_dot_rows = 8, max_dot_columns = 6;
constexpr std::int64_t dot_rows_beside(std::int64_t columns) {
  constexpr std::int64_t most[] = {0, 8, 8, 8, 6, 5, 4};
  return most[columns];
}

/// A run of positions of an output row, and what it meets under the first tap: by element.
struct DotLine {
  std::int64_t image, row;
};

/// out[row_out[r] + column_out[c]] += sum over lines l, positions p < num_positions, i < width of
/// rows[r][lines[l].row + p * samples + i] * image[column[c] + lines[l].image + p * step + i].
/// Where met[l * outer_taps + column_tap[c]] is 0, the image is. At most
/// dot_rows_beside(column_block) rows; `packed` has room for the lines of max_dot_rows rows.
template <class T>
struct DotCall {
  const T* const* rows;
  const std::int64_t* row_out;
  std::int64_t num_rows;
  const std::int64_t* column;
  const std::int64_t* column_out;
  const std::int64_t* column_tap;
  std::int64_t num_columns, column_block;
  const DotLine* lines;
  const std::uint8_t* met;
  std::int64_t num_lines, outer_taps, num_positions, step, samples, width;
  const T* image;
  T* packed;
  T* out;
};
void dot_tile(const DotCall<float>& call);
void dot_tile(const DotCall<double>& call);

}  // namespace kappa
