#include <algorithm>
#include <vector>

#include "primitives/convolution.h"
#include "primitives/convolution_meetings.h"
#include "primitives/convolution_tiles.h"

namespace kappa {
namespace {

constexpr std::int64_t outputs_together = 16;

// Positions a tile takes: it has four vectors of 512 bits for each output.
template <class T>
std::int64_t positions_at_a_time(std::int64_t samples) {
  const std::int64_t vectors = (samples * static_cast<std::int64_t>(sizeof(T)) + 63) / 64;
  if (vectors % 4 == 0 || vectors > 16) return 1;
  return vectors % 2 == 0 ? 2 : max_group;
}

// Weights of all outputs in blocks, in each [tap][channel][output]; weight[m] is that of output m
// under channel 0, whose channels are `channel_stride` apart.
template <class T>
void pack(std::span<const T* const> weight, std::int64_t channels, std::int64_t channel_stride,
          std::int64_t taps, T* packed) {
  const OutputBlocks blocks(static_cast<std::int64_t>(weight.size()));
  for (std::int64_t b = 0; b < blocks.count; ++b) {
    const std::int64_t begin = blocks.begin(b), width = blocks.begin(b + 1) - begin;
    for (std::int64_t m = 0; m < width; ++m) {
      const T* from = weight[static_cast<std::size_t>(begin + m)];
      for (std::int64_t c = 0; c < channels; ++c) {
        for (std::int64_t t = 0; t < taps; ++t) {
          packed[(t * channels + c) * width + m] = from[c * channel_stride + t];
        }
      }
    }
    packed += taps * channels * width;
  }
}

// Rows of the source beside one another, [row][channel][column][sample], for the target rows that
// meet them: every tile then reads its channels and taps from a few pages. Planes of an image are
// often a power of two apart, and their elements meet in a set of the cache. A row of a channel is
// one column longer than it is, for the same reason.
struct Slabs {
  std::int64_t columns, inner, rows,
      channels;                // of the source; `inner` rows are one of its first axis
  bool copied;                 // else tiles read the image itself
  std::int64_t most_rows = 0;  // of the first axis

  // As much of an image stays in the second-level cache beside what its tiles write.
  static constexpr std::int64_t slab_bytes = 320 << 10;

  Slabs(const Convolution& c, std::int64_t folded, std::int64_t element_bytes) {
    const bool data = c.part == ConvolutionPart::data;
    const Image& source = data ? c.y : c.x;
    const std::size_t rank = c.window.rank();
    columns = source.extents.back();
    rows = rank == 1 ? 1 : source.extents.front();
    inner = source.positions() / (rows * columns);
    channels = source.channels / c.window.groups;
    const std::int64_t outputs = (data ? c.x : c.y).channels / c.window.groups * folded;
    copied = worth(c, outputs);
    if (!copied) return;
    const std::int64_t samples = std::min<std::int64_t>(source.samples, 256 / element_bytes);
    const std::int64_t row_bytes = inner * pitch() * samples * element_bytes;
    // Those that one row of the target meets go together.
    const std::int64_t reach = (c.kernel.front() - 1) * c.window.dilations.front() + 1;
    most_rows = std::min(rows, std::max(reach, slab_bytes / row_bytes));
    bytes = most_rows * row_bytes;
  }
  std::int64_t bytes = 0;
  // Positions from one row to the next.
  [[nodiscard]] std::int64_t pitch() const { return copied ? channels * (columns + 1) : columns; }

 private:
  [[nodiscard]] bool worth(const Convolution& c, std::int64_t outputs) const {
    // Few planes fit in a set wherever they are; and a copy is to be read often.
    return channels >= 8 && c.taps() > 1 && outputs * c.taps() >= 32;
  }
};

// Rows [first, last) of a slab, `width` samples of them from x on.
template <class T>
void copy_rows(const Slabs& slabs, Meetings::Rows rows, const T* x, std::int64_t samples,
               std::int64_t width, T* slab) {
  const std::int64_t row = slabs.columns * samples, plane = slabs.rows * slabs.inner * row;
  const std::int64_t copied_row = (slabs.columns + 1) * width;
  for (std::int64_t c = 0; c < slabs.channels; ++c) {
    const T* from = x + c * plane + rows.first * slabs.inner * row;
    T* to = slab + c * copied_row;
    for (std::int64_t r = rows.first * slabs.inner; r < rows.last * slabs.inner; ++r) {
      if (width == samples) {
        std::copy_n(from, row, to);
      } else {
        for (std::int64_t i = 0; i < slabs.columns; ++i) {
          std::copy_n(from + i * samples, width, to + i * width);
        }
      }
      from += row;
      to += slabs.channels * copied_row;
    }
  }
}

// The output, or the transpose in the image: the same work with the weight read the other way.
// Weights of several blocks that see one image are so many more outputs.
template <class T>
void run_image(const Convolution& c, const KernelCall& call) {
  const std::int64_t stride = c.window.strides.back();
  const bool data = c.part == ConvolutionPart::data;
  const Image& source = data ? c.y : c.x;
  const Image& target = data ? c.x : c.y;
  const std::int64_t groups = c.window.groups, taps = c.taps(), samples = c.x.samples;
  const std::int64_t channels = source.channels / groups, outputs = target.channels / groups;
  const std::int64_t in_plane = source.positions() * samples;
  const std::int64_t out_plane = target.positions() * samples;
  const std::int64_t leading = c.batched[0] || c.batched[1] ? c.blocks : 1;
  const std::int64_t folded = c.batched[0] ? 1 : leading;
  // Blocks whose planes are written side by side: more would be more than the processor follows.
  const std::int64_t together = std::max<std::int64_t>(outputs_together / outputs, 1);
  const std::int64_t weights = c.weight_size(), inputs = c.group_inputs();
  const Slabs slabs(c, folded, sizeof(T));
  const Meetings meetings(c, positions_at_a_time<T>(c.x.samples), slabs.pitch());
  const T* weight = static_cast<const T*>(call.inputs[1]);
  T* slab = static_cast<T*>(call.scratch);
  T* packed = slab + slabs.bytes / static_cast<std::int64_t>(sizeof(T));
  std::vector<T*> out(static_cast<std::size_t>(outputs * folded));
  std::vector<const T*> rows(out.size());
  for (std::int64_t k = 0; k < leading; k += folded) {
    const T* x = static_cast<const T*>(call.inputs[0]) + k * (c.batched[0] ? source.size() : 0);
    for (std::int64_t g = 0; g < groups; ++g) {
      if (k == 0 || c.batched[1] || groups > 1) {
        const T* own = weight + (c.batched[1] ? k * weights : 0);
        for (std::int64_t m = 0; m < outputs * folded; ++m) {
          const std::int64_t first = data ? g * c.group_outputs() * inputs + m % outputs
                                          : (g * outputs + m % outputs) * inputs;
          rows[static_cast<std::size_t>(m)] = own + m / outputs * weights + first * taps;
        }
        for (std::int64_t b = 0; b < folded; b += together) {
          const std::int64_t last = std::min(b + together, folded);
          pack<T>({rows.data() + b * outputs, rows.data() + last * outputs}, channels,
                  data ? inputs * taps : taps, taps, packed + b * outputs * channels * taps);
        }
      }
      for (std::int64_t m = 0; m < outputs * folded; ++m) {
        out[static_cast<std::size_t>(m)] = static_cast<T*>(call.output) +
                                           (k + m / outputs) * target.size() +
                                           (g * outputs + m % outputs) * out_plane;
      }
      PositionCall<T> position{.channels = channels,
                               .channel_stride = in_plane,
                               .samples = samples,
                               .in_step = (data ? 1 : stride) * samples,
                               .out_step = (data ? stride : 1) * samples,
                               .weight = packed,
                               .num_taps = taps,
                               .blocks = OutputBlocks(outputs),
                               .out = out.data(),
                               .accumulate = call.accumulate,
                               .far = leading > 1};
      for (std::int64_t n = 0; n < samples; n += sample_chunk<T>) {
        position.width = std::min(sample_chunk<T>, samples - n);
        position.x = x + g * channels * in_plane + n;
        for (std::int64_t p = 0; p < meetings.num_rows();) {
          const std::int64_t first = p;
          Meetings::Rows met = meetings.sources(p++);
          std::int64_t before = 0;
          if (slabs.copied) {
            for (; p < meetings.num_rows(); ++p) {
              const Meetings::Rows next = meetings.sources(p);
              if (next.first == next.last) continue;
              if (met.first == met.last) met = next;
              const Meetings::Rows both{std::min(met.first, next.first),
                                        std::max(met.last, next.last)};
              if (both.last - both.first > slabs.most_rows) break;
              met = both;
            }
            copy_rows(slabs, met, x + g * channels * in_plane + n, samples, position.width, slab);
            position.x = slab;
            position.samples = position.width;
            position.in_step = (data ? 1 : stride) * position.width;
            position.channel_stride = (slabs.columns + 1) * position.width;
            before = met.first * slabs.inner * slabs.pitch();
          } else {
            p = meetings.num_rows();
          }
          for (std::int64_t b = 0; b < folded; b += together) {
            position.blocks = OutputBlocks(outputs * std::min(together, folded - b));
            position.weight = packed + b * outputs * channels * taps;
            position.out = out.data() + b * outputs;
            for (const PositionGroup& group : meetings.groups(first, p)) {
              const std::span<const Meeting> list = meetings.of(group);
              position.meetings = list.data();
              position.num_meetings = static_cast<std::int64_t>(list.size());
              position.base = group.base - before;
              position.num_positions = group.count;
              position.out_offset = group.first * samples + n;
              convolve_position(position);
            }
          }
        }
      }
    }
  }
}

}  // namespace

void run_direct(const Convolution& c, const KernelCall& call) {
  if (c.part == ConvolutionPart::weight) return run_direct_weight(c, call);
  if (call.output_type.dtype == DType::f64) return run_image<double>(c, call);
  run_image<float>(c, call);
}

std::int64_t direct_scratch_bytes(const Convolution& c, DType dtype) {
  if (c.part == ConvolutionPart::weight) return direct_weight_scratch_bytes(c, dtype);
  const std::int64_t folded =
      c.batched[1] && !c.batched[0] ? std::max<std::int64_t>(c.blocks, 1) : 1;
  return Slabs(c, folded, size_of(dtype)).bytes +
         c.weight_size() / c.window.groups * folded * size_of(dtype);
}

}  // namespace kappa
