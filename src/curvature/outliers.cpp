#include <algorithm>
#include <cmath>
#include <optional>
#include <span>
#include <vector>

#include "curvature/checks.h"
#include "kappa/curvature.h"

namespace kappa {

std::optional<Outliers> outliers(std::span<const Eigenvalue> descending,
                                 const OutlierOptions& options) {
  require("outliers", options.significance > 0 && options.significance < 1,
          "the significance must be in (0, 1)");
  require("outliers", options.least_ratio >= 1, "the least ratio must be >= 1");
  // Spacings that show what is usual below a gap; farther ones say less of its surroundings.
  constexpr std::size_t least_below = 4, most_below = 10;

  const auto above = [&](std::size_t i) { return descending[i].value + descending[i].error_bound; };
  const auto below = [&](std::size_t i) { return descending[i].value - descending[i].error_bound; };
  // Logarithms end at the first eigenvalue that may not be positive.
  std::size_t m = 0;
  while (m < descending.size() && below(m) > 0) ++m;
  if (m < least_below + 2) return std::nullopt;

  // Squares of the spacings, each as wide as its bounds allow.
  std::vector<double> wide(m - 1);
  for (std::size_t i = 0; i + 1 < m; ++i) {
    const double z = static_cast<double>(i + 1) * std::log(above(i) / below(i + 1));
    wide[i] = z * z;
  }
  const std::size_t num_gaps = m - 1 - least_below;
  std::optional<Outliers> best;
  for (std::size_t i = 0; i < num_gaps; ++i) {
    const double narrow = below(i) / above(i + 1);
    if (narrow < options.least_ratio) continue;
    const double z = static_cast<double>(i + 1) * std::log(narrow);
    const std::size_t r = std::min(most_below, m - 2 - i);
    double squares = 0;
    for (std::size_t j = i + 1; j <= i + r; ++j) squares += wide[j];
    const double p = static_cast<double>(num_gaps) *
                     std::exp(-static_cast<double>(r) * std::log1p(z * z / squares));
    if (p <= options.significance && (!best || p < best->p_value)) {
      best = Outliers{static_cast<std::int64_t>(i + 1), descending[i].value,
                      descending[i + 1].value, p};
    }
  }
  return best;
}

}  // namespace kappa
