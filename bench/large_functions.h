#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "bench/rosenbrock_hand.h"

/// Functions of many variables, by loops that the compiler vectorises, compiled for three
/// instruction sets and chosen at load time. They know nothing of Kappa: its tests, its benchmark
/// and the peers of that minimise the same ones.
namespace large {

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
#define LARGE_CLONES __attribute__((noinline, target_clones("avx512f", "avx2", "default")))
#else
#define LARGE_CLONES __attribute__((noinline))
#endif

class Function {
 public:
  virtual ~Function() = default;
  [[nodiscard]] virtual std::size_t size() const = 0;
  [[nodiscard]] virtual std::vector<double> start() const = 0;
  /// max |g_i| of a point that counts as converged.
  [[nodiscard]] virtual double tolerance() const { return 1e-6; }
  [[nodiscard]] virtual double value(const double* x) const = 0;
  /// Returns f(x) as well.
  virtual double gradient(const double* x, double* g) const = 0;
  /// What products at x share.
  [[nodiscard]] virtual std::vector<double> prepare(const double* x) const {
    return {x, x + size()};
  }
  virtual void product(const double* prepared, const double* d, double* p) const = 0;
};

/// Functions of (n, x): what products share is x itself.
template <auto Start, auto Value, auto Gradient, auto Product>
class ByLoops final : public Function {
 public:
  explicit ByLoops(std::size_t n) : n_(n) {}
  [[nodiscard]] std::size_t size() const override { return n_; }
  [[nodiscard]] std::vector<double> start() const override { return Start(n_); }
  [[nodiscard]] double value(const double* x) const override { return Value(n_, x); }
  double gradient(const double* x, double* g) const override {
    Gradient(n_, x, g);
    return Value(n_, x);
  }
  void product(const double* x, const double* d, double* p) const override { Product(n_, x, d, p); }

 private:
  std::size_t n_;
};

// Independent partial sums let a reduction vectorise without -ffast-math.
constexpr std::size_t kLanes = 16;
inline double total(const double (&partial)[kLanes]) {
  double sum = 0;
  for (const double p : partial) sum += p;
  return sum;
}

// --- chained Rosenbrock -------------------------------------------------------------------------

inline std::vector<double> rosenbrock_start(std::size_t n) {
  std::vector<double> x(n, 1.2);
  for (std::size_t i = 0; i < n; i += 2) x[i] = 0.8;
  return x;
}

/// sum 100 (x_{i+1} - x_i^2)^2 + (1 - x_i)^2 from 0.8, 1.2, 0.8, ...
using ChainedRosenbrock = ByLoops<rosenbrock_start, rosenbrock_hand::value,
                                  rosenbrock_hand::gradient, rosenbrock_hand::hessian_product>;

// --- Broyden tridiagonal ------------------------------------------------------------------------

namespace broyden {

// What is left of the first and right of the last is 0; Inside says that neither is asked for.
template <bool Inside>
double entry(std::size_t n, const double* x, std::size_t i) {
  return Inside || i < n ? x[i] : 0.0;  // i - 1 of the first wraps around, beyond n
}
template <bool Inside>
double residual(std::size_t n, const double* x, std::size_t i) {
  if (!Inside && i >= n) return 0;
  return (3 - 2 * x[i]) * x[i] - entry<Inside>(n, x, i - 1) - 2 * entry<Inside>(n, x, i + 1) + 1;
}
template <bool Inside>
double change(std::size_t n, const double* x, const double* d, std::size_t i) {
  if (!Inside && i >= n) return 0;
  return (3 - 4 * x[i]) * d[i] - entry<Inside>(n, d, i - 1) - 2 * entry<Inside>(n, d, i + 1);
}
template <bool Inside>
double gradient_at(std::size_t n, const double* x, std::size_t i) {
  return 2 * ((3 - 4 * x[i]) * residual<Inside>(n, x, i) - residual<Inside>(n, x, i + 1) -
              2 * residual<Inside>(n, x, i - 1));
}
template <bool Inside>
double product_at(std::size_t n, const double* x, const double* d, std::size_t i) {
  return 2 * ((3 - 4 * x[i]) * change<Inside>(n, x, d, i) - change<Inside>(n, x, d, i + 1) -
              2 * change<Inside>(n, x, d, i - 1)) -
         8 * residual<Inside>(n, x, i) * d[i];
}

LARGE_CLONES static double value(std::size_t n, const double* __restrict x) {
  double partial[kLanes] = {};
  std::size_t i = 1;
  for (; i + kLanes < n; i += kLanes) {
    for (std::size_t lane = 0; lane < kLanes; ++lane) {
      const double r = residual<true>(n, x, i + lane);
      partial[lane] += r * r;
    }
  }
  double sum = total(partial) + residual<false>(n, x, 0) * residual<false>(n, x, 0);
  for (; i < n; ++i) sum += residual<false>(n, x, i) * residual<false>(n, x, i);
  return sum;
}
LARGE_CLONES static void gradient(std::size_t n, const double* __restrict x, double* __restrict g) {
  for (std::size_t i = 0; i < 2; ++i) g[i] = gradient_at<false>(n, x, i);
  for (std::size_t i = 2; i + 2 < n; ++i) g[i] = gradient_at<true>(n, x, i);
  for (std::size_t i = n - 2; i < n; ++i) g[i] = gradient_at<false>(n, x, i);
}
LARGE_CLONES static void product(std::size_t n, const double* __restrict x,
                                 const double* __restrict d, double* __restrict p) {
  for (std::size_t i = 0; i < 2; ++i) p[i] = product_at<false>(n, x, d, i);
  for (std::size_t i = 2; i + 2 < n; ++i) p[i] = product_at<true>(n, x, d, i);
  for (std::size_t i = n - 2; i < n; ++i) p[i] = product_at<false>(n, x, d, i);
}
inline std::vector<double> start(std::size_t n) { return std::vector<double>(n, -1.0); }

}  // namespace broyden

/// sum ((3 - 2 x_i) x_i - x_{i-1} - 2 x_{i+1} + 1)^2 from -1, n >= 4; has minima other than 0.
using BroydenTridiagonal =
    ByLoops<broyden::start, broyden::value, broyden::gradient, broyden::product>;

// --- variably dimensioned -----------------------------------------------------------------------

namespace variably {

inline double weight(std::size_t n, std::size_t i) {
  return (static_cast<double>(i) + 1) / static_cast<double>(n);
}

// sum w_i (x_i - c) and sum (x_i - c)^2
LARGE_CLONES static std::array<double, 2> sums(std::size_t n, const double* __restrict x,
                                               double c) {
  double first[kLanes] = {}, second[kLanes] = {};
  std::size_t i = 0;
  for (; i + kLanes <= n; i += kLanes) {
    for (std::size_t lane = 0; lane < kLanes; ++lane) {
      const double e = x[i + lane] - c;
      first[lane] += weight(n, i + lane) * e;
      second[lane] += e * e;
    }
  }
  double a = total(first), b = total(second);
  for (; i < n; ++i) {
    a += weight(n, i) * (x[i] - c);
    b += (x[i] - c) * (x[i] - c);
  }
  return {a, b};
}
// out = 2 (x - c) + s w
LARGE_CLONES static void combine(std::size_t n, const double* __restrict x, double c, double s,
                                 double* __restrict out) {
  for (std::size_t i = 0; i < n; ++i) out[i] = 2 * (x[i] - c) + s * weight(n, i);
}

}  // namespace variably

/// sum (x_i - 1)^2 + s^2 + s^4, s = sum i (x_i - 1) / n, from 1 - i/n: the sum is over n so that
/// the problem stays the same at every size.
class VariablyDimensioned final : public Function {
 public:
  explicit VariablyDimensioned(std::size_t n) : n_(n) {}
  [[nodiscard]] std::size_t size() const override { return n_; }
  [[nodiscard]] std::vector<double> start() const override {
    std::vector<double> x(n_);
    for (std::size_t i = 0; i < n_; ++i) x[i] = 1 - variably::weight(n_, i);
    return x;
  }
  [[nodiscard]] double value(const double* x) const override {
    const auto [s, squares] = variably::sums(n_, x, 1);
    return squares + s * s + s * s * s * s;
  }
  double gradient(const double* x, double* g) const override {
    const auto [s, squares] = variably::sums(n_, x, 1);
    variably::combine(n_, x, 1, 2 * s + 4 * s * s * s, g);
    return squares + s * s + s * s * s * s;
  }
  [[nodiscard]] std::vector<double> prepare(const double* x) const override {
    return {variably::sums(n_, x, 1)[0]};
  }
  void product(const double* s, const double* d, double* p) const override {
    variably::combine(n_, d, 0, (2 + 12 * *s * *s) * variably::sums(n_, d, 0)[0], p);
  }

 private:
  std::size_t n_;
};

// --- minimal surface ----------------------------------------------------------------------------

namespace surface {

/// The two triangles of each cell between the grid rows `low` and `high`, k + 2 points each: area
/// over h^2 / 2, and if asked for the derivatives by the steps of the first (up from low[j] and
/// right of it) and of the second (down from high[j+1] and left of it), over h / 2.
struct Steps {
  double *up, *right, *down, *left;
};
template <bool Derivatives>
inline double cell(const double* low, const double* high, double scale, std::size_t j,
                   const Steps& out) {
  const double up = (high[j] - low[j]) * scale, right = (low[j + 1] - low[j]) * scale;
  const double down = (low[j + 1] - high[j + 1]) * scale, left = (high[j] - high[j + 1]) * scale;
  const double first = std::sqrt(1 + up * up + right * right);
  const double second = std::sqrt(1 + down * down + left * left);
  if constexpr (Derivatives) {
    const double a = 1 / first, b = 1 / second;
    out.up[j] = a * up;
    out.right[j] = a * right;
    out.down[j] = b * down;
    out.left[j] = b * left;
  }
  return first + second;
}
template <bool Derivatives>
inline double cells(std::size_t k, const double* __restrict low, const double* __restrict high,
                    double scale, double* __restrict up, double* __restrict right,
                    double* __restrict down, double* __restrict left) {
  const Steps out{up, right, down, left};
  double partial[kLanes] = {};
  std::size_t j = 0;
  for (; j + kLanes <= k + 1; j += kLanes) {
    for (std::size_t lane = 0; lane < kLanes; ++lane) {
      partial[lane] += cell<Derivatives>(low, high, scale, j + lane, out);
    }
  }
  double sum = total(partial);
  for (; j <= k; ++j) sum += cell<Derivatives>(low, high, scale, j, out);
  return sum;
}
LARGE_CLONES static double area(std::size_t k, const double* low, const double* high,
                                double scale) {
  return cells<false>(k, low, high, scale, nullptr, nullptr, nullptr, nullptr);
}
LARGE_CLONES static double area_and_steps(std::size_t k, const double* low, const double* high,
                                          double scale, double* up, double* right, double* down,
                                          double* left) {
  return cells<true>(k, low, high, scale, up, right, down, left);
}

// What the cells below and above a row of points add to its gradient, over h / 2.
LARGE_CLONES static void add_cells_below(std::size_t k, const double* __restrict up,
                                         const double* __restrict down,
                                         const double* __restrict left, double scale,
                                         double* __restrict g) {
  for (std::size_t j = 1; j <= k; ++j) {
    g[j - 1] = scale * (up[j] + left[j] - down[j - 1] - left[j - 1]);
  }
}
LARGE_CLONES static void add_cells_above(std::size_t k, const double* __restrict up,
                                         const double* __restrict right,
                                         const double* __restrict down, double scale,
                                         double* __restrict g) {
  for (std::size_t j = 1; j <= k; ++j) {
    g[j - 1] += scale * (right[j - 1] + down[j - 1] - up[j] - right[j]);
  }
}

// Second derivatives: every triangle is three springs between its corners, of stiffness
// (1 - u^2/q - u v/q, 1 - v^2/q - u v/q, u v/q) / (2 root), q = root^2. `below` holds those of the
// second triangles of the row of cells below, which share their horizontal edge with this row.
LARGE_CLONES static void springs(std::size_t k, const double* __restrict low,
                                 const double* __restrict high, double scale,
                                 double* __restrict vertical, double* __restrict horizontal,
                                 double* __restrict slanted, double* __restrict next_horizontal,
                                 double* __restrict next_vertical) {
  for (std::size_t j = 0; j <= k; ++j) {
    const double u = (high[j] - low[j]) * scale, v = (low[j + 1] - low[j]) * scale;
    const double q = 1 + u * u + v * v, half = 0.5 / std::sqrt(q), over = half / q;
    vertical[j] = half - (u * u + u * v) * over;
    horizontal[j] += half - (v * v + u * v) * over;
    const double down = (low[j + 1] - high[j + 1]) * scale, left = (high[j] - high[j + 1]) * scale;
    const double q2 = 1 + down * down + left * left, half2 = 0.5 / std::sqrt(q2),
                 over2 = half2 / q2;
    next_vertical[j] = half2 - (down * down + down * left) * over2;
    next_horizontal[j] = half2 - (left * left + down * left) * over2;
    // The springs push apart along the third side where u v > 0: stiffness -k12 of either triangle.
    slanted[j] = u * v * over + down * left * over2;
  }
}
LARGE_CLONES static void product_row(std::size_t k, const double* __restrict vertical_below,
                                     const double* __restrict vertical,
                                     const double* __restrict horizontal,
                                     const double* __restrict slanted_below,
                                     const double* __restrict slanted,
                                     const double* __restrict below, const double* __restrict row,
                                     const double* __restrict above, double* __restrict p) {
  for (std::size_t j = 1; j <= k; ++j) {
    const double d = row[j];
    p[j - 1] = vertical[j] * (d - above[j]) + vertical_below[j] * (d - below[j]) +
               horizontal[j] * (d - row[j + 1]) + horizontal[j - 1] * (d - row[j - 1]) +
               slanted[j - 1] * (d - above[j - 1]) + slanted_below[j] * (d - below[j + 1]);
  }
}

}  // namespace surface

/// Area of a surface over k x k inner points of the square [-1/2, 1/2]^2, each cell two triangles,
/// within the boundary of Enneper's minimal surface: MINPACK-2 (Averick, Carter, More & Xue 1992,
/// "minimal surfaces"), which has the same start, the mean of the linear interpolations between
/// opposite sides. The gradient is h^2 times the mean curvature, so the tolerance goes with h^2.
class MinimalSurface final : public Function {
 public:
  explicit MinimalSurface(std::size_t k)
      : k_(k), h_(1 / (static_cast<double>(k) + 1)), low_(k + 2), high_(k + 2), left_(k + 2) {
    for (std::size_t i = 0; i < k + 2; ++i) {
      low_[i] = exact(i, 0);
      high_[i] = exact(i, k + 1);
      left_[i] = exact(0, i);
    }
    right_ = left_;  // the surface is symmetric in x
  }
  [[nodiscard]] std::size_t size() const override { return k_ * k_; }
  [[nodiscard]] double tolerance() const override { return 1e-6 * h_ * h_; }

  /// Enneper's surface at the grid point: z = u^2 - v^2 where x = u + u v^2 - u^3 / 3 and
  /// y = -v - u^2 v + v^3 / 3.
  [[nodiscard]] double exact(std::size_t column, std::size_t row) const {
    const double x = static_cast<double>(column) * h_ - 0.5;
    const double y = static_cast<double>(row) * h_ - 0.5;
    double u = x, v = -y;
    for (int step = 0; step < 20; ++step) {
      const double a = u + u * v * v - u * u * u / 3 - x, b = -v - u * u * v + v * v * v / 3 - y;
      const double aa = 1 + v * v - u * u, ab = 2 * u * v, ba = -2 * u * v, bb = -1 - u * u + v * v;
      const double determinant = aa * bb - ab * ba;
      u -= (a * bb - b * ab) / determinant;
      v -= (aa * b - ba * a) / determinant;
    }
    return u * u - v * v;
  }

  [[nodiscard]] std::vector<double> start() const override {
    std::vector<double> x(size());
    for (std::size_t i = 1; i <= k_; ++i) {
      const double t = static_cast<double>(i) * h_;
      for (std::size_t j = 1; j <= k_; ++j) {
        const double s = static_cast<double>(j) * h_;
        x[(i - 1) * k_ + j - 1] =
            0.5 * (low_[j] + (high_[j] - low_[j]) * t + left_[i] + (right_[i] - left_[i]) * s);
      }
    }
    return x;
  }

  [[nodiscard]] double value(const double* x) const override {
    double sum = 0;
    for_rows(x, true, [&](std::size_t, const double* low, const double* high) {
      sum += surface::area(k_, low, high, 1 / h_);
    });
    return 0.5 * h_ * h_ * sum;
  }

  double gradient(const double* x, double* g) const override {
    std::vector<double> steps(4 * (k_ + 1));
    double *up = steps.data(), *right = up + k_ + 1, *down = right + k_ + 1, *left = down + k_ + 1;
    double sum = 0;
    for_rows(x, true, [&](std::size_t i, const double* low, const double* high) {
      sum += surface::area_and_steps(k_, low, high, 1 / h_, up, right, down, left);
      if (i > 0) surface::add_cells_above(k_, up, right, down, 0.5 * h_, g + (i - 1) * k_);
      if (i < k_) surface::add_cells_below(k_, up, down, left, 0.5 * h_, g + i * k_);
    });
    return 0.5 * h_ * h_ * sum;
  }

  /// The three kinds of springs, (k + 2) rows of k + 1 each.
  [[nodiscard]] std::vector<double> prepare(const double* x) const override {
    const std::size_t row = k_ + 1, block = (k_ + 2) * row;
    std::vector<double> springs(3 * block), next(row);
    double *vertical = springs.data(), *horizontal = vertical + block,
           *slanted = horizontal + block;
    for_rows(x, true, [&](std::size_t i, const double* low, const double* high) {
      // The second triangle of cell j has its vertical edge at point j + 1.
      surface::springs(k_, low, high, 1 / h_, vertical + i * row, horizontal + i * row,
                       slanted + i * row, horizontal + (i + 1) * row, next.data());
      for (std::size_t j = 1; j <= k_; ++j) vertical[i * row + j] += next[j - 1];
    });
    return springs;
  }
  void product(const double* springs, const double* d, double* p) const override {
    const std::size_t row = k_ + 1, block = (k_ + 2) * row;
    const double *vertical = springs, *horizontal = vertical + block, *slanted = horizontal + block;
    std::vector<double> before(k_ + 2);  // the row below, as for_rows keeps two
    for_rows(d, false, [&](std::size_t i, const double* low, const double* high) {
      if (i > 0) {
        surface::product_row(k_, vertical + (i - 1) * row, vertical + i * row, horizontal + i * row,
                             slanted + (i - 1) * row, slanted + i * row, before.data(), low, high,
                             p + (i - 1) * k_);
      }
      std::copy(low, low + k_ + 2, before.begin());
    });
  }

 private:
  // visit(i, row i, row i + 1) for i = 0 .. k, with the boundary, or zeros in its place.
  template <class Visit>
  void for_rows(const double* x, bool boundary, Visit&& visit) const {
    std::vector<double> low(k_ + 2), high(k_ + 2);
    const auto read = [&](std::size_t i, std::vector<double>& row) {
      if (i == 0 || i == k_ + 1) {
        if (boundary) {
          row = i == 0 ? low_ : high_;
        } else {
          std::fill(row.begin(), row.end(), 0.0);
        }
        return;
      }
      row[0] = boundary ? left_[i] : 0;
      row[k_ + 1] = boundary ? right_[i] : 0;
      std::copy(x + (i - 1) * k_, x + i * k_, row.begin() + 1);
    };
    read(0, low);
    for (std::size_t i = 0; i <= k_; ++i) {
      read(i + 1, high);
      visit(i, low.data(), high.data());
      std::swap(low, high);
    }
  }

  std::size_t k_;
  double h_;
  std::vector<double> low_, high_, left_, right_;
};

/// By name; the surface has the square grid that fits into n. Null for an unknown one.
inline std::unique_ptr<Function> make(std::string_view name, std::size_t n) {
  if (name == "rosenbrock") return std::make_unique<ChainedRosenbrock>(n);
  if (name == "broyden") return std::make_unique<BroydenTridiagonal>(n);
  if (name == "variably") return std::make_unique<VariablyDimensioned>(n);
  if (name == "surface") {
    return std::make_unique<MinimalSurface>(
        static_cast<std::size_t>(std::sqrt(static_cast<double>(n))));
  }
  return nullptr;
}

#undef LARGE_CLONES

}  // namespace large
