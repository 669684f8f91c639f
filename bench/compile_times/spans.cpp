#include <kappa/function.h>

std::vector<double> run(const std::vector<double>& x) {
  auto f = kappa::trace(
      [](kappa::Array x) {
        auto a = x[1] - x[0] * x[0];
        auto b = x[3] - x[2] * x[2];
        auto c = x[1] + x[3] - 2;
        auto d = x[1] - x[3];
        return 100 * a * a + square(1 - x[0]) + 90 * b * b + square(1 - x[2]) + 10 * c * c +
               0.1 * d * d;
      },
      4);
  std::vector<double> h(16);
  kappa::hessian(f, x, h);
  return h;
}
