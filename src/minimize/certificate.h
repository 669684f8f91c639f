#pragma once

#include <optional>

#include "minimize/method.h"

namespace kappa {

/// Where no method finds a decrease: is the point critical to the rounding of f?
///
/// Returns the Newton decrement g' H^-1 g / 2 where H is positive definite (Cholesky of H scaled to
/// unit diagonal), to be compared with the rounding 32 eps |f|. Nothing for more than 500
/// parameters or where H is not positive definite. Cost: one dense Hessian, n^3/3 flops.
std::optional<StepReport::Criterion> newton_decrement_criterion(Evaluator& evaluator,
                                                                const Iterate& iterate);

}  // namespace kappa
