// expect: jets of different scalar or number of variables
#include "kappa/jet.h"
int main() {
  const auto a = kappa::Jet<2>::variable(1.0, 0);
  const auto b = kappa::Jet<3>::variable(1.0, 1);
  return static_cast<int>((a + b).value);
}
