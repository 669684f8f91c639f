#include "primitives/row_kernels.h"

#include <cmath>
#include <cstring>
#include <limits>

#include "primitives/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "primitives/row_kernels.cpp"
#include "hwy/foreach_target.h"
// Stands apart: foreach_target.h goes before any other header of Highway.
#include "hwy/contrib/math/math-inl.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace kappa {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using Doubles = hn::ScalableTag<double>;

// As many elements as a vector of doubles has lanes, as doubles.
HWY_INLINE hn::Vec<Doubles> load_doubles(const double* x) { return hn::LoadU(Doubles(), x); }
HWY_INLINE hn::Vec<Doubles> load_doubles(const float* x) {
  return hn::PromoteTo(Doubles(), hn::LoadU(hn::Rebind<float, Doubles>(), x));
}

template <class T>
double sum_row_of(const T* HWY_RESTRICT x, std::int64_t count) {
  const Doubles d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  std::int64_t i = 0;
  double total = 0;
  if (count >= 4 * lanes) {
    auto s0 = hn::Zero(d), s1 = hn::Zero(d), s2 = hn::Zero(d), s3 = hn::Zero(d);
    for (; i + 4 * lanes <= count; i += 4 * lanes) {
      s0 = hn::Add(s0, load_doubles(x + i));
      s1 = hn::Add(s1, load_doubles(x + i + lanes));
      s2 = hn::Add(s2, load_doubles(x + i + 2 * lanes));
      s3 = hn::Add(s3, load_doubles(x + i + 3 * lanes));
    }
    total = hn::GetLane(hn::SumOfLanes(d, hn::Add(hn::Add(s0, s1), hn::Add(s2, s3))));
  }
  for (; i < count; ++i) total += static_cast<double>(x[i]);
  return total;
}

template <class T>
void add_rows_of(const T* HWY_RESTRICT x, std::int64_t rows, std::int64_t stride,
                 std::int64_t columns, double* HWY_RESTRICT sums) {
  const Doubles d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  std::int64_t r = 0;
  for (; r + 4 <= rows; r += 4) {
    const T* HWY_RESTRICT x0 = x + r * stride;
    const T* HWY_RESTRICT x1 = x0 + stride;
    const T* HWY_RESTRICT x2 = x1 + stride;
    const T* HWY_RESTRICT x3 = x2 + stride;
    std::int64_t j = 0;
    for (; j + lanes <= columns; j += lanes) {
      const auto low = hn::Add(load_doubles(x0 + j), load_doubles(x1 + j));
      const auto high = hn::Add(load_doubles(x2 + j), load_doubles(x3 + j));
      hn::StoreU(hn::Add(hn::LoadU(d, sums + j), hn::Add(low, high)), d, sums + j);
    }
    for (; j < columns; ++j) {
      const double low = static_cast<double>(x0[j]) + static_cast<double>(x1[j]);
      const double high = static_cast<double>(x2[j]) + static_cast<double>(x3[j]);
      sums[j] += low + high;
    }
  }
  for (; r < rows; ++r) {
    for (std::int64_t j = 0; j < columns; ++j) {
      sums[j] += static_cast<double>(x[r * stride + j]);
    }
  }
}

// Calls f(vector, first column, number of columns) along a row; what fills no vector comes padded
// with -inf, which neither a maximum nor a sum of exponentials notices.
template <class T, class F>
HWY_INLINE void for_each_vector(const T* x, std::int64_t columns, const F& f) {
  const hn::ScalableTag<T> d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  std::int64_t j = 0;
  for (; j + lanes <= columns; j += lanes) f(hn::LoadU(d, x + j), j, lanes);
  if (j == columns) return;
  HWY_ALIGN T rest[hn::MaxLanes(hn::ScalableTag<T>())];
  hn::Store(hn::Set(d, -std::numeric_limits<T>::infinity()), d, rest);
  std::memcpy(rest, x + j, static_cast<std::size_t>(columns - j) * sizeof(T));
  f(hn::Load(d, rest), j, columns - j);
}

// The row's maximum, or NaN where the row holds one.
template <class T>
HWY_INLINE T row_maximum(const T* x, std::int64_t columns) {
  const hn::ScalableTag<T> d;
  auto largest = hn::Set(d, -std::numeric_limits<T>::infinity());
  auto invalid = hn::Zero(d);
  for_each_vector(x, columns, [&](auto v, std::int64_t, std::int64_t) HWY_ATTR {
    largest = hn::Max(largest, v);
    invalid = hn::Or(invalid, hn::IfThenElseZero(hn::IsNaN(v), hn::Set(d, T{1})));
  });
  if (!hn::AllTrue(d, hn::Eq(invalid, hn::Zero(d)))) {
    return std::numeric_limits<T>::quiet_NaN();
  }
  return hn::GetLane(hn::MaxOfLanes(d, largest));
}

template <class T>
void softmax_rows_of(const T* HWY_RESTRICT x, std::int64_t rows, std::int64_t columns,
                     T* HWY_RESTRICT y) {
  const hn::ScalableTag<T> d;
  HWY_ALIGN T rest[hn::MaxLanes(hn::ScalableTag<T>())];
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  for (std::int64_t r = 0; r < rows; ++r, x += columns, y += columns) {
    const T largest = row_maximum(x, columns);
    if (!std::isfinite(largest)) {  // no finite maximum: the quotient is not defined
      for (std::int64_t j = 0; j < columns; ++j) y[j] = std::numeric_limits<T>::quiet_NaN();
      continue;
    }
    const auto shift = hn::Set(d, largest);
    auto sums = hn::Zero(d);
    for_each_vector(x, columns, [&](auto v, std::int64_t j, std::int64_t count) HWY_ATTR {
      const auto e = hn::Exp(d, hn::Sub(v, shift));
      sums = hn::Add(sums, e);
      if (count == lanes) {
        hn::StoreU(e, d, y + j);
      } else {
        hn::Store(e, d, rest);
        std::memcpy(y + j, rest, static_cast<std::size_t>(count) * sizeof(T));
      }
    });
    const T scale = T{1} / hn::GetLane(hn::SumOfLanes(d, sums));
    const auto scales = hn::Set(d, scale);
    std::int64_t j = 0;
    for (; j + lanes <= columns; j += lanes) {
      hn::StoreU(hn::Mul(hn::LoadU(d, y + j), scales), d, y + j);
    }
    for (; j < columns; ++j) y[j] *= scale;
  }
}

template <class T>
void logsumexp_rows_of(const T* HWY_RESTRICT x, std::int64_t rows, std::int64_t columns,
                       T* HWY_RESTRICT y) {
  const hn::ScalableTag<T> d;
  for (std::int64_t r = 0; r < rows; ++r, x += columns) {
    const T largest = row_maximum(x, columns);
    y[r] = largest;
    if (!std::isfinite(largest)) continue;  // -inf: all are; inf and NaN: as the sum would be
    const auto shift = hn::Set(d, largest);
    auto sums = hn::Zero(d);
    for_each_vector(x, columns, [&](auto v, std::int64_t, std::int64_t) HWY_ATTR {
      sums = hn::Add(sums, hn::Exp(d, hn::Sub(v, shift)));
    });
    y[r] = largest + std::log(hn::GetLane(hn::SumOfLanes(d, sums)));
  }
}

// HWY_EXPORT takes plain functions.
double sum_row_f32(const float* x, std::int64_t count) { return sum_row_of(x, count); }
double sum_row_f64(const double* x, std::int64_t count) { return sum_row_of(x, count); }
void add_rows_f32(const float* x, std::int64_t rows, std::int64_t stride, std::int64_t columns,
                  double* sums) {
  add_rows_of(x, rows, stride, columns, sums);
}
void add_rows_f64(const double* x, std::int64_t rows, std::int64_t stride, std::int64_t columns,
                  double* sums) {
  add_rows_of(x, rows, stride, columns, sums);
}
void softmax_rows_f32(const float* x, std::int64_t rows, std::int64_t columns, float* y) {
  softmax_rows_of(x, rows, columns, y);
}
void softmax_rows_f64(const double* x, std::int64_t rows, std::int64_t columns, double* y) {
  softmax_rows_of(x, rows, columns, y);
}
void logsumexp_rows_f32(const float* x, std::int64_t rows, std::int64_t columns, float* y) {
  logsumexp_rows_of(x, rows, columns, y);
}
void logsumexp_rows_f64(const double* x, std::int64_t rows, std::int64_t columns, double* y) {
  logsumexp_rows_of(x, rows, columns, y);
}

}  // namespace HWY_NAMESPACE
}  // namespace kappa
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace kappa {

HWY_EXPORT(sum_row_f32);
HWY_EXPORT(sum_row_f64);
HWY_EXPORT(add_rows_f32);
HWY_EXPORT(add_rows_f64);
HWY_EXPORT(softmax_rows_f32);
HWY_EXPORT(softmax_rows_f64);
HWY_EXPORT(logsumexp_rows_f32);
HWY_EXPORT(logsumexp_rows_f64);

double sum_row(const float* x, std::int64_t count) {
  return HWY_DYNAMIC_DISPATCH(sum_row_f32)(x, count);
}
double sum_row(const double* x, std::int64_t count) {
  return HWY_DYNAMIC_DISPATCH(sum_row_f64)(x, count);
}
void add_rows(const float* x, std::int64_t rows, std::int64_t stride, std::int64_t columns,
              double* sums) {
  HWY_DYNAMIC_DISPATCH(add_rows_f32)(x, rows, stride, columns, sums);
}
void add_rows(const double* x, std::int64_t rows, std::int64_t stride, std::int64_t columns,
              double* sums) {
  HWY_DYNAMIC_DISPATCH(add_rows_f64)(x, rows, stride, columns, sums);
}
void softmax_rows(const float* x, std::int64_t rows, std::int64_t columns, float* y) {
  HWY_DYNAMIC_DISPATCH(softmax_rows_f32)(x, rows, columns, y);
}
void softmax_rows(const double* x, std::int64_t rows, std::int64_t columns, double* y) {
  HWY_DYNAMIC_DISPATCH(softmax_rows_f64)(x, rows, columns, y);
}
void logsumexp_rows(const float* x, std::int64_t rows, std::int64_t columns, float* y) {
  HWY_DYNAMIC_DISPATCH(logsumexp_rows_f32)(x, rows, columns, y);
}
void logsumexp_rows(const double* x, std::int64_t rows, std::int64_t columns, double* y) {
  HWY_DYNAMIC_DISPATCH(logsumexp_rows_f64)(x, rows, columns, y);
}

}  // namespace kappa
#endif  // HWY_ONCE
