#include "primitives/window_kernels.h"

#include <algorithm>
#include <type_traits>
#include <vector>

#include "primitives/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "primitives/window_kernels.cpp"
#include "hwy/foreach_target.h"
// Stands apart: foreach_target.h goes before any other header of Highway.
#include "hwy/highway.h"
#include "primitives/tile-inl.h"

HWY_BEFORE_NAMESPACE();
namespace kappa {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// Samples taken at a time: what a chunk needs stays in the first-level cache. Loops over them are
// left to the compiler to vectorise; taps are compared as 32-bit numbers.
constexpr std::int64_t chunk = 256;

template <class T>
void argmax_row(const WindowCall& c, const std::int64_t* row, const T* HWY_RESTRICT x,
                std::int64_t* HWY_RESTRICT taps, std::int64_t count) {
  T best[chunk];
  std::int32_t tap[chunk];
  bool any = false;
  for (std::int64_t t = 0; t < c.num_taps; ++t) {
    if (row[t] < 0) continue;
    const T* HWY_RESTRICT value = x + row[t] * c.samples;
    const auto number = static_cast<std::int32_t>(t);
    if (!any) {
      std::copy_n(value, count, best);
      std::fill_n(tap, count, number);
      any = true;
      continue;
    }
    KAPPA_INDEPENDENT
    for (std::int64_t n = 0; n < count; ++n) {
      // A NaN, once met, stays.
      const bool better = (value[n] > best[n]) | ((value[n] != value[n]) & (best[n] == best[n]));
      best[n] = better ? value[n] : best[n];
      tap[n] = better ? number : tap[n];
    }
  }
  for (std::int64_t n = 0; n < count; ++n) taps[n] = any ? tap[n] : 0;
}

// Taps of a row, as wide as the values: where that is less than 64 bits, in a copy.
template <class T>
class RowTaps {
 public:
  using Number = std::conditional_t<sizeof(T) == 8, std::int64_t, std::int32_t>;
  RowTaps(const std::int64_t* taps, std::int64_t count) {
    if constexpr (sizeof(T) == 8) {
      taps_ = taps;
    } else {
      for (std::int64_t n = 0; n < count; ++n) copy_[n] = static_cast<Number>(taps[n]);
      taps_ = copy_;
    }
  }
  HWY_INLINE auto load(std::int64_t n) const {
    return hn::LoadU(hn::ScalableTag<Number>(), taps_ + n);
  }

 private:
  const Number* taps_;
  Number copy_[sizeof(T) == 8 ? 1 : chunk];
};

// The mask of values whose tap is `number`.
template <class D, class V>
HWY_INLINE auto chosen(D d, V taps, std::int64_t number) {
  using Number = hn::TFromV<V>;
  return hn::RebindMask(d, hn::Eq(taps, hn::Set(hn::DFromV<V>(), static_cast<Number>(number))));
}

template <class T>
void take_row(const WindowCall& c, const std::int64_t* row, const T* HWY_RESTRICT x,
              const std::int64_t* HWY_RESTRICT taps, T* HWY_RESTRICT y, std::int64_t count) {
  const hn::ScalableTag<T> d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  const RowTaps<T> narrow(taps, count);
  std::int64_t n = 0;
  for (; n + lanes <= count; n += lanes) {
    const auto tap = narrow.load(n);
    auto taken = hn::Zero(d);
    for (std::int64_t t = 0; t < c.num_taps; ++t) {
      if (row[t] < 0) continue;
      taken = hn::IfThenElse(chosen(d, tap, t), hn::LoadU(d, x + row[t] * c.samples + n), taken);
    }
    hn::StoreU(c.accumulate ? hn::Add(taken, hn::LoadU(d, y + n)) : taken, d, y + n);
  }
  for (; n < count; ++n) {
    const bool inside = taps[n] >= 0 && taps[n] < c.num_taps && row[taps[n]] >= 0;
    const T taken = inside ? x[row[taps[n]] * c.samples + n] : T{0};
    y[n] = c.accumulate ? y[n] + taken : taken;
  }
}

// With `alone` no other window puts anything at these positions: they are written, not added to.
template <class T, bool alone>
void put_row(const WindowCall& c, const std::int64_t* row, const T* HWY_RESTRICT y,
             const std::int64_t* HWY_RESTRICT taps, T* HWY_RESTRICT x, std::int64_t count) {
  const hn::ScalableTag<T> d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  const RowTaps<T> narrow(taps, count);
  std::int64_t n = 0;
  for (; n + lanes <= count; n += lanes) {
    const auto tap = narrow.load(n);
    const auto value = hn::LoadU(d, y + n);
    for (std::int64_t t = 0; t < c.num_taps; ++t) {
      if (row[t] < 0) continue;
      T* to = x + row[t] * c.samples + n;
      const auto own = hn::IfThenElseZero(chosen(d, tap, t), value);
      hn::StoreU(alone ? own : hn::Add(own, hn::LoadU(d, to)), d, to);
    }
  }
  for (; n < count; ++n) {
    for (std::int64_t t = 0; t < c.num_taps; ++t) {
      if (row[t] < 0) continue;
      T& to = x[row[t] * c.samples + n];
      const T own = taps[n] == t ? y[n] : T{0};
      to = alone ? own : to + own;
    }
  }
}

template <class T>
void argmax_of(const WindowCall& c, const T* x, std::int64_t* taps) {
  for (std::int64_t plane = 0; plane < c.planes; ++plane) {
    for (std::int64_t p = 0; p < c.output_positions; ++p, taps += c.samples) {
      for (std::int64_t n = 0; n < c.samples; n += chunk) {
        argmax_row(c, c.table + p * c.num_taps, x + n, taps + n, std::min(chunk, c.samples - n));
      }
    }
    x += c.input_positions * c.samples;
  }
}

// Calls row(meetings, values at the input, taps, values at the output, count) for each position.
template <class T, class In, class Row>
void for_each_row(const WindowCall& c, T* in, const std::int64_t* taps, In* out,
                  std::int64_t in_planes, std::int64_t out_planes, Row row) {
  const std::int64_t in_size = c.input_positions * c.samples;
  const std::int64_t out_size = c.output_positions * c.samples;
  for (std::int64_t plane = 0; plane < c.planes; ++plane) {
    for (std::int64_t p = 0; p < c.output_positions; ++p) {
      for (std::int64_t n = 0; n < c.samples; n += chunk) {
        const std::int64_t at = p * c.samples + n;
        row(c.table + p * c.num_taps, in + plane % in_planes * in_size + n,
            taps + plane % c.tap_planes * out_size + at, out + plane % out_planes * out_size + at,
            std::min(chunk, c.samples - n));
      }
    }
  }
}

template <class T>
void take_of(const WindowCall& c, const T* x, const std::int64_t* taps, T* y) {
  for_each_row(c, x, taps, y, c.value_planes, c.planes,
               [&](const std::int64_t* row, const T* from, const std::int64_t* which, T* to,
                   std::int64_t count) { take_row(c, row, from, which, to, count); });
}

// Input positions that no window covers, or nothing of use where windows overlap.
std::vector<std::int64_t> uncovered(const WindowCall& c, bool& overlap) {
  std::vector<bool> covered(static_cast<std::size_t>(c.input_positions), false);
  overlap = false;
  for (std::int64_t i = 0; i < c.output_positions * c.num_taps; ++i) {
    if (c.table[i] < 0) continue;
    const auto at = static_cast<std::size_t>(c.table[i]);
    overlap = overlap || covered[at];
    covered[at] = true;
  }
  std::vector<std::int64_t> rest;
  for (std::size_t i = 0; i < covered.size(); ++i) {
    if (!covered[i]) rest.push_back(static_cast<std::int64_t>(i));
  }
  return rest;
}

template <class T>
void put_of(const WindowCall& c, const T* y, const std::int64_t* taps, T* x) {
  bool overlap = false;
  const std::vector<std::int64_t> rest = uncovered(c, overlap);
  if (!c.accumulate && !overlap) {
    for (std::int64_t plane = 0; plane < c.planes; ++plane) {
      for (const std::int64_t p : rest) {
        std::fill_n(x + (plane * c.input_positions + p) * c.samples, c.samples, T{0});
      }
    }
    return for_each_row(
        c, x, taps, y, c.planes, c.value_planes,
        [&](const std::int64_t* row, T* to, const std::int64_t* which, const T* from,
            std::int64_t count) { put_row<T, true>(c, row, from, which, to, count); });
  }
  if (!c.accumulate) std::fill_n(x, c.planes * c.input_positions * c.samples, T{0});
  for_each_row(c, x, taps, y, c.planes, c.value_planes,
               [&](const std::int64_t* row, T* to, const std::int64_t* which, const T* from,
                   std::int64_t count) { put_row<T, false>(c, row, from, which, to, count); });
}

void argmax_f32(const WindowCall& c, const float* x, std::int64_t* taps) { argmax_of(c, x, taps); }
void argmax_f64(const WindowCall& c, const double* x, std::int64_t* taps) { argmax_of(c, x, taps); }
void argmax_i64(const WindowCall& c, const std::int64_t* x, std::int64_t* taps) {
  argmax_of(c, x, taps);
}
void take_f32(const WindowCall& c, const float* x, const std::int64_t* taps, float* y) {
  take_of(c, x, taps, y);
}
void take_f64(const WindowCall& c, const double* x, const std::int64_t* taps, double* y) {
  take_of(c, x, taps, y);
}
void take_i64(const WindowCall& c, const std::int64_t* x, const std::int64_t* taps,
              std::int64_t* y) {
  take_of(c, x, taps, y);
}
void put_f32(const WindowCall& c, const float* y, const std::int64_t* taps, float* x) {
  put_of(c, y, taps, x);
}
void put_f64(const WindowCall& c, const double* y, const std::int64_t* taps, double* x) {
  put_of(c, y, taps, x);
}
void put_i64(const WindowCall& c, const std::int64_t* y, const std::int64_t* taps,
             std::int64_t* x) {
  put_of(c, y, taps, x);
}

}  // namespace HWY_NAMESPACE
}  // namespace kappa
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace kappa {

HWY_EXPORT(argmax_f32);
HWY_EXPORT(argmax_f64);
HWY_EXPORT(argmax_i64);
HWY_EXPORT(take_f32);
HWY_EXPORT(take_f64);
HWY_EXPORT(take_i64);
HWY_EXPORT(put_f32);
HWY_EXPORT(put_f64);
HWY_EXPORT(put_i64);

void window_argmax(const WindowCall& call, const float* x, std::int64_t* taps) {
  HWY_DYNAMIC_DISPATCH(argmax_f32)(call, x, taps);
}
void window_argmax(const WindowCall& call, const double* x, std::int64_t* taps) {
  HWY_DYNAMIC_DISPATCH(argmax_f64)(call, x, taps);
}
void window_argmax(const WindowCall& call, const std::int64_t* x, std::int64_t* taps) {
  HWY_DYNAMIC_DISPATCH(argmax_i64)(call, x, taps);
}
void window_take(const WindowCall& call, const float* x, const std::int64_t* taps, float* y) {
  HWY_DYNAMIC_DISPATCH(take_f32)(call, x, taps, y);
}
void window_take(const WindowCall& call, const double* x, const std::int64_t* taps, double* y) {
  HWY_DYNAMIC_DISPATCH(take_f64)(call, x, taps, y);
}
void window_take(const WindowCall& call, const std::int64_t* x, const std::int64_t* taps,
                 std::int64_t* y) {
  HWY_DYNAMIC_DISPATCH(take_i64)(call, x, taps, y);
}
void window_put(const WindowCall& call, const float* y, const std::int64_t* taps, float* x) {
  HWY_DYNAMIC_DISPATCH(put_f32)(call, y, taps, x);
}
void window_put(const WindowCall& call, const double* y, const std::int64_t* taps, double* x) {
  HWY_DYNAMIC_DISPATCH(put_f64)(call, y, taps, x);
}
void window_put(const WindowCall& call, const std::int64_t* y, const std::int64_t* taps,
                std::int64_t* x) {
  HWY_DYNAMIC_DISPATCH(put_i64)(call, y, taps, x);
}

}  // namespace kappa
#endif  // HWY_ONCE
