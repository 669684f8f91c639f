// expect: the callable of these elements is called as phi(x), or phi(x, data)
#include "kappa/elements.h"
int main() {
  const std::vector<std::array<int, 2>> indices(1);
  const std::vector<double> data(1);
  const kappa::ElementSum f(2, kappa::elements(indices, data, [](const auto& x) { return x[0]; }));
  return static_cast<int>(f.value(std::vector<double>(2)));
}
