#include "primitives/window_kernels.h"

#include <algorithm>

namespace kappa {

template <class T>
void window_argmax(const WindowCall& c, const T* x, std::int64_t* taps) {
  for (std::int64_t plane = 0; plane < c.planes; ++plane) {
    for (std::int64_t p = 0; p < c.output_positions; ++p) {
      const std::int64_t* row = c.table + p * c.num_taps;
      for (std::int64_t n = 0; n < c.samples; ++n) {
        std::int64_t best_tap = 0;
        bool any = false;
        T best{};
        for (std::int64_t t = 0; t < c.num_taps; ++t) {
          if (row[t] < 0) continue;
          const T value = x[row[t] * c.samples + n];
          // A NaN, once met, stays.
          if (!any || (best == best && (value > best || value != value))) {
            best = value;
            best_tap = t;
          }
          any = true;
        }
        *taps++ = best_tap;
      }
    }
    x += c.input_positions * c.samples;
  }
}

template <class T>
void window_take(const WindowCall& c, const T* x, const std::int64_t* taps, T* y) {
  for (std::int64_t plane = 0; plane < c.planes; ++plane) {
    const T* from = x + plane % c.value_planes * c.input_positions * c.samples;
    const std::int64_t* which = taps + plane % c.tap_planes * c.output_positions * c.samples;
    for (std::int64_t p = 0; p < c.output_positions; ++p) {
      const std::int64_t* row = c.table + p * c.num_taps;
      for (std::int64_t n = 0; n < c.samples; ++n, ++which, ++y) {
        const std::int64_t at = *which >= 0 && *which < c.num_taps ? row[*which] : -1;
        const T value = at < 0 ? T{0} : from[at * c.samples + n];
        *y = c.accumulate ? *y + value : value;
      }
    }
  }
}

template <class T>
void window_put(const WindowCall& c, const T* y, const std::int64_t* taps, T* x) {
  const std::int64_t plane_size = c.input_positions * c.samples;
  if (!c.accumulate) std::fill_n(x, c.planes * plane_size, T{0});
  for (std::int64_t plane = 0; plane < c.planes; ++plane, x += plane_size) {
    const T* from = y + plane % c.value_planes * c.output_positions * c.samples;
    const std::int64_t* which = taps + plane % c.tap_planes * c.output_positions * c.samples;
    for (std::int64_t p = 0; p < c.output_positions; ++p) {
      const std::int64_t* row = c.table + p * c.num_taps;
      for (std::int64_t n = 0; n < c.samples; ++n, ++which, ++from) {
        const std::int64_t at = *which >= 0 && *which < c.num_taps ? row[*which] : -1;
        if (at >= 0) x[at * c.samples + n] += *from;
      }
    }
  }
}

template void window_argmax(const WindowCall&, const float*, std::int64_t*);
template void window_argmax(const WindowCall&, const double*, std::int64_t*);
template void window_argmax(const WindowCall&, const std::int64_t*, std::int64_t*);
template void window_take(const WindowCall&, const float*, const std::int64_t*, float*);
template void window_take(const WindowCall&, const double*, const std::int64_t*, double*);
template void window_take(const WindowCall&, const std::int64_t*, const std::int64_t*,
                          std::int64_t*);
template void window_put(const WindowCall&, const float*, const std::int64_t*, float*);
template void window_put(const WindowCall&, const double*, const std::int64_t*, double*);
template void window_put(const WindowCall&, const std::int64_t*, const std::int64_t*,
                         std::int64_t*);

}  // namespace kappa
