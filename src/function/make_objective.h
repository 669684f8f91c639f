#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "data/dataset.h"
#include "data/table.h"
#include "frontend/formula.h"
#include "function/objective.h"
#include "function/vector_function.h"

namespace kappa {

/// Settings that all kinds of objectives share.
struct ObjectiveSettings {
  std::optional<DType> dtype;       ///< default f64 for formulas, f32 for networks
  double l2 = 0;                    ///< adds l2/2 |w|^2
  std::vector<std::string> params;  ///< globs of the parameters that vary; empty: all
  ObjectiveOptions options;
};

/// The value of a formula's parameter or constant: a number, or an array.
using NamedValues = std::vector<std::pair<std::string, Tensor>>;

/// What a formula may stand for: a scalar to minimise, or a vector of formulas.
struct FormulaObjective {
  std::unique_ptr<Objective> scalar;       ///< set for a scalar formula
  std::unique_ptr<VectorFunction> vector;  ///< set for a vector of formulas
};

/// A formula of its parameters, bound to `at` in that order; with a table, one row's term, reduced
/// over the rows by mean or sum. Throws Error for names without values and shapes that do not fit.
FormulaObjective make_formula_objective(const std::string& text, const NamedValues& at,
                                        const NamedValues& constants,
                                        std::shared_ptr<const Table> table, bool mean,
                                        const ObjectiveSettings& settings);

/// A dense network (`mlp:...`) on a data set with the loss of that name. `weights` by parameter
/// name override the initial values of `init` and `seed`; they must have the parameters' shapes.
std::unique_ptr<Objective> make_network_objective(const std::string& layers,
                                                  std::shared_ptr<const Dataset> data,
                                                  const std::string& loss, const std::string& init,
                                                  std::uint64_t seed, const NamedValues& weights,
                                                  const ObjectiveSettings& settings);

}  // namespace kappa
