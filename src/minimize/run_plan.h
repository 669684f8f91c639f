#pragma once

#include <string>
#include <vector>

#include "minimize/method.h"

namespace kappa {

struct PlannedStage {
  const Method* method;
  Settings settings;
};

/// A run before any work: the methods in their order with checked settings. Everything that can be
/// refused is refused by this constructor.
struct RunPlan {
  RunPlan(const Problem& problem, const MinimizeOptions& options);

  std::vector<PlannedStage> stages;
  std::string reason;       ///< why, where auto chose
  std::string fingerprint;  ///< what a resumed run must have in common with its checkpoint
};

}  // namespace kappa
