#include "minimize/limits.h"

#include <fmt/format.h>

namespace kappa {
namespace {

constexpr double kDefaultEpochs = 10;

double max_epochs(const MinimizeOptions& options, Evaluator& evaluator) {
  if (options.max_epochs > 0) return options.max_epochs;
  const bool limited = options.max_iterations.value_or(0) > 0 || options.max_seconds > 0;
  return limited || evaluator.minibatches().num_per_epoch() == 1 ? 0 : kDefaultEpochs;
}

MetLimit met(const char* criterion, double measured, double threshold, std::string hand_over = {}) {
  return {verdict(MinimizeStatus::max_iterations, criterion, measured, threshold),
          std::move(hand_over)};
}

}  // namespace

double epochs_done(const RunState& state, Evaluator& evaluator) {
  return static_cast<double>(state.batches) /
         static_cast<double>(evaluator.minibatches().num_per_epoch());
}

std::optional<MetLimit> met_limit(const MinimizeOptions& options, const MethodInfo& method,
                                  const RunState& state, Evaluator& evaluator) {
  if (method.stochastic) {
    const double limit = max_epochs(options, evaluator), done = epochs_done(state, evaluator);
    if (limit > 0 && done >= limit) {
      return met("max_epochs", done, limit, fmt::format("its {:g} epochs are done", limit));
    }
  }
  if (options.max_iterations) {
    const std::int64_t limit = *options.max_iterations;
    if (limit > 0 && state.iteration >= limit) {
      return met("max_iterations", static_cast<double>(state.iteration),
                 static_cast<double>(limit));
    }
  } else if (!method.stochastic || evaluator.minibatches().num_per_epoch() == 1) {
    const std::int64_t limit = method.default_max_iterations;
    if (limit > 0 && state.stage_iteration >= limit) {
      return met("max_iterations", static_cast<double>(state.stage_iteration),
                 static_cast<double>(limit), fmt::format("its {} iterations are done", limit));
    }
  }
  const EvaluationCounts& c = evaluator.counts();
  const std::int64_t evaluations = c.num_values + c.num_gradients + c.num_hvps + c.num_residuals;
  if (options.max_evaluations > 0 && evaluations >= options.max_evaluations) {
    return met("max_evaluations", static_cast<double>(evaluations),
               static_cast<double>(options.max_evaluations));
  }
  return {};
}

}  // namespace kappa
