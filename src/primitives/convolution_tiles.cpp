#include "primitives/convolution_tiles.h"

#include <array>
#include <utility>

#include "primitives/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "primitives/convolution_tiles.cpp"
#include "hwy/foreach_target.h"
// Stands apart: foreach_target.h goes before any other header of Highway.
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace kappa {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// Accumulators of a tile stay in registers: 32 of them with AVX-512, 16 otherwise.
#if HWY_TARGET <= HWY_AVX3
constexpr int tile_vectors = 4, dot_columns = 4;
#else
constexpr int tile_vectors = 2, dot_columns = 2;
#endif

template <class T>
using Vector = hn::Vec<hn::ScalableTag<T>>;

// The rest of a run that fills no vector.
template <class T>
HWY_INLINE Vector<T> load_part(const T* x, std::size_t count) {
  const hn::ScalableTag<T> d;
  return hn::MaskedLoad(hn::FirstN(d, count), d, x);
}

// `outputs` x `vectors` accumulators over all meetings and channels.
template <class T, int outputs, int vectors, bool whole>
HWY_INLINE void position_tile(const PositionCall<T>& call, const T* weight, std::int64_t first,
                              std::int64_t at, std::size_t part) {
  const hn::ScalableTag<T> d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  Vector<T> sum[outputs][vectors];
  for (int m = 0; m < outputs; ++m) {
    for (int v = 0; v < vectors; ++v) sum[m][v] = hn::Zero(d);
  }
  const std::int64_t channels = call.channels;
  for (std::int64_t j = 0; j < call.num_meetings; ++j) {
    const T* HWY_RESTRICT x = call.x + call.meetings[j].position * call.samples + at;
    const T* HWY_RESTRICT w = weight + call.meetings[j].tap * channels * outputs;
    for (std::int64_t c = 0; c < channels; ++c) {
      Vector<T> values[vectors];
      for (int v = 0; v < vectors; ++v) {
        values[v] = whole ? hn::LoadU(d, x + v * lanes) : load_part(x, part);
      }
      for (int m = 0; m < outputs; ++m) {
        const Vector<T> factor = hn::Set(d, w[m]);
        for (int v = 0; v < vectors; ++v) sum[m][v] = hn::MulAdd(factor, values[v], sum[m][v]);
      }
      x += call.channel_stride;
      w += outputs;
    }
  }
  for (int m = 0; m < outputs; ++m) {
    T* out = call.out[first + m] + call.out_offset + at;
    for (int v = 0; v < vectors; ++v) {
      T* to = out + v * lanes;
      if constexpr (whole) {
        hn::StoreU(call.accumulate ? hn::Add(sum[m][v], hn::LoadU(d, to)) : sum[m][v], d, to);
      } else {
        const auto inside = hn::FirstN(d, part);
        if (call.accumulate) sum[m][v] = hn::Add(sum[m][v], hn::MaskedLoad(inside, d, to));
        hn::BlendedStore(sum[m][v], inside, d, to);
      }
    }
  }
}

template <class T, int outputs>
void position_block(const PositionCall<T>& call, const T* weight, std::int64_t first) {
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(hn::ScalableTag<T>()));
  std::int64_t at = 0;
  for (; at + tile_vectors * lanes <= call.width; at += tile_vectors * lanes) {
    position_tile<T, outputs, tile_vectors, true>(call, weight, first, at, 0);
  }
  for (; at + lanes <= call.width; at += lanes) {
    position_tile<T, outputs, 1, true>(call, weight, first, at, 0);
  }
  if (at < call.width) {
    position_tile<T, outputs, 1, false>(call, weight, first, at,
                                        static_cast<std::size_t>(call.width - at));
  }
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
  for (std::int64_t p = call.first; p < call.last; ++p) {
    for (std::int64_t i = 0; i < call.width; i += lanes) {
      for (int r = 0; r < num_rows; ++r, to += lanes) {
        const T* from = call.rows[r] + p * call.samples + i;
        const std::int64_t left = call.width - i;
        const auto value =
            left >= lanes ? hn::LoadU(d, from) : load_part(from, static_cast<std::size_t>(left));
        hn::Store(value, d, to);
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

template <class T, int num_rows, int num_columns>
void dot_block(const DotCall<T>& call, std::int64_t first_column) {
  const hn::ScalableTag<T> d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  alignas(64) static constexpr T zeros[sample_chunk<T>] = {};
  Vector<T> sum[num_rows][num_columns];
  for (int r = 0; r < num_rows; ++r) {
    for (int c = 0; c < num_columns; ++c) sum[r][c] = hn::Zero(d);
  }
  const std::int64_t* tap = call.tap + first_column;
  const std::int64_t whole = call.width / lanes * lanes;
  const auto part = static_cast<std::size_t>(call.width - whole);
  const std::int64_t vectors = (call.width + lanes - 1) / lanes;
  const T* HWY_RESTRICT y = call.packed;
  for (std::int64_t p = call.first; p < call.last; ++p) {
    const T* HWY_RESTRICT column[num_columns];
    bool any = false;
    for (int c = 0; c < num_columns; ++c) {
      const std::int64_t q = call.table[p * call.num_taps + tap[c]];
      // Without a branch: which positions lie outside follows no pattern that a predictor learns.
      const auto inside = static_cast<std::uintptr_t>(~(q >> 63));
      const T* at = call.columns[first_column + c] + q * call.samples;
      column[c] = reinterpret_cast<const T*>((reinterpret_cast<std::uintptr_t>(at) & inside) |
                                             (reinterpret_cast<std::uintptr_t>(zeros) & ~inside));
      any |= q >= 0;
    }
    if (!any) {
      y += vectors * num_rows * lanes;
      continue;
    }
    for (std::int64_t i = 0; i < whole; i += lanes, y += num_rows * lanes) {
      Vector<T> x[num_columns];
      for (int c = 0; c < num_columns; ++c) x[c] = hn::LoadU(d, column[c] + i);
      for (int r = 0; r < num_rows; ++r) {
        const Vector<T> value = hn::Load(d, y + r * lanes);
        for (int c = 0; c < num_columns; ++c) sum[r][c] = hn::MulAdd(x[c], value, sum[r][c]);
      }
    }
    if (part == 0) continue;
    for (int c = 0; c < num_columns; ++c) {
      const Vector<T> x = load_part(column[c] + whole, part);
      for (int r = 0; r < num_rows; ++r) {
        sum[r][c] = hn::MulAdd(x, hn::Load(d, y + r * lanes), sum[r][c]);
      }
    }
    y += num_rows * lanes;
  }
  for (int r = 0; r < num_rows; ++r) {
    T totals[num_columns];
    sum_lanes<num_columns>(sum[r], totals);
    for (int c = 0; c < num_columns; ++c) {
      call.out[call.row_out[r] + call.column_out[first_column + c]] += totals[c];
    }
  }
}

template <class T, int num_rows, std::size_t... I>
void dot_rows(const DotCall<T>& call, std::index_sequence<I...>) {
  using Block = void (*)(const DotCall<T>&, std::int64_t);
  static constexpr std::array<Block, sizeof...(I)> table{dot_block<T, num_rows, I + 1>...};
  pack_rows<T, num_rows>(call);
  // Columns in blocks of nearly equal width.
  const std::int64_t blocks = (call.num_columns + dot_columns - 1) / dot_columns;
  for (std::int64_t b = 0; b < blocks; ++b) {
    const std::int64_t first = b * call.num_columns / blocks;
    const std::int64_t width = (b + 1) * call.num_columns / blocks - first;
    table[static_cast<std::size_t>(width - 1)](call, first);
  }
}

template <class T, std::size_t... I>
void dot_tile_of(const DotCall<T>& call, std::index_sequence<I...>) {
  using Rows = void (*)(const DotCall<T>&, std::make_index_sequence<dot_columns>);
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
