// Lanczos beside its products: what orthogonalisation, restarts and the small eigenproblems cost at
// n = 670,000 (an mlp:784-512-512-10) against the memory traffic they cannot do without.
//
//   taskset -c 0 build/release/bin/lanczos_bench [n]

#include <array>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "curvature/tall.h"
#include "kappa/curvature.h"

namespace {

double now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

/// A diagonal network-like spectrum that keeps its own time.
class Timed final : public kappa::SymmetricOperator {
 public:
  explicit Timed(std::int64_t n) : lambda_(static_cast<std::size_t>(n)) {
    for (std::size_t i = 0; i < lambda_.size(); ++i) {
      const double t = static_cast<double>(i) / static_cast<double>(n);
      lambda_[i] = i < 10 ? 10 * std::pow(0.05, static_cast<double>(i) / 9)
                          : 0.6 * std::exp(-12 * t) - 0.1 * t;
    }
  }
  [[nodiscard]] std::int64_t dimension() const override {
    return static_cast<std::int64_t>(lambda_.size());
  }
  void apply(std::int64_t k, const double* x, double* y) const override {
    const double start = now();
    for (std::int64_t j = 0; j < k; ++j) {
      for (std::size_t i = 0; i < lambda_.size(); ++i) {
        y[static_cast<std::size_t>(j) * lambda_.size() + i] =
            lambda_[i] * x[static_cast<std::size_t>(j) * lambda_.size() + i];
      }
    }
    seconds += now() - start;
  }
  mutable double seconds = 0;

 private:
  std::vector<double> lambda_;
};

}  // namespace

int main(int argc, char** argv) {
  const std::int64_t n = argc > 1 ? std::atoll(argv[1]) : 670000;
  constexpr std::int64_t columns = 40;
  // What the memory gives: one read of a tall matrix, each entry used once.
  std::vector<double> v(static_cast<std::size_t>(n * columns), 0.5),
      w(static_cast<std::size_t>(4 * n), 0.25);
  std::vector<double> gram(columns * 4);
  double read = 1e9, sink = 0;
  for (int run = 0; run < 3; ++run) {
    const double start = now();
    for (std::int64_t j = 0; j < columns; ++j)
      sink += kappa::tall_dot(n, v.data() + j * n, v.data() + j * n);
    read = std::min(read, now() - start);
  }
  const double bytes = 8.0 * static_cast<double>(n * columns);
  std::printf("n = %lld; reading %lld columns once: %.1f ms, %.1f GB/s (%g)\n",
              static_cast<long long>(n), static_cast<long long>(columns), 1e3 * read,
              bytes / read / 1e9, sink > 0 ? 1.0 : 0.0);
  for (const std::int64_t k : {1, 2, 4}) {
    double g = 1e9, s = 1e9;
    for (int run = 0; run < 3; ++run) {
      double start = now();
      kappa::tall_gram(n, columns, v.data(), k, w.data(), gram.data(), columns);
      g = std::min(g, now() - start);
      start = now();
      for (double& c : gram) c *= 1e-9;
      kappa::tall_subtract(n, columns, v.data(), k, gram.data(), columns, w.data());
      s = std::min(s, now() - start);
    }
    std::printf("  V'W, %lld columns: %.1f ms (%.2f of a read); W -= V C: %.1f ms (%.2f)\n",
                static_cast<long long>(k), 1e3 * g, g / read, 1e3 * s, s / read);
  }
  v = {};
  w = {};

  std::printf("%-22s %8s %8s %9s %12s %14s %9s\n", "top+bottom, block", "products", "restarts",
              "total s", "overhead ms", "of two reads", "status");
  for (const auto& [top, bottom, block] :
       {std::array<std::int64_t, 3>{5, 0, 1}, {10, 0, 1}, {10, 0, 2}, {10, 0, 4}, {10, 3, 1}}) {
    const Timed a(n);
    const double start = now();
    const kappa::LanczosResult r = kappa::lanczos(
        a, {.num_top = top, .num_bottom = bottom, .block_size = block, .max_products = 150});
    const double total = now() - start;
    const double overhead = (total - a.seconds) / static_cast<double>(r.num_products);
    // A step must read the basis twice (coefficients, subtraction); without restarts it holds half
    // of the products on average, with them about three quarters of its limit.
    const double mean = r.num_restarts == 0 ? static_cast<double>(r.num_products) / 2
                                            : 0.75 * static_cast<double>(r.basis_size);
    const double bound = 2 * mean * read / columns / static_cast<double>(block);
    std::printf("%3lld + %lld, block %-7lld %8lld %8lld %9.2f %12.1f %14.2f %9s\n",
                static_cast<long long>(top), static_cast<long long>(bottom),
                static_cast<long long>(block), static_cast<long long>(r.num_products),
                static_cast<long long>(r.num_restarts), total, 1e3 * overhead, overhead / bound,
                kappa::to_string(r.status));
  }
}
