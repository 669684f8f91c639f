// Chained Rosenbrock written with arrays: set-up, sparse Hessian and Hessian product against the
// same by hand, in one run. "By hand" is compiled as a user's code is, -O3 without an instruction
// set; the last column is against loops compiled for AVX-512 and AVX2 as well (rosenbrock_hand.h).
//
//   trace_bench [n]
#include <Eigen/SparseCore>
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

__attribute__((noinline)) void product_by_hand(const double* x, const double* v, std::size_t n,
                                               double* product) {
  product[0] = (1200 * x[0] * x[0] - 400 * x[1] + 2) * v[0] - 400 * x[0] * v[1];
  for (std::size_t i = 1; i + 1 < n; ++i) {
    product[i] = (1200 * x[i] * x[i] - 400 * x[i + 1] + 202) * v[i] -
                 400 * (x[i] * v[i + 1] + x[i - 1] * v[i - 1]);
  }
  product[n - 1] = 200 * v[n - 1] - 400 * x[n - 2] * v[n - 2];
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
      seconds([&] { product_by_hand(x.data(), v.data(), size, expected.data()); });
  const double hvp_wide =
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
  std::printf("set-up and first Hessian  %10.2f us\n", 1e6 * setup);
  const auto line = [](const char* what, double ours, double by, double wide, double difference) {
    std::printf("%-18s %10.2f us, by hand %10.2f us, ratio %6.2f", what, 1e6 * ours, 1e6 * by,
                ours / by);
    if (wide > 0) std::printf(" (AVX: %5.2f)", ours / wide);
    std::printf(", difference %.1e\n", difference);
  };
  line("sparse Hessian", values, by_hand, 0, error);
  line("Hessian product", hvp, hvp_by_hand, hvp_wide,
       (product - expected).norm() / expected.norm());
  line("gradient", gradient, gradient_by_hand, 0, (g - g_expected).norm() / g_expected.norm());
  line("value", value, value_by_hand, 0, std::abs(sum - sum_by_hand) / std::abs(sum));
}
