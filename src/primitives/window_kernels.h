#pragma once

#include <cstdint>

namespace kappa {

/// Arrays of (planes, positions, samples). Of two with different numbers of planes the fewer are
/// repeated cyclically.
struct WindowCall {
  const std::int64_t* table = nullptr;  // [output position][tap]: input position, or -1
  std::int64_t num_taps = 0;
  std::int64_t planes = 0, value_planes = 0, tap_planes = 0;
  std::int64_t input_positions = 0, output_positions = 0;
  std::int64_t samples = 1;
  bool accumulate = false;
};

/// taps[p] = the tap of the largest element under window p.
template <class T>
void window_argmax(const WindowCall& call, const T* x, std::int64_t* taps);
/// y[p] = x[the element under window p at taps[p]].
template <class T>
void window_take(const WindowCall& call, const T* x, const std::int64_t* taps, T* y);
/// x[the element under window p at taps[p]] += y[p], from zero unless `accumulate`.
template <class T>
void window_put(const WindowCall& call, const T* y, const std::int64_t* taps, T* x);

}  // namespace kappa
