#include <fmt/format.h>

#include <cmath>
#include <limits>

#include "curvature/sign.h"
#include "kappa/curvature.h"

namespace kappa {

Condition condition(const KnownSpectrum& spectrum, double null_tolerance) {
  Condition c;
  c.number = std::numeric_limits<double>::quiet_NaN();
  double largest = 0, smallest = std::numeric_limits<double>::infinity();
  bool positive = true;
  for (std::size_t i = 0; i < spectrum.values.size(); ++i) {
    const double value = spectrum.values[i], magnitude = std::fabs(value);
    const Sign sign = sign_of(spectrum, i, null_tolerance);
    if (sign == Sign::zero) ++c.null_dimension;
    if (sign == Sign::zero || sign == Sign::unknown) continue;
    positive = positive && sign == Sign::positive;
    if (magnitude > largest) {
      largest = magnitude;
      c.lambda_max = value;
    }
    if (magnitude < smallest) {
      smallest = magnitude;
      c.lambda_min = value;
    }
  }
  c.lower_bound = !spectrum.complete;
  if (largest > 0) c.number = largest / smallest;
  c.definition = positive ? "lambda_max / lambda_min" : "max |lambda| / min |lambda|";
  if (largest == 0) {
    c.definition += "; no eigenvalue is known to differ from zero";
  } else if (spectrum.complete) {
    c.definition += c.null_dimension > 0
                        ? fmt::format(" over the nonzero eigenvalues; {} of {} are zero",
                                      c.null_dimension, spectrum.dimension)
                        : fmt::format(" over all {} eigenvalues", spectrum.dimension);
  } else {
    c.definition += fmt::format(
        " over the {} nonzero eigenvalues found of {}: a lower bound of the condition number",
        static_cast<std::int64_t>(spectrum.values.size()) - c.null_dimension, spectrum.dimension);
  }
  return c;
}

Condition condition_of_mean(double lambda_max, double trace, std::int64_t dimension) {
  Condition c;
  c.lambda_max = lambda_max;
  c.lambda_min = dimension > 0 ? trace / static_cast<double>(dimension) : 0;
  c.number = c.lambda_min > 0 && lambda_max > 0 ? lambda_max / c.lambda_min
                                                : std::numeric_limits<double>::quiet_NaN();
  c.lower_bound = true;
  c.definition =
      "lambda_max / (trace / n), the mean eigenvalue in place of the smallest, which is out of "
      "reach; a lower bound of lambda_max / lambda_min where all eigenvalues are positive";
  return c;
}

}  // namespace kappa
