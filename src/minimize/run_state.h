#pragma once

#include <memory>

#include "minimize/iteration_table.h"
#include "minimize/method.h"
#include "minimize/run_plan.h"
#include "minimize/value_watch.h"

namespace kappa {

/// Everything of a run that a checkpoint holds beside the method's own state.
struct RunState {
  explicit RunState(const MinimizeOptions& options) : watch(options), table(options.max_records) {}

  std::int32_t stage = 0;
  std::int64_t iteration = 0, stage_iteration = 0;
  std::int64_t batches = 0;  ///< mini-batches of this stage
  Iterate iterate, best;     ///< best: kept for methods that are not monotone
  double start_value = 0;
  double last_step_norm = 0;
  int back_ups = 0;
  /// Sums over the mini-batches of the epoch under way.
  struct Epoch {
    std::int64_t batches = 0;
    double value = 0, gradient_norm = 0, step_norm = 0;
    void archive(Archive& archive) { archive(batches, value, gradient_norm, step_norm); }
  } epoch;
  ValueWatch watch;
  IterationTable table;
  std::vector<MethodSwitch> switches;
  std::vector<std::string> warnings;

  void archive(Archive& archive);
};

/// The run as bytes, and back. restore_run() throws Error(data) where they are of another run:
/// other methods or settings, another start or objective; it makes the walker of the stage they are
/// in.
std::vector<char> save_run(const RunPlan& plan, RunState& state, Walker& walker,
                           const Evaluator& evaluator);
void restore_run(const std::vector<char>& bytes, const RunPlan& plan, RunState& state,
                 std::unique_ptr<Walker>& walker, Evaluator& evaluator);

}  // namespace kappa
