#include <algorithm>
#include <vector>

#include "primitives/convolution.h"
#include "primitives/convolution_tiles.h"

namespace kappa {
namespace {

// Per axis: for each pair of an output position and a kernel position the input position, or -1.
std::vector<std::int32_t> axis_places(const WindowAttributes& window, std::size_t axis,
                                      std::int64_t input, std::int64_t output, std::int64_t taps) {
  std::vector<std::int32_t> places;
  places.reserve(static_cast<std::size_t>(output * taps));
  for (std::int64_t p = 0; p < output; ++p) {
    for (std::int64_t k = 0; k < taps; ++k) {
      const std::int64_t place =
          p * window.strides[axis] + k * window.dilations[axis] - window.pads_low[axis];
      places.push_back(place >= 0 && place < input ? static_cast<std::int32_t>(place) : -1);
    }
  }
  return places;
}

// For each output position and tap the flat input position, or -1; taps fastest.
std::vector<std::int32_t> meeting_table(const Convolution& c) {
  std::vector<std::int32_t> table{0};
  std::int64_t outputs = 1, taps = 1;  // of the axes so far
  for (std::size_t axis = 0; axis < c.window.rank(); ++axis) {
    const std::int64_t input = c.x.extents[axis], output = c.y.extents[axis];
    const std::int64_t width = c.kernel[axis];
    const std::vector<std::int32_t> places = axis_places(c.window, axis, input, output, width);
    std::vector<std::int32_t> next(static_cast<std::size_t>(outputs * output * taps * width));
    std::int32_t* to = next.data();
    for (std::int64_t p = 0; p < outputs; ++p) {
      for (std::int64_t q = 0; q < output; ++q) {
        for (std::int64_t s = 0; s < taps; ++s) {
          const std::int32_t outer = table[static_cast<std::size_t>(p * taps + s)];
          for (std::int64_t t = 0; t < width; ++t) {
            const std::int32_t place = places[static_cast<std::size_t>(q * width + t)];
            *to++ = outer < 0 || place < 0 ? -1 : outer * static_cast<std::int32_t>(input) + place;
          }
        }
      }
    }
    table = std::move(next);
    outputs *= output;
    taps *= width;
  }
  return table;
}

// Meetings listed by the position that sums them: the output's, or the input's for the transpose.
struct MeetingLists {
  std::vector<std::int64_t> begin;
  std::vector<Meeting> meetings;

  explicit MeetingLists(const Convolution& c) {
    const std::vector<std::int32_t> table = meeting_table(c);
    const bool data = c.part == ConvolutionPart::data;
    const std::int64_t outputs = c.y.positions(), inputs = c.x.positions(), taps = c.taps();
    begin.assign(static_cast<std::size_t>((data ? inputs : outputs) + 1), 0);
    const auto for_each = [&](auto body) {
      const std::int32_t* entry = table.data();
      for (std::int64_t p = 0; p < outputs; ++p) {
        for (std::int64_t t = 0; t < taps; ++t, ++entry) {
          if (*entry < 0) continue;
          const auto to = static_cast<std::size_t>(data ? *entry : p);
          const auto from = static_cast<std::int32_t>(data ? p : *entry);
          body(to, Meeting{from, static_cast<std::int32_t>(t)});
        }
      }
    };
    for_each([&](std::size_t to, Meeting) { ++begin[to + 1]; });
    for (std::size_t i = 1; i < begin.size(); ++i) begin[i] += begin[i - 1];
    meetings.resize(static_cast<std::size_t>(begin.back()));
    std::vector<std::int64_t> next(begin.begin(), begin.end() - 1);
    for_each(
        [&](std::size_t to, Meeting m) { meetings[static_cast<std::size_t>(next[to]++)] = m; });
  }
};

// Positions taken together: `count` of them from `first` on, in steps.
struct Group {
  std::int32_t first, count;
};

// Neighbours along the last axis whose meetings are the same but for a shift.
std::vector<Group> make_groups(const Convolution& c, const MeetingLists& lists, std::int64_t most) {
  const bool data = c.part == ConvolutionPart::data;
  const std::int64_t stride = c.window.strides.back();
  const std::int64_t step = data ? stride : 1, shift = data ? 1 : stride;
  const Image& target = data ? c.x : c.y;
  const std::int64_t row = target.extents.back();
  const auto shifted = [&](std::int64_t p, std::int64_t other, std::int64_t by) {
    const auto a = static_cast<std::size_t>(p), b = static_cast<std::size_t>(other);
    const std::int64_t count = lists.begin[a + 1] - lists.begin[a];
    if (lists.begin[b + 1] - lists.begin[b] != count) return false;
    const Meeting* first = lists.meetings.data() + lists.begin[a];
    const Meeting* second = lists.meetings.data() + lists.begin[b];
    for (std::int64_t i = 0; i < count; ++i) {
      if (first[i].tap != second[i].tap || first[i].position + by != second[i].position) {
        return false;
      }
    }
    return true;
  };
  std::vector<Group> groups;
  for (std::int64_t start = 0; start < target.positions(); start += row) {
    for (std::int64_t residue = 0; residue < std::min(step, row); ++residue) {
      for (std::int64_t i = residue; i < row;) {
        std::int64_t count = 1;
        while (count < most && i + count * step < row &&
               shifted(start + i, start + i + count * step, count * shift)) {
          ++count;
        }
        groups.push_back({static_cast<std::int32_t>(start + i), static_cast<std::int32_t>(count)});
        i += count * step;
      }
    }
  }
  return groups;
}

// Positions a tile takes: it has four vectors of 512 bits for each output.
template <class T>
std::int64_t positions_at_a_time(std::int64_t samples) {
  const std::int64_t vectors = (samples * static_cast<std::int64_t>(sizeof(T)) + 63) / 64;
  if (vectors % 4 == 0 || vectors > 16) return 1;
  return vectors % 2 == 0 ? 2 : max_group;
}

// Weights of `outputs` outputs in blocks, in each [tap][channel][output]; value(m, c, t).
template <class T, class Value>
void pack(std::int64_t outputs, std::int64_t channels, std::int64_t taps, T* packed, Value value) {
  const OutputBlocks blocks(outputs);
  for (std::int64_t b = 0; b < blocks.count; ++b) {
    for (std::int64_t t = 0; t < taps; ++t) {
      for (std::int64_t c = 0; c < channels; ++c) {
        for (std::int64_t m = blocks.begin(b); m < blocks.begin(b + 1); ++m) {
          *packed++ = value(m, c, t);
        }
      }
    }
  }
}

// The output, or the transpose in the image: the same work with the weight read the other way.
// Weights of several blocks that see one image are so many more outputs.
template <class T>
void run_image(const Convolution& c, const KernelCall& call) {
  const MeetingLists lists(c);
  const std::vector<Group> groups_of_positions =
      make_groups(c, lists, positions_at_a_time<T>(c.x.samples));
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
  const std::int64_t weights = c.weight_size(), inputs = c.group_inputs();
  const T* weight = static_cast<const T*>(call.inputs[1]);
  T* packed = static_cast<T*>(call.scratch);
  std::vector<T*> out(static_cast<std::size_t>(outputs * folded));
  for (std::int64_t k = 0; k < leading; k += folded) {
    const T* x = static_cast<const T*>(call.inputs[0]) + k * (c.batched[0] ? source.size() : 0);
    for (std::int64_t g = 0; g < groups; ++g) {
      if (k == 0 || c.batched[1] || groups > 1) {
        const T* own = weight + (c.batched[1] ? k * weights : 0);
        pack(outputs * folded, channels, taps, packed,
             [&](std::int64_t m, std::int64_t channel, std::int64_t t) {
               const std::int64_t o = g * c.group_outputs() + (data ? channel : m % outputs);
               const std::int64_t i = data ? m % outputs : channel;
               return own[m / outputs * weights + (o * inputs + i) * taps + t];
             });
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
                               .blocks = OutputBlocks(outputs * folded),
                               .out = out.data(),
                               .accumulate = call.accumulate};
      for (std::int64_t n = 0; n < samples; n += sample_chunk<T>) {
        position.width = std::min(sample_chunk<T>, samples - n);
        position.x = x + g * channels * in_plane + n;
        for (const Group& group : groups_of_positions) {
          const auto at = static_cast<std::size_t>(group.first);
          position.meetings = lists.meetings.data() + lists.begin[at];
          position.num_meetings = lists.begin[at + 1] - lists.begin[at];
          position.num_positions = group.count;
          position.out_offset = group.first * samples + n;
          convolve_position(position);
        }
      }
    }
  }
}

// The meeting table with the run of each entry along the last axis.
std::vector<Contact> make_contacts(const Convolution& c) {
  const std::vector<std::int32_t> table = meeting_table(c);
  const std::int64_t taps = c.taps(), row = c.y.extents.back();
  std::vector<Contact> contacts(table.size());
  for (std::int64_t p = c.y.positions(); p-- > 0;) {
    for (std::int64_t t = 0; t < taps; ++t) {
      const auto at = static_cast<std::size_t>(p * taps + t);
      const auto next = static_cast<std::size_t>((p + 1) * taps + t);
      const std::int32_t q = table[at];
      const bool goes_on = (p + 1) % row != 0 && (q < 0) == (table[next] < 0);
      contacts[at] = {q, goes_on ? contacts[next].run + 1 : 1};
    }
  }
  return contacts;
}

// Columns of a tile: those of one row of the kernel, which lie outside together more often.
std::int64_t columns_of_tile(const Dims& kernel) {
  const std::int64_t width = kernel.back();
  if (width < 3) return 4;
  const std::int64_t parts = (width + max_dot_columns - 1) / max_dot_columns;
  return width % parts == 0 ? width / parts : 4;
}

// Positions whose rows of a tile stay in the first-level cache while all columns pass.
constexpr std::int64_t chunk_bytes = 4096;  // of a row

// Products of every output's row with every input's row under every tap. Blocks that share one
// operand are so many more rows or columns of the other.
template <class T>
void run_weight(const Convolution& c, const KernelCall& call) {
  const std::vector<Contact> contacts = make_contacts(c);
  const std::int64_t column_block = columns_of_tile(c.kernel);
  const std::int64_t groups = c.window.groups, taps = c.taps(), samples = c.x.samples;
  const std::int64_t inputs = c.group_inputs(), outputs = c.group_outputs();
  const std::int64_t x_plane = c.x.positions() * samples, y_plane = c.y.positions() * samples;
  const std::int64_t leading = c.batched[0] || c.batched[1] ? c.blocks : 1;
  const bool both = c.batched[0] && c.batched[1];
  const std::int64_t row_blocks = c.batched[1] && !both ? leading : 1;
  const std::int64_t column_blocks = c.batched[0] && !both ? leading : 1;
  const std::int64_t weights = c.weight_size();
  const std::int64_t num_rows = outputs * row_blocks, num_columns = inputs * taps * column_blocks;
  const std::int64_t most_rows = dot_rows_beside(column_block);
  T* out = static_cast<T*>(call.output);
  if (!call.accumulate) std::fill_n(out, weights * leading, T{0});
  std::vector<const T*> rows(static_cast<std::size_t>(num_rows));
  std::vector<const T*> columns(static_cast<std::size_t>(num_columns));
  std::vector<const T*> shifted_rows(rows.size()), shifted_columns(columns.size());
  std::vector<std::int64_t> row_out(rows.size()), column_out(columns.size()), tap(columns.size());
  for (std::int64_t k = 0; k < (both ? leading : 1); ++k) {
    for (std::int64_t g = 0; g < groups; ++g) {
      const T* x = static_cast<const T*>(call.inputs[0]) + (both ? k * c.x.size() : 0);
      const T* y = static_cast<const T*>(call.inputs[1]) + (both ? k * c.y.size() : 0);
      for (std::int64_t r = 0; r < num_rows; ++r) {
        const std::int64_t block = r / outputs, o = g * outputs + r % outputs;
        rows[static_cast<std::size_t>(r)] = y + block * c.y.size() + o * y_plane;
        row_out[static_cast<std::size_t>(r)] = block * weights + o * inputs * taps;
      }
      for (std::int64_t j = 0; j < num_columns; ++j) {
        const std::int64_t block = j / (inputs * taps), own = j % (inputs * taps);
        const std::int64_t channel = g * inputs + own / taps;
        const auto at = static_cast<std::size_t>(j);
        columns[at] = x + block * c.x.size() + channel * x_plane;
        column_out[at] = block * weights + own;
        tap[at] = own % taps;
      }
      DotCall<T> dot{.tap = tap.data(),
                     .column_out = column_out.data(),
                     .num_columns = num_columns,
                     .column_block = column_block,
                     .contacts = contacts.data(),
                     .num_taps = taps,
                     .samples = samples,
                     .stride = c.window.strides.back(),
                     .packed = static_cast<T*>(call.scratch),
                     .out = out + (both ? k * weights : 0)};
      for (std::int64_t n = 0; n < samples; n += sample_chunk<T>) {
        dot.width = std::min(sample_chunk<T>, samples - n);
        const std::int64_t bytes = dot.width * static_cast<std::int64_t>(sizeof(T));
        const std::int64_t chunk = chunk_bytes / ((bytes + 63) / 64 * 64);
        for (std::size_t r = 0; r < rows.size(); ++r) shifted_rows[r] = rows[r] + n;
        for (std::size_t j = 0; j < columns.size(); ++j) shifted_columns[j] = columns[j] + n;
        dot.columns = shifted_columns.data();
        for (std::int64_t p = 0; p < c.y.positions(); p += chunk) {
          dot.first = p;
          dot.last = std::min(p + chunk, c.y.positions());
          const std::int64_t parts = (num_rows + most_rows - 1) / most_rows;
          for (std::int64_t b = 0; b < parts; ++b) {
            const std::int64_t first = b * num_rows / parts;
            dot.num_rows = (b + 1) * num_rows / parts - first;
            dot.rows = shifted_rows.data() + first;
            dot.row_out = row_out.data() + first;
            dot_tile(dot);
          }
        }
      }
    }
  }
}

template <class T>
void run_typed(const Convolution& c, const KernelCall& call) {
  if (c.part == ConvolutionPart::weight) return run_weight<T>(c, call);
  run_image<T>(c, call);
}

}  // namespace

void run_direct(const Convolution& convolution, const KernelCall& call) {
  if (call.output_type.dtype == DType::f64) return run_typed<double>(convolution, call);
  run_typed<float>(convolution, call);
}

std::int64_t direct_scratch_bytes(const Convolution& c, DType dtype) {
  if (c.part == ConvolutionPart::weight) {
    return max_dot_rows * chunk_bytes;
  }
  const std::int64_t folded =
      c.batched[1] && !c.batched[0] ? std::max<std::int64_t>(c.blocks, 1) : 1;
  return c.weight_size() / c.window.groups * folded * size_of(dtype);
}

}  // namespace kappa
