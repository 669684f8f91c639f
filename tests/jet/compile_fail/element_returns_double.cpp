// expect: the callable must return its scalar type T
#include "kappa/elements.h"
int main() {
  const std::vector<std::array<int, 2>> indices(1);
  const kappa::ElementSum f(2, kappa::elements(indices, [](const auto&) { return 1.0; }));
  return static_cast<int>(f.value(std::vector<double>(2)));
}
