#include "base/small_gemm.h"

#include <algorithm>
#include <cstring>
#include <type_traits>

// Portable, AVX2 and AVX-512; the targets between bring little for their compile time.
#define HWY_DISABLED_TARGETS (HWY_SSSE3 | HWY_SSE4 | HWY_AVX3_DL)
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "base/small_gemm.cpp"
#include "hwy/foreach_target.h"  // must stand before highway.h
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace kappa {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

template <class T>
T dot_row(const T* HWY_RESTRICT x, const T* HWY_RESTRICT y, std::int64_t count) {
  const hn::ScalableTag<T> d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  std::int64_t i = 0;
  T total = 0;
  if (count >= lanes) {
    auto s0 = hn::Zero(d), s1 = hn::Zero(d), s2 = hn::Zero(d), s3 = hn::Zero(d);
    for (; i + 4 * lanes <= count; i += 4 * lanes) {
      s0 = hn::MulAdd(hn::LoadU(d, x + i), hn::LoadU(d, y + i), s0);
      s1 = hn::MulAdd(hn::LoadU(d, x + i + lanes), hn::LoadU(d, y + i + lanes), s1);
      s2 = hn::MulAdd(hn::LoadU(d, x + i + 2 * lanes), hn::LoadU(d, y + i + 2 * lanes), s2);
      s3 = hn::MulAdd(hn::LoadU(d, x + i + 3 * lanes), hn::LoadU(d, y + i + 3 * lanes), s3);
    }
    for (; i + lanes <= count; i += lanes) {
      s0 = hn::MulAdd(hn::LoadU(d, x + i), hn::LoadU(d, y + i), s0);
    }
    total = hn::GetLane(hn::SumOfLanes(d, hn::Add(hn::Add(s0, s1), hn::Add(s2, s3))));
  }
  for (; i < count; ++i) total += x[i] * y[i];
  return total;
}

// c += a[0] b[0, :] + a[1] b[1, :] + ..., four rows of b at a time. c is kept in registers where
// the rows are short, and swept where they are long.
template <class T>
void add_row_combination(const T* HWY_RESTRICT a, std::int64_t a_step, const T* HWY_RESTRICT b,
                         std::int64_t ldb, std::int64_t inner, std::int64_t columns,
                         T* HWY_RESTRICT c) {
  const hn::ScalableTag<T> d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  std::int64_t j = 0;
  if (columns <= 16 * lanes) {
    for (; j + lanes <= columns; j += lanes) {
      auto s0 = hn::LoadU(d, c + j), s1 = hn::Zero(d);
      std::int64_t k = 0;
      for (; k + 2 <= inner; k += 2) {
        s0 = hn::MulAdd(hn::Set(d, a[k * a_step]), hn::LoadU(d, b + k * ldb + j), s0);
        s1 = hn::MulAdd(hn::Set(d, a[(k + 1) * a_step]), hn::LoadU(d, b + (k + 1) * ldb + j), s1);
      }
      if (k < inner) {
        s0 = hn::MulAdd(hn::Set(d, a[k * a_step]), hn::LoadU(d, b + k * ldb + j), s0);
      }
      hn::StoreU(hn::Add(s0, s1), d, c + j);
    }
  } else {
    const std::int64_t vectors_end = columns - columns % lanes;
    std::int64_t k = 0;
    for (; k + 4 <= inner; k += 4) {
      const T* HWY_RESTRICT row = b + k * ldb;
      const auto a0 = hn::Set(d, a[k * a_step]), a1 = hn::Set(d, a[(k + 1) * a_step]);
      const auto a2 = hn::Set(d, a[(k + 2) * a_step]), a3 = hn::Set(d, a[(k + 3) * a_step]);
      for (j = 0; j < vectors_end; j += lanes) {
        auto s = hn::LoadU(d, c + j);
        s = hn::MulAdd(a0, hn::LoadU(d, row + j), s);
        s = hn::MulAdd(a1, hn::LoadU(d, row + ldb + j), s);
        s = hn::MulAdd(a2, hn::LoadU(d, row + 2 * ldb + j), s);
        s = hn::MulAdd(a3, hn::LoadU(d, row + 3 * ldb + j), s);
        hn::StoreU(s, d, c + j);
      }
    }
    for (; k < inner; ++k) {
      const auto ak = hn::Set(d, a[k * a_step]);
      for (j = 0; j < vectors_end; j += lanes) {
        hn::StoreU(hn::MulAdd(ak, hn::LoadU(d, b + k * ldb + j), hn::LoadU(d, c + j)), d, c + j);
      }
    }
    j = vectors_end;
  }
  for (; j < columns; ++j) {
    T total = c[j];
    for (std::int64_t k = 0; k < inner; ++k) total += a[k * a_step] * b[k * ldb + j];
    c[j] = total;
  }
}

// ---- products of small matrices by blocks kept in registers ----------------------------------

constexpr std::int64_t max_panel_rows = 256;

// c (rows x up to `vectors` vectors) = a * panel, or added to c.
template <int rows, int vectors, class T>
HWY_INLINE void multiply_block(const T* HWY_RESTRICT a, std::int64_t a_row, std::int64_t a_step,
                               const T* HWY_RESTRICT panel, std::int64_t panel_stride,
                               std::int64_t inner, bool add, T* HWY_RESTRICT c, std::int64_t ldc,
                               std::int64_t columns) {
  const hn::ScalableTag<T> d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  hn::Vec<decltype(d)> sums[rows][vectors];
  for (int r = 0; r < rows; ++r) {
    for (int v = 0; v < vectors; ++v) sums[r][v] = hn::Zero(d);
  }
  for (std::int64_t k = 0; k < inner; ++k) {
    hn::Vec<decltype(d)> row[vectors];
    for (int v = 0; v < vectors; ++v) row[v] = hn::LoadU(d, panel + k * panel_stride + v * lanes);
    const T* HWY_RESTRICT column = a + k * a_step;
    for (int r = 0; r < rows; ++r) {
      const auto factor = hn::Set(d, column[r * a_row]);
      for (int v = 0; v < vectors; ++v) sums[r][v] = hn::MulAdd(factor, row[v], sums[r][v]);
    }
  }
  const bool whole = columns == vectors * lanes;
  HWY_ALIGN T rest[vectors * hn::MaxLanes(hn::ScalableTag<T>())];
  for (int r = 0; r < rows; ++r, c += ldc) {
    T* HWY_RESTRICT to = whole ? c : rest;
    if (!whole && add) std::memcpy(rest, c, static_cast<std::size_t>(columns) * sizeof(T));
    for (int v = 0; v < vectors; ++v) {
      auto sum = sums[r][v];
      if (add) sum = hn::Add(hn::LoadU(d, to + v * lanes), sum);
      hn::StoreU(sum, d, to + v * lanes);
    }
    if (!whole) std::memcpy(c, rest, static_cast<std::size_t>(columns) * sizeof(T));
  }
}

// Columns [0, columns) of op(b) as rows of `width` elements, zeros behind them.
template <class T>
HWY_INLINE void pack_panel(const T* HWY_RESTRICT b, std::int64_t ldb, bool transposed,
                           std::int64_t inner, std::int64_t columns, std::int64_t width,
                           T* HWY_RESTRICT panel) {
  const hn::ScalableTag<T> d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  if (!transposed) {
    for (std::int64_t k = 0; k < inner; ++k, b += ldb, panel += width) {
      std::memcpy(panel, b, static_cast<std::size_t>(columns) * sizeof(T));
      std::fill(panel + columns, panel + width, T{0});
    }
    return;
  }
  using Index = hn::RebindToSigned<decltype(d)>;
  std::int64_t j = 0;
  for (; j + lanes <= columns && ldb <= (1 << 24); j += lanes) {
    const Index di;
    const auto rows = hn::Mul(hn::Iota(di, 0), hn::Set(di, static_cast<hn::TFromD<Index>>(ldb)));
    for (std::int64_t k = 0; k < inner; ++k) {
      hn::StoreU(hn::GatherIndex(d, b + j * ldb + k, rows), d, panel + k * width + j);
    }
  }
  for (; j < width; ++j) {
    for (std::int64_t k = 0; k < inner; ++k) {
      panel[k * width + j] = j < columns ? b[j * ldb + k] : T{0};
    }
  }
}

// All rows of up to `vectors` vectors of columns.
template <int vectors, class T>
HWY_INLINE void multiply_columns(const GemmShape& s, const T* a, std::int64_t lda, const T* panel,
                                 std::int64_t stride, std::int64_t inner, bool add, T* c,
                                 std::int64_t ldc, std::int64_t columns) {
  const std::int64_t a_row = s.transpose_a ? 1 : lda, a_step = s.transpose_a ? lda : 1;
  // As many sums as the registers of AVX-512 hold, or of AVX2.
  constexpr int tall = hn::MaxLanes(hn::ScalableTag<T>()) * sizeof(T) >= 64 ? 12 : 6;
  std::int64_t i = 0;
  const auto blocks_of = [&](auto rows) HWY_ATTR {
    constexpr int count = decltype(rows)::value;
    for (; i + count <= s.rows; i += count) {
      multiply_block<count, vectors>(a + i * a_row, a_row, a_step, panel, stride, inner, add,
                                     c + i * ldc, ldc, columns);
    }
  };
  blocks_of(std::integral_constant<int, tall>{});
  blocks_of(std::integral_constant<int, 4>{});
  blocks_of(std::integral_constant<int, 1>{});
}

template <class T>
void block_gemm_of(const GemmShape& s, const T* a, std::int64_t lda, const T* b, std::int64_t ldb,
                   T beta, T* c, std::int64_t ldc) {
  const hn::ScalableTag<T> d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  HWY_ALIGN T packed[max_panel_rows * 2 * hn::MaxLanes(hn::ScalableTag<T>())];
  for (std::int64_t first = 0; first < s.inner; first += max_panel_rows) {
    const std::int64_t inner = std::min(max_panel_rows, s.inner - first);
    const bool add = beta != T{0} || first > 0;
    const T* from = a + first * (s.transpose_a ? lda : 1);
    for (std::int64_t j = 0; j < s.columns; j += 2 * lanes) {
      const std::int64_t columns = std::min(2 * lanes, s.columns - j);
      const std::int64_t width = columns > lanes ? 2 * lanes : lanes;
      const T* panel = s.transpose_b ? b + first + j * ldb : b + first * ldb + j;
      std::int64_t stride = ldb;
      if (s.transpose_b || columns < width) {
        pack_panel(panel, ldb, s.transpose_b, inner, columns, width, packed);
        panel = packed;
        stride = width;
      }
      if (columns > lanes) {
        multiply_columns<2>(s, from, lda, panel, stride, inner, add, c + j, ldc, columns);
      } else {
        multiply_columns<1>(s, from, lda, panel, stride, inner, add, c + j, ldc, columns);
      }
    }
  }
}

// ---- rows by a few rows: a layer with few outputs --------------------------------------------

// c[r, j] = or += sum over k of a[r, k] b[j, k]: vectors along k, so that no lane idles however few
// columns there are.
template <int rows, int columns, class T>
HWY_INLINE void dot_block(const T* HWY_RESTRICT a, std::int64_t lda, const T* HWY_RESTRICT b,
                          std::int64_t ldb, std::int64_t inner, bool add, T* HWY_RESTRICT c,
                          std::int64_t ldc) {
  const hn::ScalableTag<T> d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  hn::Vec<decltype(d)> sums[rows][columns];
  for (int r = 0; r < rows; ++r) {
    for (int j = 0; j < columns; ++j) sums[r][j] = hn::Zero(d);
  }
  std::int64_t k = 0;
  for (; k + lanes <= inner; k += lanes) {
    hn::Vec<decltype(d)> row[rows];
    for (int r = 0; r < rows; ++r) row[r] = hn::LoadU(d, a + r * lda + k);
    for (int j = 0; j < columns; ++j) {
      const auto column = hn::LoadU(d, b + j * ldb + k);
      for (int r = 0; r < rows; ++r) sums[r][j] = hn::MulAdd(row[r], column, sums[r][j]);
    }
  }
  for (int r = 0; r < rows; ++r) {
    for (int j = 0; j < columns; ++j) {
      T sum = hn::GetLane(hn::SumOfLanes(d, sums[r][j]));
      for (std::int64_t i = k; i < inner; ++i) sum += a[r * lda + i] * b[j * ldb + i];
      c[r * ldc + j] = add ? c[r * ldc + j] + sum : sum;
    }
  }
}

template <class T>
void dot_gemm_of(const GemmShape& s, const T* a, std::int64_t lda, const T* b, std::int64_t ldb,
                 T beta, T* c, std::int64_t ldc) {
  const bool add = beta != T{0};
  // 4 x 5 sums and what they are made of fill the registers of AVX-512; AVX2 has half of them.
  constexpr int tall = hn::MaxLanes(hn::ScalableTag<T>()) * sizeof(T) >= 64 ? 4 : 2;
  std::int64_t i = 0;
  const auto rows_of = [&](auto rows) HWY_ATTR {
    constexpr int count = decltype(rows)::value;
    for (; i + count <= s.rows; i += count) {
      std::int64_t j = 0;
      for (; j + 5 <= s.columns; j += 5) {
        dot_block<count, 5>(a + i * lda, lda, b + j * ldb, ldb, s.inner, add, c + i * ldc + j, ldc);
      }
      for (; j < s.columns; ++j) {
        dot_block<count, 1>(a + i * lda, lda, b + j * ldb, ldb, s.inner, add, c + i * ldc + j, ldc);
      }
    }
  };
  rows_of(std::integral_constant<int, tall>{});
  rows_of(std::integral_constant<int, 1>{});
}

template <class T>
void small_gemm_of(GemmShape s, const T* a, std::int64_t lda, const T* b, std::int64_t ldb, T beta,
                   T* c, std::int64_t ldc) {
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(hn::ScalableTag<T>()));
  if (is_few_dots(s)) return dot_gemm_of(s, a, lda, b, ldb, beta, c, ldc);
  if (s.rows >= 4 && 2 * s.columns >= lanes && s.inner >= 2) {
    return block_gemm_of(s, a, lda, b, ldb, beta, c, ldc);
  }
  if (s.columns == 1 && ldc == 1 && (s.transpose_a || !s.transpose_b)) {
    // A column is a row of the transposed product, C' = op(B)' op(A)', whose loops are long.
    std::swap(a, b);
    std::swap(lda, ldb);
    s = {1, s.rows, s.inner, !s.transpose_b, !s.transpose_a};
    ldc = s.columns;
  }
  const std::int64_t a_row = s.transpose_a ? 1 : lda;
  const std::int64_t a_step = s.transpose_a ? lda : 1;
  for (std::int64_t i = 0; i < s.rows; ++i, a += a_row, c += ldc) {
    if (beta == T{0}) std::fill_n(c, s.columns, T{0});
    if (!s.transpose_b) {
      add_row_combination(a, a_step, b, ldb, s.inner, s.columns, c);
    } else if (a_step == 1) {
      for (std::int64_t j = 0; j < s.columns; ++j) c[j] += dot_row(a, b + j * ldb, s.inner);
    } else {
      for (std::int64_t j = 0; j < s.columns; ++j) {
        T total = 0;
        for (std::int64_t k = 0; k < s.inner; ++k) total += a[k * a_step] * b[j * ldb + k];
        c[j] += total;
      }
    }
  }
}

// HWY_EXPORT takes plain functions.
void small_gemm_f64(const GemmShape& s, const double* a, std::int64_t lda, const double* b,
                    std::int64_t ldb, double beta, double* c, std::int64_t ldc) {
  small_gemm_of(s, a, lda, b, ldb, beta, c, ldc);
}
void small_gemm_f32(const GemmShape& s, const float* a, std::int64_t lda, const float* b,
                    std::int64_t ldb, float beta, float* c, std::int64_t ldc) {
  small_gemm_of(s, a, lda, b, ldb, beta, c, ldc);
}

}  // namespace HWY_NAMESPACE
}  // namespace kappa
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace kappa {

HWY_EXPORT(small_gemm_f64);
HWY_EXPORT(small_gemm_f32);

void small_gemm(const GemmShape& shape, const double* a, std::int64_t lda, const double* b,
                std::int64_t ldb, double beta, double* c, std::int64_t ldc) {
  HWY_DYNAMIC_DISPATCH(small_gemm_f64)(shape, a, lda, b, ldb, beta, c, ldc);
}
void small_gemm(const GemmShape& shape, const float* a, std::int64_t lda, const float* b,
                std::int64_t ldb, float beta, float* c, std::int64_t ldc) {
  HWY_DYNAMIC_DISPATCH(small_gemm_f32)(shape, a, lda, b, ldb, beta, c, ldc);
}

}  // namespace kappa
#endif  // HWY_ONCE
