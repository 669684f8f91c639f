// Throughput of elementwise kernels on a tile in the first-level cache, beside a plain loop over
// the C library or a plain arithmetic loop compiled for the baseline instruction set, in the same
// run.
//
//   taskset -c 0 build/release/bin/elementwise_bench

#include <chrono>
#include <cmath>
#include <cstdio>
#include <vector>

#include "program/builder.h"

namespace {

using namespace kappa;

constexpr std::int64_t count = 1024;

template <class Body>
double nanoseconds_per_element(const Body& body) {
  double best = 1e30;
  for (int round = 0; round < 15; ++round) {
    constexpr int repeats = 200;
    const auto start = std::chrono::steady_clock::now();
    for (int i = 0; i < repeats; ++i) body();
    const std::chrono::duration<double, std::nano> elapsed =
        std::chrono::steady_clock::now() - start;
    best = std::min(best, elapsed.count() / repeats / count);
  }
  return best;
}

// The loop a user would write; the barrier keeps the compiler from leaving it out.
template <class T, class Function>
double plain_loop(const std::vector<Tensor>& x, const Tensor& y, Function function) {
  const T *a = x[0].as<T>(), *b = x[1].as<T>();
  T* out = y.as<T>();
  return nanoseconds_per_element([=] {
    for (std::int64_t i = 0; i < count; ++i) out[i] = function(a[i], b[i]);
    asm volatile("" : : "r"(out) : "memory");
  });
}

template <class T, class Function>
void report(const char* name, Function function) {
  const Type type{sizeof(T) == 4 ? DType::f32 : DType::f64, {count}};
  std::vector<Tensor> x;
  for (int k = 0; k < 2; ++k) {
    x.emplace_back(type);
    for (std::int64_t i = 0; i < count; ++i) {
      x[k].set(i, 0.1 + 0.003 * static_cast<double>((i * (k == 0 ? 37 : 101)) % count));
    }
  }
  const Tensor y(type);
  const Primitive& primitive = *find_primitive(name);
  const std::vector<Type> types(static_cast<std::size_t>(primitive.num_operands), type);
  const TileFunction tile = primitive.kernel.tile(types, type);
  const void* inputs[] = {x[0].data(), x[1].data()};
  const Attributes none;
  const double own = nanoseconds_per_element([&] { tile({count, inputs, y.data(), none}); });
  const double plain = plain_loop<T>(x, y, function);
  std::printf("%-9s %-4s %8.2f elements/ns %8.2f plain loop %7.1fx\n", name,
              to_string(type.dtype).c_str(), 1 / own, 1 / plain, plain / own);
}

template <class Function>
void report_both(const char* name, Function function) {
  report<float>(name, function);
  report<double>(name, function);
}

}  // namespace

int main() {
  report_both("add", [](auto a, auto b) { return a + b; });
  report_both("mul", [](auto a, auto b) { return a * b; });
  report_both("div", [](auto a, auto b) { return a / b; });
  report_both("relu", [](auto a, auto) { return a < 0 ? 0 : a; });
  report_both("sqrt", [](auto a, auto) { return std::sqrt(a); });
  report_both("exp", [](auto a, auto) { return std::exp(a); });
  report_both("log", [](auto a, auto) { return std::log(a); });
  report_both("tanh", [](auto a, auto) { return std::tanh(a); });
  report_both("sigmoid", [](auto a, auto) { return 1 / (1 + std::exp(-a)); });
  report_both("softplus", [](auto a, auto) { return std::log1p(std::exp(a)); });
  report_both("erf", [](auto a, auto) { return std::erf(a); });
  report_both("sin", [](auto a, auto) { return std::sin(a); });
  report_both("pow", [](auto a, auto b) { return std::pow(a, b); });
}
