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

// GCC would load the operand of each product again, and loads are as many as products already.
#undef KAPPA_IN_REGISTER
#if HWY_ARCH_X86 && HWY_TARGET <= HWY_AVX2
#define KAPPA_IN_REGISTER(vector) asm("" : "+v"((vector).raw))
#else
#define KAPPA_IN_REGISTER(vector)
#endif

struct Operands {
  const double* const* a;
  const double* weights;
  const double* const* b;
  std::int64_t first, last;
};

template <int rows, int columns>
HWY_INLINE void add_block(const Operands& o, double* HWY_RESTRICT sums_of, std::int64_t ldc) {
  const hn::ScalableTag<double> d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  const double *left[rows], *right[columns];
  for (int r = 0; r < rows; ++r) left[r] = o.a[r];
  for (int j = 0; j < columns; ++j) right[j] = o.b[j];
  hn::Vec<decltype(d)> sums[rows][columns];
  for (int r = 0; r < rows; ++r) {
    for (int j = 0; j < columns; ++j) sums[r][j] = hn::Load(d, sums_of + (r * ldc + j) * kSumLanes);
  }
  std::int64_t k = o.first;
  for (; k + lanes <= o.last; k += lanes) {
    const auto weight = hn::LoadU(d, o.weights + k);
    hn::Vec<decltype(d)> row[rows];
    for (int r = 0; r < rows; ++r) row[r] = hn::Mul(weight, hn::LoadU(d, left[r] + k));
    for (int j = 0; j < columns; ++j) {
      auto column = hn::LoadU(d, right[j] + k);
      KAPPA_IN_REGISTER(column);
      for (int r = 0; r < rows; ++r) sums[r][j] = hn::MulAdd(row[r], column, sums[r][j]);
    }
  }
  for (int r = 0; r < rows; ++r) {
    for (int j = 0; j < columns; ++j) {
      double* to = sums_of + (r * ldc + j) * kSumLanes;
      hn::Store(sums[r][j], d, to);
      for (std::int64_t i = k; i < o.last; ++i) *to += left[r][i] * o.weights[i] * right[j][i];
    }
  }
}

template <int rows>
HWY_INLINE void add_rows_of(Operands o, std::int64_t columns, double* lanes_of_c,
                            std::int64_t ldc) {
  const auto columns_of = [&](auto number) HWY_ATTR {
    constexpr int width = decltype(number)::value;
    for (; columns >= width; columns -= width, lanes_of_c += width * kSumLanes, o.b += width) {
      add_block<rows, width>(o, lanes_of_c, ldc);
    }
  };
  // With three rows, 18 sums and what they are made of fit the registers of AVX-512, 9 those of
  // AVX2.
  constexpr int wide = hn::MaxLanes(hn::ScalableTag<double>()) >= 8 ? 6 : 3;
  columns_of(std::integral_constant<int, wide>{});
  columns_of(std::integral_constant<int, 4>{});
  columns_of(std::integral_constant<int, 2>{});
  columns_of(std::integral_constant<int, 1>{});
}

void add_weighted_product_of(const double* const* a, std::int64_t rows, const double* weights,
                             const double* const* b, std::int64_t columns, std::int64_t first,
                             std::int64_t last, bool lower, double* sums) {
  std::int64_t i = 0;
  const auto rows_of = [&](auto number) HWY_ATTR {
    constexpr int height = decltype(number)::value;
    for (; i + height <= rows; i += height) {
      add_rows_of<height>({a + i, weights, b, first, last},
                          lower ? std::min(columns, i + height) : columns,
                          sums + i * columns * kSumLanes, columns);
    }
  };
  rows_of(std::integral_constant<int, 3>{});
  rows_of(std::integral_constant<int, 1>{});
}

void add_lanes_of(std::int64_t count, double* sums) {
  const hn::ScalableTag<double> d;
  for (std::int64_t i = 0; i < count; ++i) {
    sums[i] = hn::GetLane(hn::SumOfLanes(d, hn::Load(d, sums + i * kSumLanes)));
  }
}

void multiply_elements_of(const double* HWY_RESTRICT a, const double* HWY_RESTRICT b,
                          std::int64_t count, bool add, double* HWY_RESTRICT c) {
  const hn::ScalableTag<double> d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  std::int64_t k = 0;
  if (add) {
    for (; k + lanes <= count; k += lanes) {
      const auto sum = hn::MulAdd(hn::LoadU(d, a + k), hn::LoadU(d, b + k), hn::LoadU(d, c + k));
      hn::StoreU(sum, d, c + k);
    }
    for (; k < count; ++k) c[k] += a[k] * b[k];
  } else {
    for (; k + lanes <= count; k += lanes) {
      hn::StoreU(hn::Mul(hn::LoadU(d, a + k), hn::LoadU(d, b + k)), d, c + k);
    }
    for (; k < count; ++k) c[k] = a[k] * b[k];
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace kappa
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace kappa {

HWY_EXPORT(add_weighted_product_of);
HWY_EXPORT(add_lanes_of);
HWY_EXPORT(multiply_elements_of);

void add_weighted_product(const double* const* a, std::int64_t rows, const double* weights,
                          const double* const* b, std::int64_t columns, std::int64_t first,
                          std::int64_t last, bool lower, double* sums) {
  HWY_DYNAMIC_DISPATCH(add_weighted_product_of)
  (a, rows, weights, b, columns, first, last, lower, sums);
}

void add_lanes(std::int64_t count, double* sums) {
  HWY_DYNAMIC_DISPATCH(add_lanes_of)(count, sums);
}

void multiply_elements(const double* a, const double* b, std::int64_t count, bool add, double* c) {
  HWY_DYNAMIC_DISPATCH(multiply_elements_of)(a, b, count, add, c);
}

}  // namespace kappa
#endif  // HWY_ONCE
