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

/// @name taps[p] = the tap of the largest element under window p
/// @{
void window_argmax(const WindowCall& call, const float* x, std::int64_t* taps);
void window_argmax(const WindowCall& call, const double* x, std::int64_t* taps);
void window_argmax(const WindowCall& call, const std::int64_t* x, std::int64_t* taps);
/// @}

/// @name y[p] = x[the element under window p at taps[p]], or 0 where that lies outside
/// @{
void window_take(const WindowCall& call, const float* x, const std::int64_t* taps, float* y);
void window_take(const WindowCall& call, const double* x, const std::int64_t* taps, double* y);
void window_take(const WindowCall& call, const std::int64_t* x, const std::int64_t* taps,
                 std::int64_t* y);
/// @}

/// @name x[the element under window p at taps[p]] += y[p], from zero unless `accumulate`
/// @{
void window_put(const WindowCall& call, const float* y, const std::int64_t* taps, float* x);
void window_put(const WindowCall& call, const double* y, const std::int64_t* taps, double* x);
void window_put(const WindowCall& call, const std::int64_t* y, const std::int64_t* taps,
                std::int64_t* x);
/// @}

}  // namespace kappa
