// Chained Rosenbrock written with arrays: set-up, sparse Hessian and Hessian product against the
// same by hand, in one run.
//
//   trace_bench [n]
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "kappa/function.h"
#include "rosenbrock_hand.h"

namespace {

template <class F>
double seconds(const F& call, int repeats = 15) {
  double best = 1e300;
  for (int r = 0; r < repeats; ++r) {
    const auto start = std::chrono::steady_clock::now();
    call();
    best = std::min(
        best, std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  }
  return best;
}

/// Both triangles by columns, as kappa::sparse_hessian returns them.
__attribute__((noinline)) void hessian_by_hand(const double* x, std::size_t n, double* values) {
  values[0] = 1200 * x[0] * x[0] - 400 * x[1] + 2;
  values[1] = -400 * x[0];
  for (std::size_t i = 1; i + 1 < n; ++i) {
    values[3 * i - 1] = -400 * x[i - 1];
    values[3 * i] = 1200 * x[i] * x[i] - 400 * x[i + 1] + 202;
    values[3 * i + 1] = -400 * x[i];
  }
  values[3 * n - 4] = -400 * x[n - 2];
  values[3 * n - 3] = 200;
}

}  // namespace

int main(int argc, char** argv) {
  const std::int64_t n = argc > 1 ? std::atoll(argv[1]) : 1000000;
  const Eigen::VectorXd x = 0.5 * Eigen::VectorXd::Random(n);
  const Eigen::VectorXd v = Eigen::VectorXd::Random(n);
  const auto make = [n] {
    return kappa::trace(
        [n](kappa::Array z) {
          const kappa::Array a = slice(z, {0}, {n - 1}), b = slice(z, {1}, {n});
          return sum(100 * square(b - a * a) + square(1 - a));
        },
        n);
  };
  Eigen::SparseMatrix<double> s;
  const kappa::Function f = make();
  const double setup = seconds([&] { sparse_hessian(f, x, s); }, 1);
  const std::span<double> in_place(s.valuePtr(), static_cast<std::size_t>(s.nonZeros()));
  const double values = seconds([&] {
    kappa::sparse_hessian_values(f, {x.data(), static_cast<std::size_t>(n)}, in_place);
  });
  std::vector<double> hand(static_cast<std::size_t>(3 * n - 2));
  const double by_hand =
      seconds([&] { hessian_by_hand(x.data(), static_cast<std::size_t>(n), hand.data()); });
  double error = 0;
  for (std::size_t k = 0; k < hand.size(); ++k) {
    error = std::max(error, std::abs(hand[k] - s.valuePtr()[k]));
  }
  Eigen::VectorXd product(n), expected(n);
  const auto size = static_cast<std::size_t>(n);
  const std::span<const double> xs(x.data(), size), vs(v.data(), size);
  const double hvp = seconds([&] { kappa::hvp(f, xs, vs, {product.data(), size}); });
  const double hvp_by_hand =
      seconds([&] { rosenbrock_hand::hessian_product(size, x.data(), v.data(), expected.data()); });
  double sum = 0, sum_by_hand = 0;
  const double value = seconds([&] { sum = kappa::value(f, xs); });
  const double value_by_hand =
      seconds([&] { sum_by_hand = rosenbrock_hand::value(size, x.data()); });
  Eigen::VectorXd g(n), g_expected(n);
  const double gradient = seconds([&] { kappa::gradient(f, xs, {g.data(), size}); });
  const double gradient_by_hand =
      seconds([&] { rosenbrock_hand::gradient(size, x.data(), g_expected.data()); });
  std::printf("n = %lld\n", static_cast<long long>(n));
  std::printf("set-up and first Hessian  %8.2f ms\n", 1e3 * setup);
  std::printf("sparse Hessian            %8.3f ms, by hand %8.3f ms, ratio %6.2f, error %.1e\n",
              1e3 * values, 1e3 * by_hand, values / by_hand, error);
  std::printf("Hessian product           %8.3f ms, by hand %8.3f ms, ratio %6.2f, error %.1e\n",
              1e3 * hvp, 1e3 * hvp_by_hand, hvp / hvp_by_hand, (product - expected).norm());
  std::printf("gradient                  %8.3f ms, by hand %8.3f ms, ratio %6.2f, error %.1e\n",
              1e3 * gradient, 1e3 * gradient_by_hand, gradient / gradient_by_hand,
              (g - g_expected).norm());
  std::printf("value                     %8.3f ms, by hand %8.3f ms, ratio %6.2f, error %.1e\n",
              1e3 * value, 1e3 * value_by_hand, value / value_by_hand,
              std::abs(sum - sum_by_hand) / std::abs(sum));
}
