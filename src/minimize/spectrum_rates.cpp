#include "minimize/spectrum_rates.h"

#include <algorithm>

#include "minimize/krylov.h"

namespace kappa {

SpectrumRates spectrum_rates(Evaluator& evaluator, const Iterate& iterate) {
  const auto curvature = evaluator.linearize(iterate.w.data());
  const SpectrumEnds ends =
      spectrum_ends([&](const double* v, double* hv) { curvature.hessian_product(v, hv); },
                    iterate.w.size(), evaluator.seed(), 300, 1e-6);
  return {std::max(std::fabs(ends.largest) + ends.largest_residual, std::fabs(ends.smallest)),
          ends.smallest - ends.smallest_residual};
}

}  // namespace kappa
