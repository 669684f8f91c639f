// Sparse Hessians and Hessian products of sums of elements, against code written by hand.
//
//   elements_bench [rosenbrock|springs|all]
#include <Eigen/SparseCore>
#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "kappa/elements.h"

namespace {

/// Best of several runs, seconds per call.
template <class F>
double seconds(const F& call, double budget = 1.0) {
  using Clock = std::chrono::steady_clock;
  double best = 1e300;
  const auto begin = Clock::now();
  int repeats = 1;
  do {
    const auto start = Clock::now();
    for (int r = 0; r < repeats; ++r) call();
    const double t = std::chrono::duration<double>(Clock::now() - start).count();
    best = std::min(best, t / repeats);
    if (t < 1e-3) repeats *= 2;
  } while (std::chrono::duration<double>(Clock::now() - begin).count() < budget);
  return best;
}

long resident_kilobytes() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("VmRSS:")) return std::atol(line.c_str() + 6);
  }
  return 0;
}

// ---- chained Rosenbrock: sum of 100 (x[i+1] - x[i]^2)^2 + (1 - x[i])^2 -------------------------

/// Lower triangle, CSC: column i holds (i, i) and (i + 1, i).
[[gnu::noinline]] void rosenbrock_hessian_by_hand(const double* x, std::size_t n, double* values) {
  values[0] = 1200 * x[0] * x[0] - 400 * x[1] + 2;
  values[1] = -400 * x[0];
  for (std::size_t i = 1; i + 1 < n; ++i) {
    values[2 * i] = 1200 * x[i] * x[i] - 400 * x[i + 1] + 202;
    values[2 * i + 1] = -400 * x[i];
  }
  values[2 * (n - 1)] = 200;
}

[[gnu::noinline]] void rosenbrock_product_by_hand(const double* x, const double* v, std::size_t n,
                                                  double* hv) {
  hv[0] = (1200 * x[0] * x[0] - 400 * x[1] + 2) * v[0] - 400 * x[0] * v[1];
  for (std::size_t i = 1; i + 1 < n; ++i) {
    hv[i] = (1200 * x[i] * x[i] - 400 * x[i + 1] + 202) * v[i] - 400 * x[i] * v[i + 1] -
            400 * x[i - 1] * v[i - 1];
  }
  hv[n - 1] = 200 * v[n - 1] - 400 * x[n - 2] * v[n - 2];
}

double largest_difference(const std::vector<double>& a, const std::vector<double>& b) {
  double worst = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    worst = std::max(worst, std::abs(a[i] - b[i]) / (1 + std::abs(b[i])));
  }
  return worst;
}

void rosenbrock(std::size_t n) {
  const long before = resident_kilobytes();
  std::vector<double> x(n);
  std::vector<double> v(n);
  std::mt19937 random(1);
  std::uniform_real_distribution<double> uniform(-1, 1);
  for (std::size_t i = 0; i < n; ++i) {
    x[i] = uniform(random);
    v[i] = uniform(random);
  }
  std::vector<double> by_hand(2 * n - 1);
  std::vector<double> values(2 * n - 1);
  std::vector<double> product_by_hand(n);
  std::vector<double> product(n);

  const auto start = std::chrono::steady_clock::now();
  std::vector<std::array<int, 2>> pairs(n - 1);
  for (std::size_t i = 0; i + 1 < n; ++i) pairs[i] = {static_cast<int>(i), static_cast<int>(i) + 1};
  const kappa::ElementSum f(static_cast<std::int64_t>(n), kappa::elements(pairs, [](const auto& y) {
                              const auto t = y[1] - y[0] * y[0];
                              const auto u = 1 - y[0];
                              return 100 * (t * t) + u * u;
                            }));
  const kappa::SparseHessian hessian(f, {.triangle = kappa::Triangle::lower});
  const double setup =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  const long memory = resident_kilobytes() - before;

  const double hand = seconds([&] { rosenbrock_hessian_by_hand(x.data(), n, by_hand.data()); });
  std::printf("rosenbrock n = %-8zu set-up %.3f s, memory %.0f MB\n", n, setup, 1e-3 * memory);
  for (const auto& [name, level] :
       {std::pair("automatic", kappa::SimdLevel::automatic),
        std::pair("avx2", kappa::SimdLevel::avx2), std::pair("base", kappa::SimdLevel::base)}) {
    const double ours = seconds([&] { hessian.values(f, x, values, {.simd = level}); });
    std::printf("  hessian %-10s %10.2f us  by hand %10.2f us  ratio %5.2f  difference %.1e\n",
                name, 1e6 * ours, 1e6 * hand, ours / hand, largest_difference(values, by_hand));
  }
  const double hand_product =
      seconds([&] { rosenbrock_product_by_hand(x.data(), v.data(), n, product_by_hand.data()); });
  const double ours_product = seconds([&] { f.hvp(x, v, product); });
  std::printf("  product            %10.2f us  by hand %10.2f us  ratio %5.2f  difference %.1e\n",
              1e6 * ours_product, 1e6 * hand_product, ours_product / hand_product,
              largest_difference(product, product_by_hand));
  const double gradient = seconds([&] { f.gradient(x, product); });
  std::printf("  gradient           %10.2f us\n", 1e6 * gradient);
}

// ---- springs: 1/2 k (|xi - xj| - L)^2 on a three-dimensional mesh ------------------------------

struct Mesh {
  std::size_t num_vertices = 0;
  std::vector<std::array<int, 6>> springs;
  std::vector<std::array<double, 2>> data;  ///< stiffness, rest length
  std::vector<double> x;
};

/// A box of side^3 vertices with axis springs, slightly shaken; about three springs a vertex.
Mesh make_mesh(int side) {
  Mesh mesh;
  mesh.num_vertices = static_cast<std::size_t>(side) * side * side;
  std::mt19937 random(7);
  std::uniform_real_distribution<double> shake(-0.2, 0.2);
  const auto id = [side](int i, int j, int k) { return (i * side + j) * side + k; };
  for (int i = 0; i < side; ++i) {
    for (int j = 0; j < side; ++j) {
      for (int k = 0; k < side; ++k) {
        for (const double c : {double(i), double(j), double(k)})
          mesh.x.push_back(c + shake(random));
        const int a = id(i, j, k);
        const auto connect = [&](int b) {
          mesh.springs.push_back({3 * a, 3 * a + 1, 3 * a + 2, 3 * b, 3 * b + 1, 3 * b + 2});
          mesh.data.push_back({1 + shake(random), 1 + shake(random)});
        };
        if (k + 1 < side) connect(id(i, j, k + 1));
        if (j + 1 < side) connect(id(i, j + 1, k));
        if (i + 1 < side) connect(id(i + 1, j, k));
      }
    }
  }
  return mesh;
}

/// By hand: the 3 x 3 block B of every spring, added to four blocks of the full matrix through a
/// map made beforehand: position of the first row of each of the block's columns.
struct HandMap {
  std::vector<std::array<int, 12>> at;  ///< columns of (i,i), (j,j), (i,j), (j,i)
};

HandMap make_hand_map(const Mesh& mesh, const Eigen::SparseMatrix<double>& h) {
  HandMap map;
  const auto position = [&](int row, int col) {
    const int* begin = h.innerIndexPtr() + h.outerIndexPtr()[col];
    const int* end = h.innerIndexPtr() + h.outerIndexPtr()[col + 1];
    return static_cast<int>(std::lower_bound(begin, end, row) - h.innerIndexPtr());
  };
  for (const auto& s : mesh.springs) {
    std::array<int, 12> a;
    for (int c = 0; c < 3; ++c) {
      a[c] = position(s[0], s[c]);
      a[3 + c] = position(s[3], s[3 + c]);
      a[6 + c] = position(s[0], s[3 + c]);
      a[9 + c] = position(s[3], s[c]);
    }
    map.at.push_back(a);
  }
  return map;
}

[[gnu::noinline]] void springs_by_hand(const Mesh& mesh, const HandMap& map, const double* x,
                                       double* values, std::size_t num_values) {
  std::memset(values, 0, num_values * sizeof(double));
  for (std::size_t e = 0; e < mesh.springs.size(); ++e) {
    const auto& s = mesh.springs[e];
    const double d[3] = {x[s[0]] - x[s[3]], x[s[1]] - x[s[4]], x[s[2]] - x[s[5]]};
    const double k = mesh.data[e][0];
    const double length = std::sqrt(d[0] * d[0] + d[1] * d[1] + d[2] * d[2]);
    const double ratio = mesh.data[e][1] / length;
    const double outer = k * ratio / (length * length);
    const double inner = k * (1 - ratio);
    const auto& at = map.at[e];
    for (int c = 0; c < 3; ++c) {
      for (int r = 0; r < 3; ++r) {
        const double b = outer * d[r] * d[c] + (r == c ? inner : 0);
        values[at[c] + r] += b;
        values[at[3 + c] + r] += b;
        values[at[6 + c] + r] -= b;
        values[at[9 + c] + r] -= b;
      }
    }
  }
}

/// Two threads of one evaluation, and two evaluations at once that share nothing but the machine
/// (the ceiling), against one, in turn, so that all three meet the same minute. Medians of the
/// ratios.
template <class Sum>
void print_two_threads(const Sum& f, const kappa::SparseHessian& hessian,
                       const std::vector<double>& x) {
  constexpr int kRounds = 15;
  constexpr int kCalls = 5;
  std::vector<double> values(static_cast<std::size_t>(hessian.num_nonzeros()));
  std::vector<double> other(values.size());
  const auto evaluate = [&](std::vector<double>& to, int num_threads) {
    for (int i = 0; i < kCalls; ++i) hessian.values(f, x, to, {.num_threads = num_threads});
  };
  const auto time = [](const auto& call) {
    const auto start = std::chrono::steady_clock::now();
    call();
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  };
  std::vector<double> two;
  std::vector<double> pair;
  for (int round = 0; round < kRounds; ++round) {
    const double one = time([&] { evaluate(values, 1); });
    two.push_back(one / time([&] { evaluate(values, 2); }));
    pair.push_back(2 * one / time([&] {
                     std::thread thread([&] { evaluate(other, 1); });
                     evaluate(values, 1);
                     thread.join();
                   }));
  }
  std::sort(two.begin(), two.end());
  std::sort(pair.begin(), pair.end());
  std::printf(
      "  two threads: %.2f times one (%.2f to %.2f); two evaluations at once: %.2f (%.2f "
      "to %.2f)\n",
      two[kRounds / 2], two.front(), two.back(), pair[kRounds / 2], pair.front(), pair.back());
}

void springs() {
  const Mesh mesh = make_mesh(47);
  const auto start = std::chrono::steady_clock::now();
  const kappa::ElementSum f(
      static_cast<std::int64_t>(3 * mesh.num_vertices),
      kappa::elements(mesh.springs, mesh.data, [](const auto& x, const auto& d) {
        const auto a = x[0] - x[3];
        const auto b = x[1] - x[4];
        const auto c = x[2] - x[5];
        const auto stretch = sqrt(a * a + b * b + c * c) - d[1];
        return 0.5 * d[0] * (stretch * stretch);
      }));
  const kappa::SparseHessian& hessian = f.full_hessian();
  const double setup =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  Eigen::SparseMatrix<double> h = hessian.matrix(
      f, Eigen::Map<const Eigen::VectorXd>(mesh.x.data(), Eigen::Index(mesh.x.size())));
  const HandMap map = make_hand_map(mesh, h);
  std::vector<double> by_hand(static_cast<std::size_t>(h.nonZeros()));
  std::vector<double> values(by_hand.size());
  std::printf("springs: %zu vertices, %zu springs, %td entries, set-up %.3f s\n", mesh.num_vertices,
              mesh.springs.size(), h.nonZeros(), setup);
  const auto hand = [&] {
    return seconds(
        [&] { springs_by_hand(mesh, map, mesh.x.data(), by_hand.data(), by_hand.size()); }, 1.5);
  };
  const double by_hand_seconds = hand();
  const auto run = [&](const char* name, kappa::ElementOptions options) {
    const double ours = seconds([&] { hessian.values(f, mesh.x, values, options); }, 1.5);
    std::printf("  hessian %-22s %8.2f ms  by hand %6.2f ms  ratio %5.2f  difference %.1e\n", name,
                1e3 * ours, 1e3 * by_hand_seconds, ours / by_hand_seconds,
                largest_difference(values, by_hand));
  };
  run("automatic", {});
  run("avx2", {.simd = kappa::SimdLevel::avx2});
  run("base", {.simd = kappa::SimdLevel::base});
  run("two threads", {.num_threads = 2});
  print_two_threads(f, hessian, mesh.x);
  run("clamped", {.projection = kappa::Projection::clamp});
  run("clamped, avx2", {.projection = kappa::Projection::clamp, .simd = kappa::SimdLevel::avx2});
  run("clamped, base", {.projection = kappa::Projection::clamp, .simd = kappa::SimdLevel::base});
}

}  // namespace

int main(int argc, char** argv) {
  const std::string what = argc > 1 ? argv[1] : "all";
  if (what == "rosenbrock" || what == "all") {
    for (const std::size_t n : {std::size_t{1000}, std::size_t{100000}, std::size_t{1000000}}) {
      rosenbrock(n);
    }
  }
  if (what == "springs" || what == "all") springs();
}
