// expect: kappa::trace: f must return kappa::Array
#include "kappa/function.h"
int main() {
  const auto f = kappa::trace([](kappa::Array x) { return static_cast<double>(x.size()); }, 3);
  return static_cast<int>(f.dimension());
}
