#pragma once

#include <string>
#include <utility>
#include <vector>

#include "data/table.h"
#include "function/make_objective.h"
#include "function/parameters.h"

namespace kappa {

/// Derivatives as text, each with its name: {"df/dx", "2*x*sin(y)"}, {"d2f/dx dy", ...}. Parts that
/// repeat stand before them as definitions: {"t1", "exp(-x)"}.
struct DerivativeFormulas {
  std::vector<std::pair<std::string, std::string>> lines;
};

/// The gradient and Hessian of a formula (of one row's term, with a table), or the Jacobian of a
/// vector of formulas, by the parameters that vary. Their values are not used, their shapes are.
DerivativeFormulas derivative_formulas(const std::string& formula, const Parameters& parameters,
                                       const NamedValues& constants, const Table* table);

/// "name = formula", a line each.
std::string to_text(const DerivativeFormulas& formulas);

}  // namespace kappa
