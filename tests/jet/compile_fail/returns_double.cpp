// expect: the callable must return its scalar type T
#include "kappa/jet.h"
int main() {
  const auto f = [](const auto& x) { return x[0].value * x[0].value; };
  const std::array<double, 2> x = {1, 2};
  return static_cast<int>(kappa::hessian(f, x)[0][0]);
}
