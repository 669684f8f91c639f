// expect: jets of different scalar or number of variables
#include "kappa/jet.h"
int main() {
  const kappa::Jet<2, double> a = kappa::Jet<2, double>::variable(1.0, 0);
  const kappa::Jet<2, float> b = kappa::Jet<2, float>::variable(1.0F, 1);
  return static_cast<int>((a * b).value);
}
