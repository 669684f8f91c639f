#pragma once

#include <span>

#include "function/vector_function.h"
#include "kappa/analysis.h"

namespace kappa {

/// What can be said of a vector of functions F: R^n -> R^m at w: F(w), the Jacobian, its singular
/// values (of J in full, descending) and its rank to rounding.
Analysis analyze_vector(const VectorFunction& function, std::span<const double> w);

}  // namespace kappa
