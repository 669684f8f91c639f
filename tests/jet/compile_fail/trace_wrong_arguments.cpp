// expect: f takes one kappa::Array for each shape
#include "kappa/function.h"
int main() {
  const auto f = kappa::trace([](kappa::Array x, kappa::Array y) { return sum(x * y); }, 3);
  return static_cast<int>(f.dimension());
}
