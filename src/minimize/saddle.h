#pragma once

#include "minimize/method.h"

namespace kappa {

/// Walks from a critical point along a direction of negative curvature: both signs, halving the
/// length from `length` until f falls by a tenth of what the curvature promises. Commits the better
/// end and returns the step length, or 0 where neither falls.
double walk_along_negative_curvature(Evaluator& evaluator, Iterate& iterate,
                                     std::span<const double> direction, double curvature,
                                     double length);

/// Looks for negative curvature at a critical point and walks along it: dense eigenvalues up to 500
/// parameters, lowest_curvature() (at most 100 Hessian products) beyond, on `known` where the
/// method has linearised f there. Eigenvalues within 1e-10 of the largest |eigenvalue| (or their
/// error bound) count as zero. The first length tried is max(1, |w|/10).
std::optional<StepReport> leave_along_negative_curvature(
    Evaluator& evaluator, Iterate& iterate, const Evaluator::Curvature* known = nullptr);

}  // namespace kappa
