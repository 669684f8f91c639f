#pragma once

#include "minimize/evaluator.h"

namespace kappa {

/// Both ends of the Hessian's spectrum by kappa::lanczos, with bounds on their errors.
struct SpectrumEnds {
  double largest = 0, smallest = 0;
  double largest_error = 0, smallest_error = 0;
};

struct SpectrumOptions {
  double tolerance = 1e-3;
  std::int64_t max_products = 100;
  bool smallest = true;
};

/// Cost: at most max_products Hessian products, counted by the evaluator.
SpectrumEnds spectrum_ends(Evaluator& evaluator, const Evaluator::Curvature& curvature,
                           const SpectrumOptions& options);

}  // namespace kappa
