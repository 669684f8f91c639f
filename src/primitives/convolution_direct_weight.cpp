#include <algorithm>
#include <vector>

#include "primitives/convolution.h"
#include "primitives/convolution_tiles.h"

namespace kappa {
namespace {

// Bytes of a row that stay in the first-level cache, times the rows of a tile, while all columns
// pass.
constexpr std::int64_t chunk_bytes = 8192;
// Of the copied image, in the second-level cache, where so much suffices.
constexpr std::int64_t copy_bytes = 512 << 10;

struct Range {
  std::int64_t first = 0, last = 0;
  [[nodiscard]] std::int64_t count() const { return last - first; }
};

// How the positions of an image's axis that a range of outputs meets under all taps are copied:
// output p and tap t meet element step * p + tap_step * t of the copy, so nothing is asked at the
// borders. Where strides or dilations leave most positions out, each tap has its own elements.
struct CopiedAxis {
  std::int64_t step = 0, tap_step = 0, extent = 0;

  CopiedAxis(const Convolution& c, std::size_t axis, std::int64_t outputs) {
    const std::int64_t kernel = c.kernel[axis], stride = c.window.strides[axis],
                       dilation = c.window.dilations[axis];
    extent = (outputs - 1) * stride + (kernel - 1) * dilation + 1;
    step = stride;
    tap_step = dilation;
    if (extent <= outputs * kernel) return;
    extent = outputs * kernel;
    step = 1;
    tap_step = outputs;
  }
};

// The image's position for each element of the copy, or -1 outside.
std::vector<std::int64_t> sources_of(const Convolution& c, std::size_t axis, Range outputs) {
  const CopiedAxis copied(c, axis, outputs.count());
  std::vector<std::int64_t> sources(static_cast<std::size_t>(copied.extent), -1);
  for (std::int64_t t = 0; t < c.kernel[axis]; ++t) {
    for (std::int64_t p = outputs.first; p < outputs.last; ++p) {
      const std::int64_t place =
          p * c.window.strides[axis] + t * c.window.dilations[axis] - c.window.pads_low[axis];
      if (place < 0 || place >= c.x.extents[axis]) continue;
      const std::int64_t to = (p - outputs.first) * copied.step + t * copied.tap_step;
      sources[static_cast<std::size_t>(to)] = place;
    }
  }
  return sources;
}

// How the outputs are taken: `columns` positions of the last axis at a time, and as many indices of
// the first (`rows`) as the copy of what they meet has room for.
struct Cut {
  std::int64_t rows = 1, columns = 1, copied = 0;  // elements of the copy

  Cut(const Convolution& c, std::int64_t element_bytes) {
    const std::int64_t width = std::min(c.x.samples, 256 / element_bytes);
    const std::int64_t line = c.y.extents.back();
    columns = std::clamp<std::int64_t>(chunk_bytes / (width * element_bytes), 1, line);
    const auto size = [&](std::int64_t r, std::int64_t w) {
      std::int64_t elements = c.group_inputs() * width;
      for (std::size_t axis = 0; axis < c.window.rank(); ++axis) {
        const bool last = axis + 1 == c.window.rank();
        const std::int64_t outputs = last ? w : (axis == 0 ? r : c.y.extents[axis]);
        // An odd number of columns, so that planes do not meet in a set of the cache.
        elements *= CopiedAxis(c, axis, outputs).extent + (last ? 1 : 0);
      }
      return elements;
    };
    const auto fits = [&](std::int64_t r, std::int64_t w) {
      return size(r, w) * element_bytes <= copy_bytes;
    };
    while (columns > 1 && !fits(1, columns)) columns = (columns + 1) / 2;
    if (c.window.rank() > 1) {
      while (rows < c.y.extents.front() && fits(rows + 1, columns)) ++rows;
      const std::int64_t pieces = (c.y.extents.front() + rows - 1) / rows;
      rows = (c.y.extents.front() + pieces - 1) / pieces;
    }
    copied = size(rows, columns);
  }
};

// The copy [outer axes][channel][last axis][sample] of what a range of outputs meets, and where its
// lines and columns stand in it.
class CopiedImage {
 public:
  CopiedImage(const Convolution& c, Range rows, Range columns, std::int64_t width)
      : convolution_(c), width_(width), last_(sources_of(c, c.window.rank() - 1, columns)) {
    const std::size_t outer_axes = c.window.rank() - 1;
    plane_ = static_cast<std::int64_t>(last_.size() | 1) * width;
    const std::int64_t line = c.group_inputs() * plane_;
    Dims extents, outputs, kernel(c.kernel.begin(), c.kernel.end() - 1);
    for (std::size_t axis = 0; axis < outer_axes; ++axis) {
      const Range range = axis == 0 ? rows : Range{0, c.y.extents[axis]};
      outer_.push_back(sources_of(c, axis, range));
      extents.push_back(static_cast<std::int64_t>(outer_.back().size()));
      outputs.push_back(range.count());
    }
    // Elements of the outer axes, output lines and taps are each a sum over the axes.
    const auto element = [&](const Dims& at, const Dims& tap) {
      std::int64_t flat = 0;
      for (std::size_t axis = 0; axis < outer_axes; ++axis) {
        const CopiedAxis copied(c, axis, outputs[axis]);
        flat = flat * extents[axis] + at[axis] * copied.step + tap[axis] * copied.tap_step;
      }
      return flat;
    };
    for_each_position(extents, [&](const Dims& at, std::int64_t) {
      std::int64_t flat = 0;
      for (std::size_t axis = 0; axis < outer_axes; ++axis) {
        const std::int64_t place = outer_[axis][static_cast<std::size_t>(at[axis])];
        flat = flat < 0 || place < 0 ? -1 : flat * c.x.extents[axis] + place;
      }
      source_lines_.push_back(flat);
    });
    const Dims zero(outer_axes, 0);
    for_each_position(outputs, [&](const Dims& at, std::int64_t) {
      std::int64_t flat = 0;
      for (std::size_t axis = 0; axis < outer_axes; ++axis) {
        flat = flat * c.y.extents[axis] + at[axis] + (axis == 0 ? rows.first : 0);
      }
      lines_.push_back(
          {element(at, zero) * line, (flat * c.y.extents.back() + columns.first) * c.y.samples});
      for_each_position(kernel, [&](const Dims& tap, std::int64_t) {
        met_.push_back(source_lines_[static_cast<std::size_t>(element(at, tap))] >= 0);
      });
    });
    const CopiedAxis last(c, outer_axes, columns.count());
    step_ = last.step * width;
    for_each_position(kernel, [&](const Dims& tap, std::int64_t) {
      for (std::int64_t t = 0; t < c.kernel.back(); ++t) {
        taps_.push_back(element(zero, tap) * line + t * last.tap_step * width);
      }
    });
  }
  [[nodiscard]] const std::vector<DotLine>& lines() const { return lines_; }
  [[nodiscard]] const std::vector<std::uint8_t>& met() const { return met_; }
  [[nodiscard]] std::int64_t step() const { return step_; }
  [[nodiscard]] std::int64_t place(std::int64_t channel, std::int64_t tap) const {
    return channel * plane_ + taps_[static_cast<std::size_t>(tap)];
  }

  // From `x` on: the first of the samples, of the first channel.
  template <class T>
  void fill(const T* x, T* copy) const {
    const std::int64_t samples = convolution_.x.samples, row = convolution_.x.extents.back();
    const std::int64_t channels = convolution_.group_inputs();
    for (std::int64_t channel = 0; channel < channels; ++channel) {
      const T* from = x + channel * convolution_.x.positions() * samples;
      T* to = copy + channel * plane_;
      for (const std::int64_t line : source_lines_) {
        if (line < 0) {
          std::fill_n(to, plane_, T{0});
        } else {
          fill_line(from + line * row * samples, to);
        }
        to += channels * plane_;
      }
    }
  }

 private:
  const Convolution& convolution_;
  std::int64_t width_, plane_ = 0, step_ = 0;
  std::vector<std::int64_t> last_, source_lines_, taps_;
  std::vector<std::vector<std::int64_t>> outer_;
  std::vector<DotLine> lines_;
  std::vector<std::uint8_t> met_;

  template <class T>
  void fill_line(const T* from, T* to) const {
    const std::int64_t samples = convolution_.x.samples;
    for (std::size_t i = 0; i < last_.size();) {
      std::size_t run = 1;
      if (last_[i] < 0) {
        std::fill_n(to, width_, T{0});
      } else {
        while (width_ == samples && i + run < last_.size() &&
               last_[i + run] == last_[i] + static_cast<std::int64_t>(run)) {
          ++run;
        }
        std::copy_n(from + last_[i] * samples, static_cast<std::int64_t>(run) * width_, to);
      }
      to += static_cast<std::int64_t>(run) * width_;
      i += run;
    }
  }
};

// Columns of a tile: those of whole rows of the kernel, which lie outside together. 6 x 4, 5 x 5
// and 4 x 6 keep the multipliers busy; 8 x 3 reaches nine tenths of that.
std::int64_t columns_of_tile(const Dims& kernel) {
  const std::int64_t width = kernel.back();
  for (const std::int64_t columns : {6, 5, 4}) {
    if (columns % width == 0 || width % columns == 0) return columns;
  }
  return 4;
}

template <class T>
void run_typed(const Convolution& c, const KernelCall& call) {
  const std::int64_t groups = c.window.groups, taps = c.taps(), samples = c.x.samples;
  const std::int64_t inputs = c.group_inputs(), outputs = c.group_outputs();
  const std::int64_t row_taps = c.kernel.back(), outer_taps = taps / row_taps;
  const std::int64_t leading = c.batched[0] || c.batched[1] ? c.blocks : 1;
  // Blocks that see one image are so many more rows.
  const std::int64_t folded = c.batched[0] ? 1 : leading;
  const std::int64_t num_rows = outputs * folded, num_columns = inputs * taps;
  const std::int64_t column_block = columns_of_tile(c.kernel);
  const std::int64_t parts =
      (num_rows + dot_rows_beside(column_block) - 1) / dot_rows_beside(column_block);
  const std::int64_t y_plane = c.y.positions() * samples, weights = c.weight_size();
  const Cut cut(c, sizeof(T));
  T* copy = static_cast<T*>(call.scratch);
  T* packed = copy + (cut.copied + 15) / 16 * 16;
  T* out = static_cast<T*>(call.output);
  if (!call.accumulate) std::fill_n(out, weights * leading, T{0});
  std::vector<const T*> rows(static_cast<std::size_t>(num_rows));
  std::vector<std::int64_t> row_out(rows.size());
  std::vector<std::int64_t> column(static_cast<std::size_t>(num_columns));
  std::vector<std::int64_t> column_out(column.size()), column_tap(column.size());
  const std::int64_t first_extent = c.window.rank() > 1 ? c.y.extents.front() : 1;
  const std::int64_t pieces = (c.y.extents.back() + cut.columns - 1) / cut.columns;
  for (std::int64_t n = 0; n < samples; n += sample_chunk<T>) {
    const std::int64_t width = std::min(sample_chunk<T>, samples - n);
    for (std::int64_t piece = 0; piece < pieces; ++piece) {
      const Range columns{c.y.extents.back() * piece / pieces,
                          c.y.extents.back() * (piece + 1) / pieces};
      for (std::int64_t r = 0; r < first_extent; r += cut.rows) {
        const CopiedImage image(c, {r, std::min(r + cut.rows, first_extent)}, columns, width);
        std::size_t j = 0;
        for (std::int64_t outer = 0; outer < outer_taps; ++outer) {
          for (std::int64_t channel = 0; channel < inputs; ++channel) {
            for (std::int64_t t = outer * row_taps; t < (outer + 1) * row_taps; ++t, ++j) {
              column[j] = image.place(channel, t);
              column_out[j] = channel * taps + t;
              column_tap[j] = outer;
            }
          }
        }
        DotCall<T> dot{.column = column.data(),
                       .column_out = column_out.data(),
                       .column_tap = column_tap.data(),
                       .num_columns = num_columns,
                       .column_block = column_block,
                       .outer_taps = outer_taps,
                       .num_positions = columns.count(),
                       .step = image.step(),
                       .samples = samples,
                       .width = width,
                       .image = copy,
                       .packed = packed};
        const auto num_lines = static_cast<std::int64_t>(image.lines().size());
        const std::int64_t line_bytes =
            columns.count() * ((width * static_cast<std::int64_t>(sizeof(T)) + 63) / 64 * 64);
        const std::int64_t lines = std::max<std::int64_t>(chunk_bytes / line_bytes, 1);
        for (std::int64_t k = 0; k < leading; k += folded) {
          for (std::int64_t g = 0; g < groups; ++g) {
            image.fill(static_cast<const T*>(call.inputs[0]) + (c.batched[0] ? k * c.x.size() : 0) +
                           g * inputs * c.x.positions() * samples + n,
                       copy);
            for (std::int64_t i = 0; i < num_rows; ++i) {
              const std::int64_t block = k + i / outputs, o = g * outputs + i % outputs;
              rows[static_cast<std::size_t>(i)] = static_cast<const T*>(call.inputs[1]) +
                                                  (c.batched[1] ? block * c.y.size() : 0) +
                                                  o * y_plane + n;
              row_out[static_cast<std::size_t>(i)] = block * weights + o * inputs * taps;
            }
            for (std::int64_t line = 0; line < num_lines; line += lines) {
              dot.lines = image.lines().data() + line;
              dot.met = image.met().data() + line * outer_taps;
              dot.num_lines = std::min(lines, num_lines - line);
              for (std::int64_t b = 0; b < parts; ++b) {
                const std::int64_t first = b * num_rows / parts;
                dot.num_rows = (b + 1) * num_rows / parts - first;
                dot.rows = rows.data() + first;
                dot.row_out = row_out.data() + first;
                dot.out = out;
                dot_tile(dot);
              }
            }
          }
        }
      }
    }
  }
}

}  // namespace

void run_direct_weight(const Convolution& c, const KernelCall& call) {
  if (call.output_type.dtype == DType::f64) return run_typed<double>(c, call);
  run_typed<float>(c, call);
}

std::int64_t direct_weight_scratch_bytes(const Convolution& c, DType dtype) {
  const std::int64_t element_bytes = size_of(dtype);
  const Cut cut(c, element_bytes);
  // Rows of one tile: whole lines, at least one, each sample's vectors filled up.
  const std::int64_t sample_bytes =
      (std::min<std::int64_t>(c.x.samples * element_bytes, 256) + 63) / 64 * 64;
  return (cut.copied + 15) / 16 * 16 * element_bytes +
         max_dot_rows * std::max(chunk_bytes, cut.columns * sample_bytes);
}

}  // namespace kappa
