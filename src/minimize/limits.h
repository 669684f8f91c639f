#pragma once

#include <optional>
#include <string>

#include "minimize/run_state.h"
#include "minimize/verdict.h"

namespace kappa {

/// A limit of epochs, iterations or evaluations that a run has met.
struct MetLimit {
  Verdict verdict;
  /// Not empty where it is a limit of this method alone: why the next one takes over, if any.
  std::string hand_over;
};

/// Without mini-batches an epoch is an iteration.
double epochs_done(const RunState& state, Evaluator& evaluator);

/// Limits that were not given are those of the method, or ten epochs of mini-batches.
std::optional<MetLimit> met_limit(const MinimizeOptions& options, const MethodInfo& method,
                                  const RunState& state, Evaluator& evaluator);

}  // namespace kappa
