#include "minimize/run_state.h"

#include <fmt/format.h>

#include "kappa/error.h"

namespace kappa {
namespace {

void archive_counts(Archive& a, EvaluationCounts& c) {
  a(c.num_values, c.num_gradients, c.num_hvps, c.num_hessians, c.num_residuals, c.num_jacobians,
    c.num_factorizations, c.value_seconds, c.gradient_seconds, c.hvp_seconds, c.hessian_seconds,
    c.residual_seconds, c.jacobian_seconds, c.factorization_seconds, c.gradient_equivalents);
}

template <class T>
void resize_from(Archive& a, std::vector<T>& items) {
  std::uint64_t size = items.size();
  a(size);
  if (a.reading()) items.resize(size);
}

}  // namespace

void RunState::archive(Archive& a) {
  a(stage, iteration, stage_iteration, batches, iterate, best, start_value, last_step_norm,
    back_ups, epoch, watch, table);
  resize_from(a, switches);
  for (MethodSwitch& s : switches) a(s.iteration, s.from, s.to, s.reason);
  resize_from(a, warnings);
  for (std::string& text : warnings) a(text);
}

std::vector<char> save_run(const RunPlan& plan, RunState& state, Walker& walker,
                           const Evaluator& evaluator) {
  Archive archive;
  std::string fingerprint = plan.fingerprint;
  EvaluationCounts counts = evaluator.counts();
  double seconds = evaluator.seconds();
  archive(fingerprint, state, seconds);
  archive_counts(archive, counts);
  walker.archive(archive);
  return archive.bytes();
}

void restore_run(const std::vector<char>& bytes, const RunPlan& plan, RunState& state,
                 std::unique_ptr<Walker>& walker, Evaluator& evaluator) {
  Archive archive(bytes);
  std::string fingerprint;
  archive(fingerprint);
  if (fingerprint != plan.fingerprint) {
    throw Error(
        ErrorKind::data,
        fmt::format("minimize: the checkpoint is of another run ({}; now {}); resume with the same "
                    "objective, method and options, or remove it",
                    fingerprint, plan.fingerprint));
  }
  const double start_value = state.start_value;
  double seconds = 0;
  archive(state, seconds);
  if (std::memcmp(&start_value, &state.start_value, sizeof start_value) != 0 ||
      static_cast<std::size_t>(state.stage) >= plan.stages.size()) {
    throw Error(ErrorKind::data,
                fmt::format("minimize: the checkpoint began at f = {:.17g}, this run at {:.17g}: "
                            "another objective, data or start; resume with the same, or remove it",
                            state.start_value, start_value));
  }
  archive_counts(archive, evaluator.counts());
  evaluator.add_seconds(seconds);
  const PlannedStage& stage = plan.stages[static_cast<std::size_t>(state.stage)];
  walker = stage.method->start(stage.settings);
  walker->archive(archive);
  if (!archive.exhausted()) {
    throw Error(ErrorKind::data, "minimize: the checkpoint holds more than this method's state");
  }
}

}  // namespace kappa
