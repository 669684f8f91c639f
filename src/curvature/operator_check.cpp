#include <fmt/format.h>

#include <cstring>
#include <vector>

#include "base/random.h"
#include "curvature/checks.h"
#include "curvature/tall.h"
#include "kappa/curvature.h"

namespace kappa {

OperatorCheck check_operator(const SymmetricOperator& a, std::uint64_t seed, double tolerance) {
  require_dimension("check_operator", a);
  require("check_operator", tolerance >= 0, "tolerance must be >= 0");
  const std::int64_t n = a.dimension();
  const auto size = static_cast<std::size_t>(n);
  std::vector<double> u(size), v(size), au(size), again(size), av(size);
  Random(seed, 0).fill_normal(n, u.data());
  Random(seed, 1).fill_normal(n, v.data());
  a.apply(1, u.data(), au.data());
  a.apply(1, u.data(), again.data());
  a.apply(1, v.data(), av.data());

  OperatorCheck check;
  check.tolerance = tolerance;
  check.num_products = 3;
  check.finite = all_finite(n, au.data()) && all_finite(n, av.data());
  check.deterministic = std::memcmp(au.data(), again.data(), size * sizeof(double)) == 0;
  if (!check.finite) {
    check.message = "the operator returns NaN or infinity for a finite vector";
    return check;
  }
  const double scale = tall_norm(n, u.data()) * tall_norm(n, av.data()) +
                       tall_norm(n, v.data()) * tall_norm(n, au.data());
  const double difference =
      std::fabs(tall_dot(n, u.data(), av.data()) - tall_dot(n, v.data(), au.data()));
  check.symmetry_error = scale > 0 ? difference / scale : 0;
  check.symmetric = check.symmetry_error <= tolerance;
  if (!check.deterministic) {
    double largest = 0;
    for (std::size_t i = 0; i < size; ++i) {
      largest = std::max(largest, std::fabs(au[i] - again[i]));
    }
    check.message = fmt::format(
        "the same vector gave two different products (largest difference {:.3g}): is dropout or "
        "sampling on?",
        largest);
  } else if (!check.symmetric) {
    check.message = fmt::format("<u, Av> and <v, Au> differ by {:.3g} of their size: not symmetric",
                                check.symmetry_error);
  } else {
    check.message = "deterministic, finite and symmetric";
  }
  return check;
}

}  // namespace kappa
