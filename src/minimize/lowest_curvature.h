#pragma once

#include "minimize/evaluator.h"
#include "minimize/vectors.h"

namespace kappa {

/// The lower end of the Hessian's spectrum, as far as its sign goes.
struct LowestCurvature {
  double value = 0;    ///< smallest Ritz value
  double error = 0;    ///< some eigenvalue is within this of it
  double largest = 0;  ///< largest |Ritz value|
  Vector direction;    ///< unit Ritz vector where value < -max(error, 1e-10 largest); else empty

  [[nodiscard]] bool negative() const { return value < -std::fmax(error, 1e-10 * largest); }
};

/// The Lanczos process from a random vector without reorthogonalisation: copies of eigenvalues that
/// have converged appear, none that is not there (Paige 1980), so the sign needs no basis. Ends
/// where error <= max(|value| / 10, largest / 1000), or after max_products. A direction is made by
/// running the process again. Cost: at most max_products Hessian products, twice that where
/// negative() holds. Memory: 3 n, and n for the direction.
LowestCurvature lowest_curvature(Evaluator& evaluator, const Evaluator::Curvature& curvature,
                                 std::int64_t max_products);

}  // namespace kappa
