#include "function/weighted_product.h"

#include <algorithm>
#include <type_traits>

// Portable, AVX2 and AVX-512, as in base/small_gemm.cpp.
#define HWY_DISABLED_TARGETS (HWY_SSSE3 | HWY_SSE4 | HWY_AVX3_DL)
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "function/weighted_product.cpp"
#include "hwy/foreach_target.h"  // must stand before highway.h
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace kappa {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

struct Operands {
  const double* const* a;
  const double* weights;
  const double* const* b;
  std::int64_t count;
};

template <int rows, int columns>
HWY_INLINE void add_block(const Operands& o, double* c, std::int64_t ldc) {
  const hn::ScalableTag<double> d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  const double *left[rows], *right[columns];
  for (int r = 0; r < rows; ++r) left[r] = o.a[r];
  for (int j = 0; j < columns; ++j) right[j] = o.b[j];
  hn::Vec<decltype(d)> sums[rows][columns];
  for (int r = 0; r < rows; ++r) {
    for (int j = 0; j < columns; ++j) sums[r][j] = hn::Zero(d);
  }
  std::int64_t k = 0;
  for (; k + lanes <= o.count; k += lanes) {
    const auto weight = hn::LoadU(d, o.weights + k);
    hn::Vec<decltype(d)> row[rows];
    for (int r = 0; r < rows; ++r) row[r] = hn::Mul(weight, hn::LoadU(d, left[r] + k));
    for (int j = 0; j < columns; ++j) {
      const auto column = hn::LoadU(d, right[j] + k);
      for (int r = 0; r < rows; ++r) sums[r][j] = hn::MulAdd(row[r], column, sums[r][j]);
    }
  }
  for (int r = 0; r < rows; ++r) {
    for (int j = 0; j < columns; ++j) {
      double sum = hn::GetLane(hn::SumOfLanes(d, sums[r][j]));
      for (std::int64_t i = k; i < o.count; ++i) {
        sum += left[r][i] * o.weights[i] * right[j][i];
      }
      c[r * ldc + j] += sum;
    }
  }
}

template <int rows>
HWY_INLINE void add_rows_of(Operands o, std::int64_t columns, double* c, std::int64_t ldc) {
  // With three rows, 18 sums and what they are made of fit the registers of AVX-512, 9 those of
  // AVX2.
  constexpr int wide = hn::MaxLanes(hn::ScalableTag<double>()) >= 8 ? 6 : 3;
  for (; columns >= wide; columns -= wide, c += wide, o.b += wide) {
    add_block<rows, wide>(o, c, ldc);
  }
  for (; columns >= 2; columns -= 2, c += 2, o.b += 2) add_block<rows, 2>(o, c, ldc);
  if (columns > 0) add_block<rows, 1>(o, c, ldc);
}

void add_weighted_product_of(const double* const* a, std::int64_t rows, const double* weights,
                             const double* const* b, std::int64_t columns, std::int64_t count,
                             bool lower, double* c) {
  Operands o{a, weights, b, count};
  std::int64_t i = 0;
  const auto rows_of = [&](auto number) HWY_ATTR {
    constexpr int height = decltype(number)::value;
    for (; i + height <= rows; i += height, o.a += height, c += height * columns) {
      add_rows_of<height>(o, lower ? std::min(columns, i + height) : columns, c, columns);
    }
  };
  rows_of(std::integral_constant<int, 3>{});
  rows_of(std::integral_constant<int, 1>{});
}

}  // namespace HWY_NAMESPACE
}  // namespace kappa
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace kappa {

HWY_EXPORT(add_weighted_product_of);

void add_weighted_product(const double* const* a, std::int64_t rows, const double* weights,
                          const double* const* b, std::int64_t columns, std::int64_t count,
                          bool lower, double* c) {
  HWY_DYNAMIC_DISPATCH(add_weighted_product_of)
  (a, rows, weights, b, columns, count, lower, c);
}

}  // namespace kappa
#endif  // HWY_ONCE
