#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "kappa/error.h"
#include "minimize/certificate.h"
#include "minimize/checkpoint.h"
#include "minimize/handover.h"
#include "minimize/limits.h"
#include "minimize/method.h"
#include "minimize/run_plan.h"
#include "minimize/run_state.h"
#include "minimize/spectrum_ends.h"
#include "minimize/verdict.h"

namespace kappa {
namespace {

constexpr int kMaxBackUps = 30;
constexpr std::int64_t kStochasticWindow = 3;  // records (epochs) of the plateau rule
// Steps longer than this may be cut short, so that Ctrl-C and max_seconds are heard in time.
constexpr double kLongStepSeconds = 0.2;

/// One run of minimize().
class Run {
 public:
  Run(const Problem& problem, std::span<const double> start, const MinimizeOptions& options)
      : options_(options), plan_(problem, options), evaluator_(problem, options), state_(options) {
    state_.iterate = Iterate(start.size());
    state_.iterate.w.assign(start.begin(), start.end());
    evaluator_.progress.task = "minimize";
  }

  MinimizeResult result() {
    try {
      begin();
      while (!end_) {
        check_limits();
        if (!end_) advance();
      }
    } catch (const RunMustEnd&) {
      end_by_limit();
    }
    // A run that ended by itself repeats its last steps when resumed; one that was stopped goes on.
    const bool stopped = end_->status == MinimizeStatus::max_iterations ||
                         end_->status == MinimizeStatus::max_seconds ||
                         end_->status == MinimizeStatus::interrupted;
    if (checkpointing() && walker_ && stopped) {
      write_checkpoint(options_.checkpoint_directory, snapshot_.empty() ? bytes() : snapshot_);
    }
    return finish();
  }

 private:
  const Method& method() const { return *plan_.stages[index()].method; }
  std::size_t index() const { return static_cast<std::size_t>(state_.stage); }
  bool last_stage() const { return index() + 1 == plan_.stages.size(); }
  bool checkpointing() const { return !options_.checkpoint_directory.empty(); }
  double gradient_tolerance() const { return evaluator_.gradient_tolerance(); }

  void begin() {
    state_.start_value =
        evaluator_.gradient(state_.iterate.w.data(), state_.iterate.gradient.data());
    state_.iterate.value = state_.start_value;
    state_.best = state_.iterate;
    gradient_size_ = max_abs(state_.iterate.gradient);
    started_ = true;
    if (!state_.iterate.finite()) {
      end(verdict(MinimizeStatus::diverged, "not_finite", state_.start_value, 0,
                  "f or its gradient is not finite at the start"));
      return;
    }
    if (options_.resume && checkpointing()) {
      if (const auto payload = read_checkpoint(options_.checkpoint_directory)) {
        restore_run(*payload, plan_, state_, walker_, evaluator_);
        last_checkpoint_seconds_ = evaluator_.seconds();
        return;
      }
    }
    start_stage();
    record({});
    check_point();
  }

  void start_stage() {
    const PlannedStage& stage = plan_.stages[index()];
    walker_ = stage.method->start(stage.settings);
    walker_->warm_start(state_.last_step_norm);
    state_.stage_iteration = state_.batches = 0;
    state_.back_ups = 0;
    state_.epoch = {};
    state_.watch.reset(state_.iterate.value);
  }

  // --- one step ---------------------------------------------------------------------------------

  void advance() {
    maybe_checkpoint();
    // A long step may be cut short; what a checkpoint then holds is the state before it.
    const double before = evaluator_.seconds();
    snapshot_.clear();
    if (checkpointing()) {
      const bool long_steps = last_step_seconds_ > kLongStepSeconds;
      if (long_steps) snapshot_ = bytes();
      evaluator_.set_interruptible(long_steps);
    }
    StepReport report = walker_->step(evaluator_, state_.iterate);
    snapshot_.clear();
    if (checkpointing()) evaluator_.set_interruptible(false);
    last_step_seconds_ = evaluator_.seconds() - before;
    if (report.not_finite || (report.moved && !std::isfinite(state_.iterate.value))) {
      back_up();
    } else if (method().info.stochastic) {
      after_batch(report);
    } else {
      after_step(report);
    }
  }

  void after_step(StepReport& report) {
    if (report.moved) {
      ++state_.iteration;
      ++state_.stage_iteration;
      state_.last_step_norm = report.step_norm;
      track_curvature(report);
      judge_value(report, state_.iterate.value);
      record(report.measures, report.step_norm);
    }
    if (end_) return;
    if (report.critical && report.critical->measured <= report.critical->threshold) {
      end(verdict(MinimizeStatus::converged, report.critical->name, report.critical->measured,
                  report.critical->threshold));
      return;
    }
    if (!report.moved) {
      stall();
      return;
    }
    check_point();
    if (end_) return;
    if (method().monotone && state_.watch.idle(gradient_size_)) {
      stall();
      return;
    }
    if (auto small = state_.watch.small_change(report.step_norm, state_.iterate.w)) {
      end(std::move(*small));
      return;
    }
    maybe_hand_over(options_.plateau_window);
  }

  // A stochastic method: one record an epoch, of means over its mini-batches.
  void after_batch(StepReport& report) {
    ++state_.iteration;
    ++state_.stage_iteration;
    ++state_.batches;
    RunState::Epoch& epoch = state_.epoch;
    ++epoch.batches;
    epoch.value += state_.iterate.value;
    epoch.gradient_norm += norm(state_.iterate.gradient);
    epoch.step_norm += report.step_norm;
    const std::int64_t per_epoch = evaluator_.minibatches().num_per_epoch();
    if (epoch.batches < per_epoch) return;
    const auto count = static_cast<double>(per_epoch);
    const double value = epoch.value / count, gradient_norm = epoch.gradient_norm / count;
    const double step_norm = epoch.step_norm / count;
    epoch = {};
    state_.last_step_norm = step_norm;
    track_curvature(report);
    judge_value(report, value);
    record(report.measures, step_norm, value, gradient_norm);
    if (end_) return;
    if (gradient_tolerance() > 0 && gradient_norm <= gradient_tolerance()) {
      refresh();
      if (state_.iterate.finite()) check_point();
      if (end_) return;
    }
    maybe_hand_over(kStochasticWindow);
  }

  // f or its gradient is not finite: back to the best point with shorter steps.
  void back_up() {
    state_.iterate = state_.best;
    if (++state_.back_ups <= kMaxBackUps && walker_->back_up()) {
      refresh();
      if (state_.back_ups == 1) {
        state_.warnings.push_back(fmt::format(
            "iteration {}: f or its gradient was not finite; went back to the best point "
            "and shortened the steps",
            state_.iteration));
      }
      return;
    }
    end(verdict(MinimizeStatus::diverged, "not_finite", NAN, 0,
                "f or its gradient is not finite, and shorter steps did not help"));
  }

  /// Value and gradient of w on all samples.
  void refresh() {
    const bool interruptible = evaluator_.set_interruptible(false);
    state_.iterate.value =
        evaluator_.gradient(state_.iterate.w.data(), state_.iterate.gradient.data());
    gradient_size_ = max_abs(state_.iterate.gradient);
    evaluator_.set_interruptible(interruptible);
  }

  // --- from one method to the next --------------------------------------------------------------

  void maybe_hand_over(std::int64_t window) {
    if (last_stage()) return;
    if (state_.watch.on_plateau(window)) {
      next_stage(fmt::format("f fell by less than {:g} % over {} records", 100 * options_.plateau,
                             window));
      return;
    }
    const std::int64_t length =
        window * (method().info.stochastic ? evaluator_.minibatches().num_per_epoch() : 1);
    if (options_.switch_rule != SwitchRule::model || state_.stage_iteration % length != 0) return;
    const auto gain = state_.watch.gain(window);
    if (!gain) return;
    const ModelTrial trial = try_model(evaluator_, state_.iterate);
    if (trial.predicts_better(*gain)) {
      next_stage(
          fmt::format("a step of the quadratic model gains {:.3g} per gradient-equivalent, "
                      "{} lately {:.3g}",
                      trial.actual / trial.work, method().info.name, *gain));
    }
  }

  void next_stage(std::string reason) {
    refresh();
    if (!state_.iterate.finite()) state_.iterate = state_.best, refresh();
    state_.best = state_.iterate;
    const std::string& from = method().info.name;
    ++state_.stage;
    state_.switches.push_back({state_.iteration, from, method().info.name, std::move(reason)});
    start_stage();
    check_point();
  }

  // --- judging ----------------------------------------------------------------------------------

  // Converged, where the gradient criterion holds and no negative curvature leads away.
  void check_point() {
    if (method().own_criterion && !options_.gradient_tolerance) return;
    const double tolerance = gradient_tolerance();
    const double measured = gradient_size_;
    if (tolerance > 0 && measured <= tolerance) accept_critical(measured, tolerance);
  }

  void accept_critical(double measured, double tolerance) {
    if (auto report = walker_->leave_saddle(evaluator_, state_.iterate)) {
      ++state_.iteration;
      ++state_.stage_iteration;
      judge_value(*report, state_.iterate.value);
      record(report->measures, report->step_norm);
      return;
    }
    end(verdict(MinimizeStatus::converged, "gradient_tolerance", measured, tolerance));
  }

  // The method found nothing better: critical to rounding, or stuck?
  void stall() {
    const double tolerance = gradient_tolerance();
    const double measured = max_abs(state_.iterate.gradient);
    if (tolerance > 0 && measured <= tolerance) {
      accept_critical(measured, tolerance);
      return;
    }
    if (!last_stage()) {
      next_stage("it found no further decrease");
      return;
    }
    const auto decrement = newton_decrement_criterion(evaluator_, state_.iterate);
    if (decrement && decrement->measured <= decrement->threshold) {
      end(verdict(MinimizeStatus::converged, decrement->name, decrement->measured,
                  decrement->threshold, "no decrease is left that f can resolve"));
      return;
    }
    end(verdict(MinimizeStatus::stalled, "no_decrease", measured, tolerance,
                "the method found no further decrease; the gradient is not small"));
  }

  void judge_value(const StepReport& report, double value) {
    if (!method().monotone && value < state_.best.value) {
      state_.best.w = state_.iterate.w;
      state_.best.value = value;
      // Who returns to the best point of a stochastic method takes the gradient of all samples.
      if (!method().info.stochastic) state_.best.gradient = state_.iterate.gradient;
    }
    const double work = evaluator_.counts().gradient_equivalents;
    if (auto bad = state_.watch.after_step(value, work, report, state_.start_value)) {
      end(std::move(*bad));
      return;
    }
    const std::string warning = state_.watch.warning(report);
    if (!warning.empty() && state_.warnings.size() < 3) {
      state_.warnings.push_back(fmt::format("iteration {}: {}", state_.iteration, warning));
    }
  }

  void check_limits() {
    if (evaluator_.must_end()) {
      end_by_limit();
      return;
    }
    auto met = met_limit(options_, method().info, state_, evaluator_);
    if (!met) return;
    if (!met->hand_over.empty() && !last_stage()) {
      next_stage(std::move(met->hand_over));
    } else {
      end(std::move(met->verdict));
    }
  }

  void end_by_limit() {
    if (end_) return;
    if (evaluator_.stop_requested()) {
      end(verdict(MinimizeStatus::interrupted, "stop_requested", 1, 1, "stopped by the user"));
    } else {
      end(verdict(MinimizeStatus::max_seconds, "max_seconds", evaluator_.seconds(),
                  options_.max_seconds));
    }
  }

  void end(Verdict verdict) { end_ = std::move(verdict); }

  // --- records and checkpoints ------------------------------------------------------------------

  void track_curvature(StepReport& report) {
    const std::int64_t every = options_.track_curvature_every;
    if (every <= 0 || state_.stage_iteration % every != 0) return;
    const auto curvature = evaluator_.linearize(state_.iterate.w.data());
    const SpectrumEnds ends = spectrum_ends(evaluator_, curvature, {.smallest = false});
    report.measures.push_back({"lambda_max", ends.largest});
    for (const Measure& m : std::vector<Measure>(report.measures)) {
      if (m.name == "learning_rate" && m.value > 0) {
        report.measures.push_back({"stability_limit", 2 / m.value});
      }
    }
  }

  void record(std::vector<Measure> measures, double step_norm = 0) {
    record(std::move(measures), step_norm, state_.iterate.value, norm(state_.iterate.gradient));
  }

  void record(std::vector<Measure> measures, double step_norm, double value, double gradient_norm) {
    IterationRecord r;
    r.iteration = state_.iteration;
    r.stage = state_.stage;
    r.value = value;
    r.gradient_norm = gradient_norm;
    r.gradient_norm_inf = gradient_size_ = max_abs(state_.iterate.gradient);
    r.step_norm = step_norm;
    r.seconds = evaluator_.seconds();
    r.gradient_equivalents = evaluator_.counts().gradient_equivalents;
    r.measures = std::move(measures);
    evaluator_.progress.done = state_.iteration;
    evaluator_.progress.total = options_.max_iterations.value_or(0);
    if (options_.progress) {
      evaluator_.progress.detail = fmt::format("f = {:.6g}, |g| = {:.3g}", value, gradient_norm);
    }
    const bool go_on = !options_.on_iteration ||
                       options_.on_iteration(r, state_.iterate.w, state_.iterate.gradient);
    state_.table.add(std::move(r));
    if (!go_on) evaluator_.request_stop();
  }

  std::vector<char> bytes() { return save_run(plan_, state_, *walker_, evaluator_); }

  void maybe_checkpoint() {
    if (!checkpointing()) return;
    const double now = evaluator_.seconds();
    const std::int64_t every = options_.checkpoint_every_iterations;
    const bool due = (every > 0 && state_.iteration % every == 0) ||
                     (options_.checkpoint_every_seconds > 0 &&
                      now - last_checkpoint_seconds_ >= options_.checkpoint_every_seconds);
    if (!due) return;
    write_checkpoint(options_.checkpoint_directory, bytes());
    last_checkpoint_seconds_ = evaluator_.seconds();
  }

  // --- the end ----------------------------------------------------------------------------------

  MinimizeResult finish() {
    evaluator_.set_interruptible(false);
    const bool stochastic = method().info.stochastic;
    if (stochastic && started_) refresh();
    // A mini-batch run ends where it ends; anything else at the best point it met.
    const bool back = stochastic
                          ? !state_.iterate.finite() || end_->status == MinimizeStatus::diverged
                          : !method().monotone && state_.best.value < state_.iterate.value;
    if ((back || !state_.iterate.finite()) && end_->status != MinimizeStatus::converged) {
      state_.iterate = state_.best;
      if (stochastic) refresh();
    }
    const double measured = max_abs(state_.iterate.gradient);
    if (stochastic && end_->status == MinimizeStatus::max_iterations && gradient_tolerance() > 0 &&
        measured <= gradient_tolerance()) {
      end(verdict(MinimizeStatus::converged, "gradient_tolerance", measured, gradient_tolerance()));
    }
    MinimizeResult result;
    for (const PlannedStage& stage : plan_.stages) {
      result.methods.push_back(stage.method->info.name);
      for (auto& used : stage.settings.used()) result.used_options.push_back(std::move(used));
    }
    result.method_reason = plan_.reason;
    result.given_options = options_.method_options;
    result.status = end_->status;
    result.reason = end_->reason;
    result.start_value = state_.start_value;
    result.value = state_.iterate.value;
    result.gradient_norm = norm(state_.iterate.gradient);
    result.gradient_norm_inf = measured;
    result.usable = state_.iterate.finite() && state_.iterate.value <= state_.start_value;
    result.w = std::move(state_.iterate.w);
    result.gradient = std::move(state_.iterate.gradient);
    result.num_iterations = state_.iteration;
    result.num_epochs = stochastic ? epochs_done(state_, evaluator_) : 0;
    result.seconds = evaluator_.seconds();
    result.counts = evaluator_.counts();
    result.iterations = state_.table.take();
    result.switches = std::move(state_.switches);
    result.warnings = std::move(state_.warnings);
    return result;
  }

  const MinimizeOptions& options_;
  RunPlan plan_;
  Evaluator evaluator_;
  RunState state_;
  std::unique_ptr<Walker> walker_;
  std::vector<char> snapshot_;
  double gradient_size_ = 0;  // max |g_i| of the iterate
  double last_step_seconds_ = 0, last_checkpoint_seconds_ = 0;
  bool started_ = false;
  std::optional<Verdict> end_;
};

}  // namespace

MinimizeResult minimize(const Problem& problem, std::span<const double> start,
                        const MinimizeOptions& options) {
  if (static_cast<std::int64_t>(start.size()) != problem.dimension()) {
    throw Error(ErrorKind::shape, fmt::format("minimize: the start has {} entries, the problem {}",
                                              start.size(), problem.dimension()));
  }
  return Run(problem, start, options).result();
}

void check_minimize_options(const Problem& problem, const MinimizeOptions& options) {
  const RunPlan plan(problem, options);
}

}  // namespace kappa
