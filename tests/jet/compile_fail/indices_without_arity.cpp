// expect: indices must hold one std::array<int, N> for each element
#include "kappa/elements.h"
int main() {
  const std::vector<std::vector<int>> indices = {{0, 1}};
  const auto term = kappa::elements(indices, [](const auto& x) { return x[0] * x[1]; });
  (void)term;
}
