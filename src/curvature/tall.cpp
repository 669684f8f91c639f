#include "curvature/tall.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "curvature/tall.cpp"
#include "hwy/foreach_target.h"
// Must come after foreach_target.
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace kappa {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// Four columns share each load of x; two accumulators a column hide the latency of the additions.
void Dot4(std::int64_t rows, const double* const* v, const double* x, double* sums) {
  const hn::ScalableTag<double> d;
  const std::int64_t lanes = static_cast<std::int64_t>(hn::Lanes(d));
  auto a0 = hn::Zero(d), a1 = a0, a2 = a0, a3 = a0, b0 = a0, b1 = a0, b2 = a0, b3 = a0;
  std::int64_t i = 0;
  for (; i + 2 * lanes <= rows; i += 2 * lanes) {
    const auto x0 = hn::LoadU(d, x + i), x1 = hn::LoadU(d, x + i + lanes);
    a0 = hn::MulAdd(hn::LoadU(d, v[0] + i), x0, a0);
    a1 = hn::MulAdd(hn::LoadU(d, v[1] + i), x0, a1);
    a2 = hn::MulAdd(hn::LoadU(d, v[2] + i), x0, a2);
    a3 = hn::MulAdd(hn::LoadU(d, v[3] + i), x0, a3);
    b0 = hn::MulAdd(hn::LoadU(d, v[0] + i + lanes), x1, b0);
    b1 = hn::MulAdd(hn::LoadU(d, v[1] + i + lanes), x1, b1);
    b2 = hn::MulAdd(hn::LoadU(d, v[2] + i + lanes), x1, b2);
    b3 = hn::MulAdd(hn::LoadU(d, v[3] + i + lanes), x1, b3);
  }
  double s0 = hn::GetLane(hn::SumOfLanes(d, hn::Add(a0, b0)));
  double s1 = hn::GetLane(hn::SumOfLanes(d, hn::Add(a1, b1)));
  double s2 = hn::GetLane(hn::SumOfLanes(d, hn::Add(a2, b2)));
  double s3 = hn::GetLane(hn::SumOfLanes(d, hn::Add(a3, b3)));
  for (; i < rows; ++i) {
    s0 += v[0][i] * x[i];
    s1 += v[1][i] * x[i];
    s2 += v[2][i] * x[i];
    s3 += v[3][i] * x[i];
  }
  sums[0] += s0;
  sums[1] += s1;
  sums[2] += s2;
  sums[3] += s3;
}

double Dot(std::int64_t rows, const double* v, const double* x) {
  const hn::ScalableTag<double> d;
  const std::int64_t lanes = static_cast<std::int64_t>(hn::Lanes(d));
  auto a0 = hn::Zero(d), a1 = a0, a2 = a0, a3 = a0;
  std::int64_t i = 0;
  for (; i + 4 * lanes <= rows; i += 4 * lanes) {
    a0 = hn::MulAdd(hn::LoadU(d, v + i), hn::LoadU(d, x + i), a0);
    a1 = hn::MulAdd(hn::LoadU(d, v + i + lanes), hn::LoadU(d, x + i + lanes), a1);
    a2 = hn::MulAdd(hn::LoadU(d, v + i + 2 * lanes), hn::LoadU(d, x + i + 2 * lanes), a2);
    a3 = hn::MulAdd(hn::LoadU(d, v + i + 3 * lanes), hn::LoadU(d, x + i + 3 * lanes), a3);
  }
  double s = hn::GetLane(hn::SumOfLanes(d, hn::Add(hn::Add(a0, a1), hn::Add(a2, a3))));
  for (; i < rows; ++i) s += v[i] * x[i];
  return s;
}

void Subtract4(std::int64_t rows, const double* const* v, const double* c, double* w) {
  const hn::ScalableTag<double> d;
  const std::int64_t lanes = static_cast<std::int64_t>(hn::Lanes(d));
  const auto c0 = hn::Set(d, c[0]), c1 = hn::Set(d, c[1]), c2 = hn::Set(d, c[2]),
             c3 = hn::Set(d, c[3]);
  std::int64_t i = 0;
  for (; i + lanes <= rows; i += lanes) {
    auto x = hn::LoadU(d, w + i);
    x = hn::NegMulAdd(hn::LoadU(d, v[0] + i), c0, x);
    x = hn::NegMulAdd(hn::LoadU(d, v[1] + i), c1, x);
    x = hn::NegMulAdd(hn::LoadU(d, v[2] + i), c2, x);
    x = hn::NegMulAdd(hn::LoadU(d, v[3] + i), c3, x);
    hn::StoreU(x, d, w + i);
  }
  for (; i < rows; ++i) {
    w[i] -= (v[0][i] * c[0] + v[1][i] * c[1]) + (v[2][i] * c[2] + v[3][i] * c[3]);
  }
}

void Subtract1(std::int64_t rows, const double* v, double c, double* w) {
  const hn::ScalableTag<double> d;
  const std::int64_t lanes = static_cast<std::int64_t>(hn::Lanes(d));
  const auto c0 = hn::Set(d, c);
  std::int64_t i = 0;
  for (; i + lanes <= rows; i += lanes) {
    hn::StoreU(hn::NegMulAdd(hn::LoadU(d, v + i), c0, hn::LoadU(d, w + i)), d, w + i);
  }
  for (; i < rows; ++i) w[i] -= v[i] * c;
}

}  // namespace HWY_NAMESPACE
}  // namespace kappa
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace kappa {
HWY_EXPORT(Dot4);
HWY_EXPORT(Dot);
HWY_EXPORT(Subtract4);
HWY_EXPORT(Subtract1);

namespace {
// Rows of a panel: four columns of it stay in the second-level cache while every column of the
// narrow matrix meets them, and a column is long enough for the prefetcher.
constexpr std::int64_t panel_rows = 4096;
}  // namespace

void tall_gram(std::int64_t n, std::int64_t m, const double* v, std::int64_t k, const double* w,
               double* gram, std::int64_t ld) {
  for (std::int64_t j = 0; j < k; ++j) std::fill_n(gram + j * ld, m, 0.0);
  for (std::int64_t first = 0; first < n; first += panel_rows) {
    const std::int64_t rows = std::min(panel_rows, n - first);
    std::int64_t i = 0;
    for (; i + 4 <= m; i += 4) {
      const double* columns[4];
      for (int c = 0; c < 4; ++c) columns[c] = v + (i + c) * n + first;
      for (std::int64_t j = 0; j < k; ++j) {
        HWY_DYNAMIC_DISPATCH(Dot4)(rows, columns, w + j * n + first, gram + j * ld + i);
      }
    }
    for (; i < m; ++i) {
      for (std::int64_t j = 0; j < k; ++j) {
        gram[j * ld + i] += HWY_DYNAMIC_DISPATCH(Dot)(rows, v + i * n + first, w + j * n + first);
      }
    }
  }
}

namespace {
void subtract_panel(std::int64_t rows, std::int64_t v_stride, std::int64_t m, const double* v,
                    std::int64_t k, const double* c, std::int64_t ld, std::int64_t w_stride,
                    double* w) {
  std::int64_t i = 0;
  for (; i + 4 <= m; i += 4) {
    const double* columns[4];
    for (int q = 0; q < 4; ++q) columns[q] = v + (i + q) * v_stride;
    for (std::int64_t j = 0; j < k; ++j) {
      HWY_DYNAMIC_DISPATCH(Subtract4)(rows, columns, c + j * ld + i, w + j * w_stride);
    }
  }
  for (; i < m; ++i) {
    for (std::int64_t j = 0; j < k; ++j) {
      HWY_DYNAMIC_DISPATCH(Subtract1)(rows, v + i * v_stride, c[j * ld + i], w + j * w_stride);
    }
  }
}
}  // namespace

void tall_subtract(std::int64_t n, std::int64_t m, const double* v, std::int64_t k, const double* c,
                   std::int64_t ld, double* w) {
  for (std::int64_t first = 0; first < n; first += panel_rows) {
    subtract_panel(std::min(panel_rows, n - first), n, m, v + first, k, c, ld, n, w + first);
  }
}

void tall_product(std::int64_t n, std::int64_t m, const double* v, std::int64_t p, const double* y,
                  std::int64_t ld, double* out) {
  // Shorter panels: all m columns of one are read once for each four of the p results.
  constexpr std::int64_t product_rows = 256;
  std::vector<double> minus_y(static_cast<std::size_t>(m * p));
  for (std::int64_t j = 0; j < p; ++j) {
    for (std::int64_t i = 0; i < m; ++i)
      minus_y[static_cast<std::size_t>(j * m + i)] = -y[j * ld + i];
  }
  std::vector<double> panel(static_cast<std::size_t>(product_rows * p));
  for (std::int64_t first = 0; first < n; first += product_rows) {
    const std::int64_t rows = std::min(product_rows, n - first);
    std::fill(panel.begin(), panel.end(), 0.0);
    subtract_panel(rows, n, m, v + first, p, minus_y.data(), m, product_rows, panel.data());
    for (std::int64_t j = 0; j < p; ++j) {
      std::copy_n(panel.data() + j * product_rows, rows, out + j * n + first);
    }
  }
}

double tall_dot(std::int64_t n, const double* x, const double* y) {
  double sum = 0;
  for (std::int64_t first = 0; first < n; first += panel_rows) {
    sum += HWY_DYNAMIC_DISPATCH(Dot)(std::min(panel_rows, n - first), x + first, y + first);
  }
  return sum;
}

double tall_norm(std::int64_t n, const double* x) {
  const double squares = tall_dot(n, x, x);
  if (squares > 1e-280 && squares < 1e280) return std::sqrt(squares);
  // Squares under- or overflow, or x is zero, or not finite.
  double largest = 0;
  for (std::int64_t i = 0; i < n; ++i) {
    const double size = std::fabs(x[i]);
    if (!(size <= std::numeric_limits<double>::max())) return size;
    largest = std::max(largest, size);
  }
  if (largest == 0) return 0;
  double sum = 0;
  for (std::int64_t i = 0; i < n; ++i) sum += (x[i] / largest) * (x[i] / largest);
  return largest * std::sqrt(sum);
}

void tall_scale(std::int64_t n, double scale, double* x) {
  for (std::int64_t i = 0; i < n; ++i) x[i] *= scale;
}

}  // namespace kappa
#endif  // HWY_ONCE
