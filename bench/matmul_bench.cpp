// Matrix products of the network mlp:784-512-512-10 as Kappa calls them, against oneDNN and
// OpenBLAS called directly, one thread. Shows which library each shape wants and that the choice
// costs nothing.
//
//   matmul_bench [batch...]        default 256 2048

#include <dlfcn.h>
#include <dnnl.h>
#include <time.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <vector>

#include "base/blas.h"

namespace {

/// Seconds of this thread on a core: on a busy machine a long call is interrupted, and the clock on
/// the wall would count that.
double thread_seconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

/// Best of several runs, GF/s.
double rate(double flops, const std::function<void()>& call) {
  call();
  double best = 1e30, total = 0;
  for (int run = 0; run < 200 && (run < 5 || total < 0.15); ++run) {
    const double start = thread_seconds();
    call();
    const double seconds = thread_seconds() - start;
    best = std::min(best, seconds);
    total += seconds;
  }
  return flops / best * 1e-9;
}

template <class T>
using Cblas = void (*)(int, int, int, int, int, int, T, const T*, int, const T*, int, T, T*, int);

struct Shape {
  const char* what;
  std::int64_t rows, columns, inner;
  bool ta, tb;
};

template <class T>
void compare(const Shape& s, Cblas<T> openblas) {
  std::vector<T> a(static_cast<std::size_t>(s.rows * s.inner), T(0.5));
  std::vector<T> b(static_cast<std::size_t>(s.inner * s.columns), T(0.25));
  std::vector<T> c(static_cast<std::size_t>(s.rows * s.columns));
  const std::int64_t lda = s.ta ? s.rows : s.inner, ldb = s.tb ? s.inner : s.columns;
  const double flops = 2.0 * static_cast<double>(s.rows) * static_cast<double>(s.columns) *
                       static_cast<double>(s.inner);
  const double kappa_rate = rate(flops, [&] {
    kappa::gemm({s.rows, s.columns, s.inner, s.ta, s.tb}, a.data(), lda, b.data(), ldb, T{0},
                c.data(), s.columns);
  });
  double dnnl_rate = 0;
  if constexpr (sizeof(T) == 4) {
    dnnl_rate = rate(flops, [&] {
      dnnl_sgemm(s.ta ? 'T' : 'N', s.tb ? 'T' : 'N', s.rows, s.columns, s.inner, 1, a.data(), lda,
                 b.data(), ldb, 0, c.data(), s.columns);
    });
  }
  const auto n = [](std::int64_t x) { return static_cast<int>(x); };
  const double blas_rate = openblas == nullptr ? 0 : rate(flops, [&] {
    openblas(101, s.ta ? 112 : 111, s.tb ? 112 : 111, n(s.rows), n(s.columns), n(s.inner), 1,
             a.data(), n(lda), b.data(), n(ldb), 0, c.data(), n(s.columns));
  });
  std::printf(
      "%s  %-22s %6ld x %5ld x %5ld %c%c  kappa %6.1f  oneDNN %6.1f  OpenBLAS %6.1f GF/s  "
      "kappa/best %.2f\n",
      sizeof(T) == 4 ? "f32" : "f64", s.what, long(s.rows), long(s.columns), long(s.inner),
      s.ta ? 'T' : 'N', s.tb ? 'T' : 'N', kappa_rate, dnnl_rate, blas_rate,
      kappa_rate / std::max(dnnl_rate, blas_rate));
}

}  // namespace

int main(int argc, char** argv) {
  setenv("OMP_NUM_THREADS", "1", 1);
  // Kappa loads OpenBLAS at its first double product; what it loaded is then compared with.
  std::vector<double> unit(64 * 64, 1.0), out(64 * 64);
  kappa::gemm({64, 64, 64}, unit.data(), 64, unit.data(), 64, 0.0, out.data(), 64);
  void* library = dlopen("libopenblas.so.0", RTLD_NOW | RTLD_NOLOAD);
  const auto sgemm =
      library == nullptr ? nullptr : reinterpret_cast<Cblas<float>>(dlsym(library, "cblas_sgemm"));
  const auto dgemm =
      library == nullptr ? nullptr : reinterpret_cast<Cblas<double>>(dlsym(library, "cblas_dgemm"));

  std::vector<std::int64_t> batches;
  for (int i = 1; i < argc; ++i) batches.push_back(std::atol(argv[i]));
  if (batches.empty()) batches = {256, 2048};
  for (const std::int64_t batch : batches) {
    const Shape shapes[] = {{"layer 1 forward", batch, 512, 784, false, true},
                            {"layer 1 weights", 512, 784, batch, true, false},
                            {"layer 2 forward", batch, 512, 512, false, true},
                            {"layer 2 backward", batch, 512, 512, false, false},
                            {"layer 2 weights", 512, 512, batch, true, false},
                            {"layer 3 forward", batch, 10, 512, false, true},
                            {"layer 3 backward", batch, 512, 10, false, false},
                            {"layer 3 weights", 10, 512, batch, true, false}};
    for (const Shape& shape : shapes) compare<float>(shape, sgemm);
    compare<double>(shapes[2], dgemm);
    compare<double>(shapes[5], dgemm);
  }
  for (const std::int64_t n : {2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64}) {
    compare<float>({"square", n, n, n, false, false}, sgemm);
    compare<double>({"square", n, n, n, false, false}, dgemm);
  }
  for (const std::int64_t n : {16, 64, 256, 1024}) {
    compare<float>({"matrix by vector", n, 1, n, false, false}, sgemm);
    compare<float>({"vector by matrix", 1, n, n, false, false}, sgemm);
    compare<double>({"matrix by vector", n, 1, n, false, false}, dgemm);
    compare<double>({"vector by matrix", 1, n, n, false, false}, dgemm);
    compare<double>({"transposed by vector", n, 1, n, true, false}, dgemm);
  }
}
