// expect: jets have at most 64 variables
#include "kappa/jet.h"
int main() {
  const std::array<double, 65> x = {};
  const std::array<double, 65> g = kappa::gradient([](const auto& y) { return y[0] * y[1]; }, x);
  return static_cast<int>(g[0]);
}
