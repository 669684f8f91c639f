// expect: an element has at most 32 variables
#include "kappa/elements.h"
int main() {
  const std::vector<std::array<int, 33>> indices(1);
  const kappa::ElementSum f(33,
                            kappa::elements(indices, [](const auto& x) { return x[0] * x[1]; }));
  return static_cast<int>(f.value(std::vector<double>(33)));
}
