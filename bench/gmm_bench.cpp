// The dense Hessian of ADBench's Gaussian mixture objective, Kappa's arrays against one written by
// hand on Eigen, the product of matrices that is in it, and ADOL-C (where it is installed), on one
// core in this run. CasADi: bench/gmm_casadi.py. Ceres jets cannot be nested with numbers on either
// side, so they have no second derivatives of such a function.
//
//   gmm_bench FILE...                 e.g. $KAPPA_TEST_DATA/adbench/gmm/1k/gmm_d2_K10.txt
//   gmm_bench FILE --hessian OUT      Kappa alone, its Hessian written as doubles
//
// A peer that would take minutes is timed on some columns of the Hessian and the time multiplied;
// the line says so.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <string>
#include <vector>

#ifdef KAPPA_HAVE_ADOLC
#include <adolc/adolc.h>
#endif

#include "bench/gmm_hand.h"
#include "tests/function/gmm.h"

namespace {

double now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

/// The best of as many runs as fit in about a second.
template <class F>
double seconds(const F& call) {
  double best = 1e300;
  const double begin = now();
  do {
    const double start = now();
    call();
    best = std::min(best, now() - start);
  } while (now() - begin < 1);
  return best;
}

void report(const char* name, double time, double ours, double error, const char* note = "") {
  std::printf("  %-28s %10.2f ms  %7.1f x  difference %.1e%s\n", name, 1e3 * time, time / ours,
              error, note);
}

#ifdef KAPPA_HAVE_ADOLC
void adolc(const gmm::Problem& p, const Eigen::MatrixXd& expected, double ours) {
  const auto n = static_cast<int>(p.num_parameters());
  constexpr short kTag = 1;
  trace_on(kTag);
  {
    std::vector<adouble> parameters(p.parameters.size());
    for (std::size_t i = 0; i < parameters.size(); ++i) parameters[i] <<= p.parameters[i];
    double y = 0;
    gmm::scalar<adouble>(p, parameters) >>= y;
  }
  trace_off();
  std::vector<double> x = p.parameters, direction(x.size());
  const int columns = std::min(n, n > 100 ? 4 : n);
  const char* note = columns < n ? " (from 4 columns)" : "";
  const auto share = static_cast<double>(columns) / n;
  const double norm = expected.leftCols(columns).norm();
  // hess_vec is what ADOL-C's hessian() does for every column, hess_mat does several in one pass.
  Eigen::MatrixXd h(n, columns);
  double time = seconds([&] {
    for (int j = 0; j < columns; ++j) {
      std::fill(direction.begin(), direction.end(), 0.0);
      direction[static_cast<std::size_t>(j)] = 1;
      hess_vec(kTag, n, x.data(), direction.data(), h.col(j).data());
    }
  });
  report("ADOL-C hess_vec", time / share, ours, (h - expected.leftCols(columns)).norm() / norm,
         note);
  double** directions = myalloc2(n, columns);
  double** products = myalloc2(n, columns);
  for (int i = 0; i < n; ++i) {
    for (int j = 0; j < columns; ++j) directions[i][j] = i == j ? 1 : 0;
  }
  time = seconds([&] { hess_mat(kTag, n, columns, x.data(), directions, products); });
  for (int i = 0; i < n; ++i) {
    for (int j = 0; j < columns; ++j) h(i, j) = products[i][j];
  }
  report("ADOL-C hess_mat", time / share, ours, (h - expected.leftCols(columns)).norm() / norm,
         note);
  myfree2(directions);
  myfree2(products);
}
#endif

/// With `written`, Kappa alone and its Hessian into that file.
void run(const std::string& path, const char* written) {
  const gmm::Problem p = gmm::read(path);
  const Eigen::Map<const Eigen::VectorXd> x(p.parameters.data(), p.num_parameters());
  std::printf("%s: d = %lld, K = %lld, N = %lld, %lld variables\n", path.c_str(),
              static_cast<long long>(p.D), static_cast<long long>(p.K), static_cast<long long>(p.N),
              static_cast<long long>(p.num_parameters()));
  const double start = now();
  const kappa::Function f = gmm::traced(p);
  Eigen::MatrixXd h = kappa::hessian(f, x);
  std::printf("  set-up and first Hessian %.2f ms\n", 1e3 * (now() - start));
  const std::span<const double> at(p.parameters);
  const double ours = seconds([&] {
    kappa::hessian(f, at, {h.data(), static_cast<std::size_t>(h.size())});
  });
  report("kappa", ours, ours, 0);
  if (written) {
    std::ofstream(written, std::ios::binary)
        .write(reinterpret_cast<const char*>(h.data()),
               h.size() * static_cast<std::streamsize>(sizeof(double)));
    return;
  }
  gmm::Hand hand(p);
  Eigen::MatrixXd by_hand;
  const double hand_time = seconds([&] { hand.hessian(p.parameters.data(), by_hand); });
  report("by hand on Eigen", hand_time, ours, (by_hand - h).norm() / h.norm());
  const Eigen::MatrixXd factor = Eigen::MatrixXd::Constant(x.size(), p.N, 0.5);
  by_hand.setZero();
  const double floor = seconds([&] { by_hand.selfadjointView<Eigen::Lower>().rankUpdate(factor); });
  report("B B' by Eigen alone", floor, ours, 0, " (the floor)");
#ifdef KAPPA_HAVE_ADOLC
  adolc(p, h, ours);
#endif
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 4 && std::string(argv[2]) == "--hessian") {
    run(argv[1], argv[3]);
  } else {
    if (argc < 2) std::printf("gmm_bench FILE... | gmm_bench FILE --hessian OUT\n");
    for (int i = 1; i < argc; ++i) run(argv[i], nullptr);
  }
}
