#pragma once

#include "minimize/method.h"

namespace kappa {

/// Learning rates from the spectrum at the current point, for methods that were given none.
struct SpectrumRates {
  double lambda_max = 0;  ///< largest |eigenvalue|, its error bound added
  double lambda_min = 0;  ///< smallest eigenvalue, its error bound subtracted; not positive where f
                          ///< is not strictly convex here
};

/// Cost: one linearization and at most 300 Hessian products.
SpectrumRates spectrum_rates(Evaluator& evaluator, const Iterate& iterate);

}  // namespace kappa
