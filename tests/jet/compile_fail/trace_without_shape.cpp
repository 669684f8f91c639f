// expect: give the length of x: trace(f, n)
#include "kappa/function.h"
int main() {
  const auto f = kappa::trace([](kappa::Array x) { return sum(x); });
  return static_cast<int>(f.dimension());
}
