#pragma once

#include <optional>
#include <vector>

#include "frontend/formula.h"
#include "frontend/formula_functions.h"

namespace kappa {

/// Reads a scalar expression as scale * sum_i r_i^2: sums, means, products with constants >= 0 of
/// even powers, x*x, dot(x, x), x@x and norm(x)^2. Nothing where it is not evidently of that form
/// or all its residuals are constant. `values` holds the value of every node.
std::optional<FormulaResiduals> find_residuals(const ParsedFormula& formula,
                                               const std::vector<FormulaValue>& values,
                                               FormulaScope& scope, std::int32_t node);

}  // namespace kappa
