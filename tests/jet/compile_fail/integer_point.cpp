// expect: the point must hold float or double
#include "kappa/jet.h"
int main() {
  const std::array<int, 2> x = {1, 2};
  const double y = kappa::value([](const auto& z) { return z[0] * z[1]; }, x);
  return static_cast<int>(y);
}
