#include "base/blas.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>
#include <tuple>
#include <vector>

#include "base/threads.h"

namespace kappa {
namespace {

template <class T>
std::vector<T> random_values(std::int64_t count, unsigned seed) {
  std::mt19937 generator(seed);
  std::uniform_real_distribution<double> uniform(-1, 1);
  std::vector<T> values(static_cast<std::size_t>(count));
  for (T& value : values) value = static_cast<T>(uniform(generator));
  return values;
}

template <class T>
void compare_with_loop(double tolerance) {
  // Sizes on both sides of every threshold, with leading dimensions larger than the rows.
  for (const auto& [m, n, k] : {std::tuple{1, 1, 1},
                                {2, 3, 4},
                                {1, 300, 40},
                                {300, 1, 40},
                                {16, 16, 16},
                                {16, 16, 17},
                                {33, 65, 47},
                                {200, 10, 100},
                                {10, 100, 200},
                                {64, 64, 32},
                                {64, 32, 64},
                                {37, 50, 300},
                                {13, 33, 24},
                                {100, 70, 130},
                                {70, 300, 40},
                                {30, 7, 150},
                                {300, 400, 12},
                                {500, 12, 300},
                                {3, 5, 0}}) {
    for (int flags = 0; flags < 8; ++flags) {
      const GemmShape shape{m, n, k, (flags & 1) != 0, (flags & 2) != 0};
      const T beta = (flags & 4) != 0 ? T{1} : T{0};
      const std::int64_t lda = (shape.transpose_a ? m : k) + 3;
      const std::int64_t ldb = (shape.transpose_b ? k : n) + 2;
      const std::int64_t ldc = n + 1;
      const auto a = random_values<T>((shape.transpose_a ? k : m) * lda + 1, 1);
      const auto b = random_values<T>((shape.transpose_b ? n : k) * ldb + 1, 2);
      auto c = random_values<T>(m * ldc, 3);
      const auto before = c;
      if (beta == T{0}) c[0] = std::numeric_limits<T>::quiet_NaN();  // must not be read
      gemm(shape, a.data(), lda, b.data(), ldb, beta, c.data(), ldc);
      for (std::int64_t i = 0; i < m; ++i) {
        for (std::int64_t j = 0; j < ldc; ++j) {
          const auto at = static_cast<std::size_t>(i * ldc + j);
          if (j == n) {
            ASSERT_EQ(c[at], before[at]) << "written beyond a row";
            continue;
          }
          double expected = beta == T{1} ? static_cast<double>(before[at]) : 0;
          for (std::int64_t p = 0; p < k; ++p) {
            const auto ia = static_cast<std::size_t>(shape.transpose_a ? p * lda + i : i * lda + p);
            const auto ib = static_cast<std::size_t>(shape.transpose_b ? j * ldb + p : p * ldb + j);
            expected += static_cast<double>(a[ia]) * static_cast<double>(b[ib]);
          }
          ASSERT_NEAR(c[at], expected, tolerance) << m << " " << n << " " << k << " " << flags;
        }
      }
    }
  }
}

TEST(Gemm, double_precision_agrees_with_a_loop) { compare_with_loop<double>(1e-13); }
TEST(Gemm, single_precision_agrees_with_a_loop) { compare_with_loop<float>(1e-4); }

template <class T>
void same_bits_on_every_thread() {
  const GemmShape shape{150, 130, 170};
  const auto a = random_values<T>(shape.rows * shape.inner, 1);
  const auto b = random_values<T>(shape.inner * shape.columns, 2);
  std::vector<std::vector<T>> results(6);
  parallel_for(3, 6, [&](std::int64_t i) {
    // Other addresses each time, so that alignment has no say either.
    const auto shift = static_cast<std::size_t>(i);
    std::vector<T> moved(shift);
    moved.insert(moved.end(), a.begin(), a.end());
    auto& c = results[shift];
    c.assign(static_cast<std::size_t>(shape.rows * shape.columns), T{0});
    gemm(shape, moved.data() + i, shape.inner, b.data(), shape.columns, T{0}, c.data(),
         shape.columns);
  });
  for (const auto& c : results) EXPECT_EQ(c, results[0]);
}

TEST(Gemm, same_bits_on_every_thread_and_alignment) {
  same_bits_on_every_thread<double>();
  same_bits_on_every_thread<float>();
}

}  // namespace
}  // namespace kappa
