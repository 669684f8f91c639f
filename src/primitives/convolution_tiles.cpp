#include "primitives/convolution_tiles.h"

#include <algorithm>
#include <array>
#include <utility>

#include "primitives/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "primitives/convolution_tiles.cpp"
#include "hwy/foreach_target.h"
// Stands apart: foreach_target.h goes before any other header of Highway.
#include "hwy/cache_control.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace kappa {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// Accumulators of a tile stay in registers: 32 of them with AVX-512, 16 otherwise.
#if HWY_TARGET <= HWY_AVX3
constexpr int tile_vectors = 4;
#else
constexpr int tile_vectors = 2;
#endif

template <class T>
using Vector = hn::Vec<hn::ScalableTag<T>>;

// The first `count` lanes, or all; the others are zero.
template <class T>
HWY_INLINE Vector<T> load_part(const T* x, std::size_t count) {
  const hn::ScalableTag<T> d;
  return hn::MaskedLoad(hn::FirstN(d, count), d, x);
}

// `outputs` x `positions` x `vectors` accumulators over all meetings and channels.
template <class T, int outputs, int positions, int vectors, bool whole = true>
HWY_INLINE void position_tile(const PositionCall<T>& call, const T* weight, std::int64_t first,
                              std::int64_t position, std::int64_t at, std::size_t part = 0) {
  const hn::ScalableTag<T> d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  Vector<T> sum[outputs][positions * vectors];
  for (int m = 0; m < outputs; ++m) {
    for (int v = 0; v < positions * vectors; ++v) sum[m][v] = hn::Zero(d);
  }
  if (call.accumulate && call.far) {
    for (int m = 0; m < outputs; ++m) {
      const T* out = call.out[first + m] + call.out_offset + position * call.out_step + at;
      for (int p = 0; p < positions; ++p) {
        for (int v = 0; v < vectors; ++v) hwy::Prefetch(out + p * call.out_step + v * lanes);
      }
    }
  }
  const std::int64_t channels = call.channels, in_step = call.in_step;
  const T* base = call.x + call.base * call.samples + position * in_step + at;
  for (std::int64_t j = 0; j < call.num_meetings; ++j) {
    const T* HWY_RESTRICT x = base + call.meetings[j].position * call.samples;
    const T* HWY_RESTRICT w = weight + call.meetings[j].tap * channels * outputs;
    for (std::int64_t c = 0; c < channels; ++c) {
      Vector<T> values[positions * vectors];
      for (int p = 0; p < positions; ++p) {
        for (int v = 0; v < vectors; ++v) {
          const T* from = x + p * in_step + v * lanes;
          values[p * vectors + v] = whole ? hn::LoadU(d, from) : load_part(from, part);
        }
      }
      for (int m = 0; m < outputs; ++m) {
        const Vector<T> factor = hn::Set(d, w[m]);
        for (int v = 0; v < positions * vectors; ++v) {
          sum[m][v] = hn::MulAdd(factor, values[v], sum[m][v]);
        }
      }
      x += call.channel_stride;
      w += outputs;
    }
  }
  for (int m = 0; m < outputs; ++m) {
    T* out = call.out[first + m] + call.out_offset + position * call.out_step + at;
    for (int p = 0; p < positions; ++p) {
      for (int v = 0; v < vectors; ++v) {
        T* to = out + p * call.out_step + v * lanes;
        Vector<T> value = sum[m][p * vectors + v];
        if constexpr (whole) {
          hn::StoreU(call.accumulate ? hn::Add(value, hn::LoadU(d, to)) : value, d, to);
        } else {
          const auto inside = hn::FirstN(d, part);
          if (call.accumulate) value = hn::Add(value, hn::MaskedLoad(inside, d, to));
          hn::BlendedStore(value, inside, d, to);
        }
      }
    }
  }
}

// All samples of `positions` positions from `position` on, by tiles of tile_vectors accumulators
// an output.
template <class T, int outputs, int positions>
HWY_INLINE void position_run(const PositionCall<T>& call, const T* weight, std::int64_t first,
                             std::int64_t position) {
  constexpr int wide = tile_vectors / positions;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(hn::ScalableTag<T>()));
  std::int64_t at = 0;
  for (; at + wide * lanes <= call.width; at += wide * lanes) {
    position_tile<T, outputs, positions, wide>(call, weight, first, position, at);
  }
  if constexpr (wide > 2) {
    for (; at + 2 * lanes <= call.width; at += 2 * lanes) {
      position_tile<T, outputs, positions, 2>(call, weight, first, position, at);
    }
  }
  for (; at + lanes <= call.width; at += lanes) {
    position_tile<T, outputs, positions, 1>(call, weight, first, position, at);
  }
  if (at < call.width) {
    position_tile<T, outputs, positions, 1, false>(call, weight, first, position, at,
                                                   static_cast<std::size_t>(call.width - at));
  }
}

template <class T, int outputs>
void position_block(const PositionCall<T>& call, const T* weight, std::int64_t first) {
  std::int64_t position = 0;
  if constexpr (tile_vectors == 4) {
    if (call.num_positions == 4) return position_run<T, outputs, 4>(call, weight, first, 0);
    if (call.num_positions == 3) return position_run<T, outputs, 3>(call, weight, first, 0);
  }
  for (; position + 2 <= call.num_positions; position += 2) {
    position_run<T, outputs, 2>(call, weight, first, position);
  }
  if (position < call.num_positions) position_run<T, outputs, 1>(call, weight, first, position);
}

template <class T, std::size_t... I>
void convolve_position_of(const PositionCall<T>& call, std::index_sequence<I...>) {
  using Block = void (*)(const PositionCall<T>&, const T*, std::int64_t);
  static constexpr std::array<Block, sizeof...(I)> table{position_block<T, I + 1>...};
  for (std::int64_t b = 0; b < call.blocks.count; ++b) {
    const std::int64_t first = call.blocks.begin(b), width = call.blocks.begin(b + 1) - first;
    table[static_cast<std::size_t>(width - 1)](
        call, call.weight + first * call.num_taps * call.channels, first);
  }
}

void convolve_position_f32(const PositionCall<float>& call) {
  convolve_position_of(call, std::make_index_sequence<max_outputs>{});
}
void convolve_position_f64(const PositionCall<double>& call) {
  convolve_position_of(call, std::make_index_sequence<max_outputs>{});
}

// The rows of a tile position by position, in vectors: one pointer walks over them all, and planes
// that are a power of two apart do not meet in the cache.
template <class T, int num_rows>
void pack_rows(const DotCall<T>& call) {
  const hn::ScalableTag<T> d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  T* to = call.packed;
  for (std::int64_t l = 0; l < call.num_lines; ++l) {
    for (std::int64_t p = 0; p < call.num_positions; ++p) {
      for (std::int64_t i = 0; i < call.width; i += lanes) {
        for (int r = 0; r < num_rows; ++r, to += lanes) {
          const T* from = call.rows[r] + call.lines[l].row + p * call.samples + i;
          const std::int64_t left = call.width - i;
          const auto value =
              left >= lanes ? hn::LoadU(d, from) : load_part(from, static_cast<std::size_t>(left));
          hn::Store(value, d, to);
        }
      }
    }
  }
}

// totals[c] = the sum of the lanes of sum[c].
template <int count, class V, class T>
HWY_INLINE void sum_lanes(const V (&sum)[count], T* totals) {
  const hn::ScalableTag<T> d;
  for (int c = 0; c < count; ++c) totals[c] = hn::GetLane(hn::SumOfLanes(d, sum[c]));
}
#if HWY_TARGET <= HWY_AVX3
// Four at once: after two rounds of interleaving each block of four lanes holds one of each.
template <>
HWY_INLINE void sum_lanes<4>(const Vector<float> (&sum)[4], float* totals) {
  const hn::ScalableTag<float> d;
  const hn::RepartitionToWide<decltype(d)> wide;
  const auto add_pair = [&](Vector<float> a, Vector<float> b) {
    return hn::Add(hn::InterleaveLower(d, a, b), hn::InterleaveUpper(d, a, b));
  };
  const auto ab = hn::BitCast(wide, add_pair(sum[0], sum[1]));
  const auto cd = hn::BitCast(wide, add_pair(sum[2], sum[3]));
  const auto all = hn::Add(hn::BitCast(d, hn::InterleaveLower(wide, ab, cd)),
                           hn::BitCast(d, hn::InterleaveUpper(wide, ab, cd)));
  const hn::Half<decltype(d)> half;
  const hn::Half<decltype(half)> quarter;
  const auto two = hn::Add(hn::LowerHalf(half, all), hn::UpperHalf(half, all));
  hn::StoreU(hn::Add(hn::LowerHalf(quarter, two), hn::UpperHalf(quarter, two)), quarter, totals);
}
#endif

// The sums of a tile to where they belong; the lanes of four are added up at a time.
template <class T, int num_rows, int num_columns>
HWY_INLINE void add_lanes(const DotCall<T>& call, std::int64_t first_column,
                          const Vector<T> (&sum)[num_rows][num_columns]) {
  constexpr int whole_rows = num_rows / 4 * 4;
  for (int c = 0; c < num_columns; ++c) {
    T* out = call.out + call.column_out[first_column + c];
    for (int r = 0; r < whole_rows; r += 4) {
      const Vector<T> four[] = {sum[r][c], sum[r + 1][c], sum[r + 2][c], sum[r + 3][c]};
      T totals[4];
      sum_lanes<4>(four, totals);
      for (int i = 0; i < 4; ++i) out[call.row_out[r + i]] += totals[i];
    }
    for (int r = whole_rows; r < num_rows; ++r) {
      out[call.row_out[r]] += hn::GetLane(hn::SumOfLanes(hn::ScalableTag<T>(), sum[r][c]));
    }
  }
}

template <class T, int num_rows, int num_columns, bool whole>
HWY_INLINE void dot_block_of(const DotCall<T>& call, std::int64_t first_column) {
  const hn::ScalableTag<T> d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  Vector<T> sum[num_rows][num_columns];
  for (int r = 0; r < num_rows; ++r) {
    for (int c = 0; c < num_columns; ++c) sum[r][c] = hn::Zero(d);
  }
  // Positions that follow one another on both sides are one run.
  const bool one_run = whole && call.step == call.width;
  const std::int64_t width = one_run ? call.num_positions * call.width : call.width;
  const std::int64_t num_runs = one_run ? 1 : call.num_positions;
  const std::int64_t tap = call.column_tap[first_column];
  const bool one_tap = call.column_tap[first_column + num_columns - 1] == tap;
  const T* HWY_RESTRICT column[num_columns];
  for (int c = 0; c < num_columns; ++c) column[c] = call.image + call.column[first_column + c];
  const T* HWY_RESTRICT y = call.packed;
  for (std::int64_t l = 0; l < call.num_lines; ++l) {
    if (one_tap && call.met[l * call.outer_taps + tap] == 0) {
      y += num_runs * ((width + lanes - 1) / lanes) * num_rows * lanes;
      continue;
    }
    std::int64_t at = call.lines[l].image;
    for (std::int64_t n = 0; n < num_runs; ++n) {
      for (std::int64_t i = 0; i < width; i += lanes) {
        Vector<T> x[num_columns];
        for (int c = 0; c < num_columns; ++c) {
          x[c] = whole ? hn::LoadU(d, column[c] + at + i)
                       : load_part(column[c] + at + i, static_cast<std::size_t>(width - i));
        }
        for (int r = 0; r < num_rows; ++r) {
          Vector<T> value = hn::Load(d, y + r * lanes);
#if HWY_ARCH_X86 && HWY_COMPILER_GCC_ACTUAL
          asm("" : "+v"(value.raw));  // else it is loaded once for each column
#endif
          for (int c = 0; c < num_columns; ++c) sum[r][c] = hn::MulAdd(x[c], value, sum[r][c]);
        }
        y += num_rows * lanes;
      }
      at += call.step;
    }
  }
  add_lanes<T, num_rows, num_columns>(call, first_column, sum);
}

template <class T, int num_rows, int num_columns>
void dot_block(const DotCall<T>& call, std::int64_t first_column) {
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(hn::ScalableTag<T>()));
  if (call.width % lanes == 0) {
    dot_block_of<T, num_rows, num_columns, true>(call, first_column);
  } else {
    dot_block_of<T, num_rows, num_columns, false>(call, first_column);
  }
}

template <class T, int num_rows, int num_columns>
constexpr auto dot_block_or_null() -> void (*)(const DotCall<T>&, std::int64_t) {
  if constexpr (num_rows <= dot_rows_beside(num_columns)) {
    return dot_block<T, num_rows, num_columns>;
  } else {
    return nullptr;
  }
}

template <class T, int num_rows, std::size_t... I>
void dot_rows(const DotCall<T>& call, std::index_sequence<I...>) {
  using Block = void (*)(const DotCall<T>&, std::int64_t);
  static constexpr std::array<Block, sizeof...(I)> table{
      dot_block_or_null<T, num_rows, static_cast<int>(I) + 1>()...};
  pack_rows<T, num_rows>(call);
  for (std::int64_t c = 0; c < call.num_columns; c += call.column_block) {
    const std::int64_t width = std::min(call.column_block, call.num_columns - c);
    table[static_cast<std::size_t>(width - 1)](call, c);
  }
}

template <class T, std::size_t... I>
void dot_tile_of(const DotCall<T>& call, std::index_sequence<I...>) {
  using Rows = void (*)(const DotCall<T>&, std::make_index_sequence<max_dot_columns>);
  static constexpr std::array<Rows, sizeof...(I)> table{dot_rows<T, I + 1>...};
  table[static_cast<std::size_t>(call.num_rows - 1)](call, {});
}

void dot_tile_f32(const DotCall<float>& call) {
  dot_tile_of(call, std::make_index_sequence<max_dot_rows>{});
}
void dot_tile_f64(const DotCall<double>& call) {
  dot_tile_of(call, std::make_index_sequence<max_dot_rows>{});
}

}  // namespace HWY_NAMESPACE
}  // namespace kappa
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace kappa {

HWY_EXPORT(convolve_position_f32);
HWY_EXPORT(convolve_position_f64);
HWY_EXPORT(dot_tile_f32);
HWY_EXPORT(dot_tile_f64);

void convolve_position(const PositionCall<float>& call) {
  HWY_DYNAMIC_DISPATCH(convolve_position_f32)(call);
}
void convolve_position(const PositionCall<double>& call) {
  HWY_DYNAMIC_DISPATCH(convolve_position_f64)(call);
}
void dot_tile(const DotCall<float>& call) { HWY_DYNAMIC_DISPATCH(dot_tile_f32)(call); }
void dot_tile(const DotCall<double>& call) { HWY_DYNAMIC_DISPATCH(dot_tile_f64)(call); }

}  // namespace kappa
#endif  // HWY_ONCE
