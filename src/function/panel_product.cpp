#include "function/panel_product.h"

#include <algorithm>
#include <cstring>

// Portable, AVX2 and AVX-512, as in base/small_gemm.cpp.
#define HWY_DISABLED_TARGETS (HWY_SSSE3 | HWY_SSE4 | HWY_AVX3_DL)
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "function/panel_product.cpp"
#include "hwy/cache_control.h"
#include "hwy/foreach_target.h"  // must stand before highway.h
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace kappa {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// Rows are apart, and too few lines of each follow each other for the processor to see what comes.
constexpr std::int64_t kRowsAhead = 16;

void pack_panel_of(const PanelPiece* pieces, std::int64_t num_pieces, std::int64_t count,
                   double* HWY_RESTRICT panel) {
  const hn::ScalableTag<double> d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  for (std::int64_t k = 0; k < count; ++k) {
    for (std::int64_t p = 0; p < num_pieces; ++p) {
      const PanelPiece& piece = pieces[p];
      const double* HWY_RESTRICT from = piece.rows + k * piece.stride;
      double* HWY_RESTRICT to = panel + k * kPanelWidth + piece.place;
      const double* ahead = from + kRowsAhead * piece.stride;
      for (std::int64_t j = 0; j < piece.count; j += 8) hwy::Prefetch(ahead + j);
      const auto weight = hn::Set(d, piece.weights[k * piece.weight_stride]);
      for (std::int64_t j = 0; j < piece.count; j += lanes) {
        hn::StoreU(hn::Mul(weight, hn::LoadU(d, from + j)), d, to + j);
      }
    }
  }
}

void multiply_panel_of(const double* packed, std::int64_t first, std::int64_t last,
                       const double* panel, std::int64_t count, bool add, double* c) {
  const hn::ScalableTag<double> d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  // 24 sums and what they are made of fill the registers of AVX-512, 12 those of AVX2.
  constexpr int vectors = hn::MaxLanes(hn::ScalableTag<double>()) >= 8 ? 4 : 2;
  for (std::int64_t g = first; g < last; ++g) {
    for (std::int64_t j = 0; j < kPanelWidth; j += vectors * lanes) {
      hn::Vec<decltype(d)> sums[kGroupWidth][vectors];
      for (int r = 0; r < kGroupWidth; ++r) {
        for (int v = 0; v < vectors; ++v) sums[r][v] = hn::Zero(d);
      }
      const double* HWY_RESTRICT left = packed + g * count * kGroupWidth;
      const double* HWY_RESTRICT right = panel + j;
      for (std::int64_t k = 0; k < count; ++k, left += kGroupWidth, right += kPanelWidth) {
        hn::Vec<decltype(d)> row[vectors];
        for (int v = 0; v < vectors; ++v) row[v] = hn::LoadU(d, right + v * lanes);
        for (int r = 0; r < kGroupWidth; ++r) {
          const auto factor = hn::Set(d, left[r]);
          for (int v = 0; v < vectors; ++v) sums[r][v] = hn::MulAdd(factor, row[v], sums[r][v]);
        }
      }
      for (int r = 0; r < kGroupWidth; ++r) {
        double* HWY_RESTRICT to = c + (g * kGroupWidth + r) * kPanelWidth + j;
        for (int v = 0; v < vectors; ++v) {
          auto sum = sums[r][v];
          if (add) sum = hn::Add(hn::LoadU(d, to + v * lanes), sum);
          hn::StoreU(sum, d, to + v * lanes);
        }
      }
    }
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace kappa
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace kappa {

HWY_EXPORT(pack_panel_of);
HWY_EXPORT(multiply_panel_of);

void pack_groups(const double* a, std::int64_t columns, std::int64_t count, double* packed) {
  for (std::int64_t first = 0; first < columns; first += kGroupWidth) {
    const std::int64_t width = std::min(kGroupWidth, columns - first);
    if (width == kGroupWidth) {
      for (std::int64_t k = 0; k < count; ++k, packed += kGroupWidth) {
        std::memcpy(packed, a + k * columns + first, kGroupWidth * sizeof(double));
      }
      continue;
    }
    for (std::int64_t k = 0; k < count; ++k, packed += kGroupWidth) {
      for (std::int64_t r = 0; r < kGroupWidth; ++r) {
        packed[r] = r < width ? a[k * columns + first + r] : 0;
      }
    }
  }
}

void pack_panel(const PanelPiece* pieces, std::int64_t num_pieces, std::int64_t count,
                double* panel) {
  HWY_DYNAMIC_DISPATCH(pack_panel_of)(pieces, num_pieces, count, panel);
}

void multiply_panel(const double* packed, std::int64_t first, std::int64_t last,
                    const double* panel, std::int64_t count, bool add, double* c) {
  HWY_DYNAMIC_DISPATCH(multiply_panel_of)(packed, first, last, panel, count, add, c);
}

}  // namespace kappa
#endif  // HWY_ONCE
