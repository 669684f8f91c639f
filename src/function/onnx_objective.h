#pragma once

#include <memory>
#include <string>
#include <vector>

#include "frontend/onnx/model.h"
#include "function/make_objective.h"
#include "function/onnx_inputs.h"

namespace kappa {

struct OnnxObjectiveOptions {
  std::vector<OnnxInputValue> inputs;
  std::string output;             ///< empty: the model's first
  std::string loss;               ///< a name of all_losses()
  NamedValues weights;            ///< in place of the model's, by name
  bool train_batch_norm = false;  ///< normalise by each micro-batch's own statistics
};

struct OnnxObjective {
  std::unique_ptr<Objective> objective;
  std::vector<std::string> notes;  ///< what a user should know, one sentence each
};

/// A model's output on data (null: data by `inputs` alone) with a loss.
///
/// Models with an open first axis are bound to whole micro-batches; others, and those that mix or
/// fix the axis of the samples inside, are built for one sample and batched over the samples by
/// their operations' own rules, which is exact whatever the model does.
OnnxObjective make_onnx_objective(std::shared_ptr<const OnnxModel> model,
                                  std::shared_ptr<const Dataset> data,
                                  const OnnxObjectiveOptions& options,
                                  const ObjectiveSettings& settings);

}  // namespace kappa
