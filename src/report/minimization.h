#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "data/dataset.h"
#include "function/objective.h"
#include "kappa/analysis.h"
#include "kappa/minimize.h"

namespace kappa {

/// One parameter array at the end of a run.
struct NamedArrayValue {
  std::string name;
  Shape shape;
  std::vector<double> values;
  bool varies = true;
};

/// A run of minimize() with what a report says beside it.
struct Minimization {
  ObjectiveSummary objective;
  MinimizeResult result;
  std::vector<NamedArrayValue> parameters;  ///< all of them, those that did not vary included
  std::optional<CriticalPoint> critical_point;
  std::optional<StandardErrors> standard_errors;
  std::optional<double> accuracy;  ///< share of the training samples a classifier gets right
  std::vector<std::string> warnings;
};

/// The parameters of an objective with w in the place of those that vary.
std::vector<NamedArrayValue> named_values(const Parameters& parameters, std::span<const double> w);

/// The share of samples whose label is the largest of the model's outputs at w (for one output: its
/// sign).
double accuracy(const Objective& objective, const Dataset& data, std::span<const double> w);

}  // namespace kappa
