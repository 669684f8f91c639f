#include "minimize/spectrum_rates.h"

#include <algorithm>

#include "minimize/spectrum_ends.h"

namespace kappa {

SpectrumRates spectrum_rates(Evaluator& evaluator, const Iterate& iterate) {
  const auto curvature = evaluator.linearize(iterate.w.data());
  const SpectrumEnds ends =
      spectrum_ends(evaluator, curvature, {.tolerance = 1e-6, .max_products = 300});
  return {std::max(std::fabs(ends.largest) + ends.largest_error, std::fabs(ends.smallest)),
          ends.smallest - ends.smallest_error};
}

}  // namespace kappa
