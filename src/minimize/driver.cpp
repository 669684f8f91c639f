#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <deque>

#include "kappa/error.h"
#include "minimize/certificate.h"
#include "minimize/checkpoint.h"
#include "minimize/method.h"
#include "minimize/run_plan.h"
#include "minimize/spectrum_ends.h"

namespace kappa {
namespace {

constexpr double kGradientTolerance = 1e-8;
// A monotone method that neither lowers f nor the gradient for this long works at rounding level.
constexpr int kMaxIdleIterations = 40;
constexpr int kMaxBackUps = 30;

/// Everything of a run that a checkpoint holds beside the method's own state.
struct State {
  std::int32_t stage = 0;
  std::int64_t iteration = 0, stage_iteration = 0, batches = 0;
  Iterate iterate, best;
  double start_value = 0, last_value = 0, last_step_norm = 0, least_gradient = INFINITY;
  std::int64_t rising = 0;
  int idle = 0, back_ups = 0;
  double epoch_value = 0, epoch_gradient = 0, epoch_step = 0;
  std::int64_t epoch_batches = 0;
  Vector recent_values;  // of this stage, for the plateau rule
  std::int64_t record_every = 1;
  std::vector<IterationRecord> records;
  std::vector<std::string> warnings;
  EvaluationCounts counts;
  double seconds = 0;

  void archive(Archive& a) {
    a(stage, iteration, stage_iteration, batches, iterate, best, start_value, last_value,
      last_step_norm, least_gradient, rising, idle, back_ups, epoch_value, epoch_gradient,
      epoch_step, epoch_batches, recent_values, record_every, seconds);
    archive_counts(a, counts);
    std::uint64_t size = records.size();
    a(size);
    if (a.reading()) records.resize(size);
    for (IterationRecord& r : records) archive_record(a, r);
    size = warnings.size();
    a(size);
    if (a.reading()) warnings.resize(size);
    for (std::string& text : warnings) a(text);
  }

  static void archive_counts(Archive& a, EvaluationCounts& c) {
    a(c.num_values, c.num_gradients, c.num_hvps, c.num_hessians, c.num_residuals, c.num_jacobians,
      c.num_factorizations, c.value_seconds, c.gradient_seconds, c.hvp_seconds, c.hessian_seconds,
      c.residual_seconds, c.jacobian_seconds, c.factorization_seconds, c.gradient_equivalents);
  }
  static void archive_record(Archive& a, IterationRecord& r) {
    a(r.iteration, r.stage, r.value, r.gradient_norm, r.gradient_norm_inf, r.step_norm, r.seconds,
      r.gradient_equivalents);
    std::uint64_t size = r.measures.size();
    a(size);
    if (a.reading()) r.measures.resize(size);
    for (Measure& m : r.measures) a(m.name, m.value);
  }
};

double measure(const StepReport& report, std::string_view name) {
  for (const Measure& m : report.measures) {
    if (m.name == name) return m.value;
  }
  return NAN;
}

/// One run of minimize().
class Run {
 public:
  Run(const Problem& problem, std::span<const double> start, const MinimizeOptions& options)
      : options_(options), plan_(problem, options), evaluator_(problem, options) {
    state_.iterate = Iterate(start.size());
    state_.iterate.w.assign(start.begin(), start.end());
    evaluator_.progress.task = "minimize";
  }

  MinimizeResult result() {
    try {
      begin();
      while (!ended_) {
        check_limits();
        if (!ended_) advance();
      }
    } catch (const RunMustEnd&) {
      end_by_limit();
    }
    // A run that ended by itself repeats its last steps when resumed; one that was stopped goes on.
    const bool stopped = status_ == MinimizeStatus::max_iterations ||
                         status_ == MinimizeStatus::max_seconds ||
                         status_ == MinimizeStatus::interrupted;
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
  double gradient_tolerance() const {
    return options_.gradient_tolerance.value_or(kGradientTolerance);
  }

  void begin() {
    state_.start_value =
        evaluator_.gradient(state_.iterate.w.data(), state_.iterate.gradient.data());
    state_.iterate.value = state_.last_value = state_.start_value;
    state_.best = state_.iterate;
    gradient_size_ = max_abs(state_.iterate.gradient);
    started_ = true;
    if (!state_.iterate.finite()) {
      end(MinimizeStatus::diverged, "not_finite", state_.start_value, 0,
          "f or its gradient is not finite at the start");
      return;
    }
    if (options_.resume && checkpointing()) {
      if (const auto payload = read_checkpoint(options_.checkpoint_directory)) {
        restore(*payload);
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
    state_.stage_iteration = 0;
    state_.recent_values.clear();
    state_.rising = state_.idle = state_.back_ups = 0;
    state_.batches = state_.epoch_batches = 0;
    state_.epoch_value = state_.epoch_gradient = state_.epoch_step = 0;
  }

  // --- one step ---------------------------------------------------------------------------------

  void advance() {
    maybe_checkpoint();
    // A long step may be cut short; what a checkpoint then holds is the state before it.
    const double before = evaluator_.seconds();
    snapshot_.clear();
    if (checkpointing()) {
      const bool long_steps = last_step_seconds_ > 0.2;
      if (long_steps) snapshot_ = bytes();
      evaluator_.set_interruptible(long_steps);
    }
    StepReport report = walker_->step(evaluator_, state_.iterate);
    snapshot_.clear();
    if (checkpointing()) evaluator_.set_interruptible(false);
    last_step_seconds_ = evaluator_.seconds() - before;
    after_step(report);
  }

  void after_step(StepReport& report) {
    if (report.not_finite || (report.moved && !std::isfinite(state_.iterate.value))) {
      back_up();
      return;
    }
    if (method().info.stochastic) {
      after_batch(report);
      return;
    }
    if (report.moved) {
      ++state_.iteration;
      ++state_.stage_iteration;
      state_.last_step_norm = report.step_norm;
      track_curvature(report);
      judge_value(report);
      record(report.measures, report.step_norm);
    }
    if (ended_) return;
    if (report.critical && report.critical->measured <= report.critical->threshold) {
      end(MinimizeStatus::converged, report.critical->name, report.critical->measured,
          report.critical->threshold, "");
      return;
    }
    if (!report.moved) {
      stall();
      return;
    }
    check_point();
    if (ended_) return;
    judge_small_changes(report);
    if (!ended_ && !last_stage() && on_plateau(options_.plateau_window)) next_stage();
  }

  // A stochastic method: one record an epoch, of means over its mini-batches.
  void after_batch(StepReport& report) {
    ++state_.iteration;
    ++state_.stage_iteration;
    ++state_.batches;
    ++state_.epoch_batches;
    state_.epoch_value += state_.iterate.value;
    state_.epoch_gradient += norm(state_.iterate.gradient);
    state_.epoch_step += report.step_norm;
    const std::int64_t per_epoch = evaluator_.minibatches().num_per_epoch();
    if (state_.epoch_batches < per_epoch) return;
    const auto count = static_cast<double>(per_epoch);
    const double mean_value = state_.epoch_value / count;
    const double mean_gradient = state_.epoch_gradient / count;
    const double mean_step = state_.epoch_step / count;
    state_.epoch_batches = 0;
    state_.epoch_value = state_.epoch_gradient = state_.epoch_step = 0;
    state_.last_step_norm = mean_step;
    track_curvature(report);
    judge_value(report, mean_value);
    record(report.measures, mean_step, mean_value, mean_gradient);
    if (ended_) return;
    if (gradient_tolerance() > 0 && mean_gradient <= gradient_tolerance()) {
      refresh();
      if (state_.iterate.finite()) check_point();
      if (ended_) return;
    }
    if (!last_stage() && on_plateau(3)) next_stage();
  }

  double epochs() {
    return static_cast<double>(state_.batches) /
           static_cast<double>(evaluator_.minibatches().num_per_epoch());
  }
  double max_epochs() {
    if (options_.max_epochs > 0) return options_.max_epochs;
    // Ten epochs where nothing else was said; without mini-batches an epoch is an iteration.
    const bool limited = options_.max_iterations.value_or(0) > 0 || options_.max_seconds > 0;
    return limited || evaluator_.minibatches().num_per_epoch() == 1 ? 0 : 10;
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
      judge_value(*report);
      record(report->measures, report->step_norm);
      return;
    }
    end(MinimizeStatus::converged, "gradient_tolerance", measured, tolerance, "");
  }

  // The method found nothing better: critical to rounding, or stuck?
  void stall() {
    const double tolerance = gradient_tolerance();
    const double measured = max_abs(state_.iterate.gradient);
    if (tolerance > 0 && measured <= tolerance) {
      const std::int64_t before = state_.iteration;
      accept_critical(measured, tolerance);
      if (state_.iteration != before) return;  // left a saddle
      return;
    }
    if (!last_stage()) {
      next_stage();
      return;
    }
    const auto decrement = newton_decrement_criterion(evaluator_, state_.iterate);
    if (decrement && decrement->measured <= decrement->threshold) {
      end(MinimizeStatus::converged, decrement->name, decrement->measured, decrement->threshold,
          "no decrease is left that f can resolve");
      return;
    }
    end(MinimizeStatus::stalled, "no_decrease", measured, tolerance,
        "the method found no further decrease; the gradient is not small");
  }

  void judge_value(const StepReport& report) { judge_value(report, state_.iterate.value); }

  void judge_value(const StepReport& report, double value) {
    if (!method().monotone && value < state_.best.value) {
      state_.best = state_.iterate;
      state_.best.value = value;
    }
    state_.rising = value > state_.last_value ? state_.rising + 1 : 0;
    state_.last_value = value;
    state_.recent_values.push_back(value);
    if (options_.value_floor != 0 && value <= options_.value_floor) {
      end(MinimizeStatus::diverged, "value_floor", value, options_.value_floor,
          "f falls without bound");
      return;
    }
    if (state_.rising == 3) warn_of_rise(report);
    // Momentum rises for about 1 / (1 - momentum) iterations before it falls.
    const double momentum = measure(report, "momentum");
    const double allowed = static_cast<double>(options_.max_rising_iterations) *
                           (momentum > 0 && momentum < 1 ? 1 / (1 - momentum) : 1);
    const auto rising = static_cast<double>(state_.rising);
    if (allowed > 0 && rising >= allowed &&
        value > state_.start_value + 10 * std::fabs(state_.start_value)) {
      end(MinimizeStatus::diverged, "rising_iterations", rising, allowed,
          fmt::format("f rose {} times in a row to {:.6g}, above its start {:.6g}{}", state_.rising,
                      value, state_.start_value, rate_advice(report)));
    }
  }

  static std::string rate_advice(const StepReport& report) {
    const double rate = measure(report, "learning_rate");
    const double curvature = measure(report, "curvature");
    if (!(rate * curvature > 2)) return "";
    return fmt::format("; the learning rate {:.6g} exceeds 2/curvature = {:.6g} along the step",
                       rate, 2 / curvature);
  }

  void warn_of_rise(const StepReport& report) {
    const std::string advice = rate_advice(report);
    if (advice.empty() || state_.warnings.size() >= 3) return;
    state_.warnings.push_back(
        fmt::format("iteration {}: f rose 3 times in a row{}", state_.iteration, advice));
  }

  void judge_small_changes(const StepReport& report) {
    const double f = state_.iterate.value;
    if (method().monotone) {
      const double gradient = gradient_size_;
      const std::size_t k = state_.recent_values.size();
      const double before = k > 1 ? state_.recent_values[k - 2] : state_.start_value;
      state_.idle = f < before || gradient < state_.least_gradient ? 0 : state_.idle + 1;
      state_.least_gradient = std::min(state_.least_gradient, gradient);
      if (state_.idle >= kMaxIdleIterations) {
        state_.idle = 0;
        stall();
        return;
      }
    }
    const std::size_t k = state_.recent_values.size();
    if (options_.value_tolerance > 0 && k > 1) {
      const double before = state_.recent_values[k - 2];
      const double change = std::fabs(f - before) / std::max(std::fabs(f), std::fabs(before));
      if (!(change > options_.value_tolerance)) {
        end(MinimizeStatus::stalled, "value_tolerance", change, options_.value_tolerance, "");
        return;
      }
    }
    if (options_.step_tolerance > 0) {
      const double change = report.step_norm / norm(state_.iterate.w);
      if (!(change > options_.step_tolerance)) {
        end(MinimizeStatus::stalled, "step_tolerance", change, options_.step_tolerance, "");
      }
    }
  }

  bool on_plateau(std::int64_t window) const {
    const auto size = static_cast<std::int64_t>(state_.recent_values.size());
    if (options_.plateau <= 0 || window <= 0 || size <= window) return false;
    const double now = state_.recent_values.back();
    const double before = state_.recent_values[static_cast<std::size_t>(size - 1 - window)];
    return before - now <= options_.plateau * std::fabs(before);
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
    end(MinimizeStatus::diverged, "not_finite", NAN, 0,
        "f or its gradient is not finite, and shorter steps did not help");
  }

  /// Value and gradient of w on all samples.
  void refresh() {
    const bool interruptible = evaluator_.set_interruptible(false);
    state_.iterate.value =
        evaluator_.gradient(state_.iterate.w.data(), state_.iterate.gradient.data());
    gradient_size_ = max_abs(state_.iterate.gradient);
    evaluator_.set_interruptible(interruptible);
  }

  void next_stage() {
    refresh();
    if (!state_.iterate.finite()) state_.iterate = state_.best, refresh();
    state_.best = state_.iterate;
    state_.last_value = state_.iterate.value;
    state_.least_gradient = INFINITY;
    ++state_.stage;
    start_stage();
    check_point();
  }

  void check_limits() {
    if (evaluator_.must_end()) {
      end_by_limit();
      return;
    }
    if (method().info.stochastic && max_epochs() > 0 && epochs() >= max_epochs()) {
      if (last_stage()) {
        end(MinimizeStatus::max_iterations, "max_epochs", epochs(), max_epochs(), "");
      } else {
        next_stage();
      }
      return;
    }
    std::int64_t limit = method().info.default_max_iterations;
    if (options_.max_iterations) limit = *options_.max_iterations;
    if (method().info.stochastic && !options_.max_iterations &&
        evaluator_.minibatches().num_per_epoch() > 1) {
      limit = 0;  // epochs count there
    }
    const std::int64_t done = options_.max_iterations ? state_.iteration : state_.stage_iteration;
    if (limit > 0 && done >= limit) {
      if (!options_.max_iterations && !last_stage()) {
        next_stage();
        return;
      }
      end(MinimizeStatus::max_iterations, "max_iterations", static_cast<double>(done),
          static_cast<double>(limit), "");
      return;
    }
    const EvaluationCounts& c = evaluator_.counts();
    const std::int64_t evaluations = c.num_values + c.num_gradients + c.num_hvps + c.num_residuals;
    if (options_.max_evaluations > 0 && evaluations >= options_.max_evaluations) {
      end(MinimizeStatus::max_iterations, "max_evaluations", static_cast<double>(evaluations),
          static_cast<double>(options_.max_evaluations), "");
    }
  }

  void end_by_limit() {
    if (ended_) return;
    if (evaluator_.stop_requested()) {
      end(MinimizeStatus::interrupted, "stop_requested", 1, 1, "stopped by the user");
    } else {
      end(MinimizeStatus::max_seconds, "max_seconds", evaluator_.seconds(), options_.max_seconds,
          "");
    }
  }

  void end(MinimizeStatus status, std::string criterion, double measured, double threshold,
           std::string text) {
    ended_ = true;
    status_ = status;
    reason_ = {std::move(criterion), measured, threshold, std::move(text)};
    if (reason_.text.empty()) {
      reason_.text =
          fmt::format("{}: {:.6g} against {:.6g}", reason_.criterion, measured, threshold);
    }
  }

  // --- records ----------------------------------------------------------------------------------

  void track_curvature(StepReport& report) {
    const std::int64_t every = options_.track_curvature_every;
    if (every <= 0 || state_.stage_iteration % every != 0) return;
    const auto curvature = evaluator_.linearize(state_.iterate.w.data());
    const SpectrumEnds ends = spectrum_ends(evaluator_, curvature, {.smallest = false});
    report.measures.push_back({"lambda_max", ends.largest});
    const double rate = measure(report, "learning_rate");
    if (rate > 0) report.measures.push_back({"stability_limit", 2 / rate});
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
    if (++num_seen_ % state_.record_every == 0 || state_.iteration == 0) {
      state_.records.push_back(std::move(r));
      thin_records();
    }
    if (!go_on) evaluator_.request_stop();
  }

  void thin_records() {
    if (options_.max_records <= 0 ||
        static_cast<std::int64_t>(state_.records.size()) <= options_.max_records) {
      return;
    }
    std::size_t kept = 0;
    for (std::size_t i = 0; i < state_.records.size(); i += 2) {
      if (kept != i) state_.records[kept] = std::move(state_.records[i]);
      ++kept;
    }
    state_.records.resize(kept);
    state_.record_every *= 2;
  }

  // --- checkpoints ------------------------------------------------------------------------------

  std::vector<char> bytes() {
    Archive archive;
    std::string fingerprint = plan_.fingerprint;
    state_.counts = evaluator_.counts();
    state_.seconds = evaluator_.seconds();
    archive(fingerprint, state_, num_seen_);
    walker_->archive(archive);
    return archive.bytes();
  }

  void restore(const std::vector<char>& payload) {
    Archive archive(payload);
    std::string fingerprint;
    archive(fingerprint);
    if (fingerprint != plan_.fingerprint) {
      throw Error(
          ErrorKind::data,
          fmt::format("minimize: the checkpoint is of another run ({}; now {}); resume with "
                      "the same objective, method and options, or remove it",
                      fingerprint, plan_.fingerprint));
    }
    const double start_value = state_.start_value;
    archive(state_, num_seen_);
    if (std::memcmp(&start_value, &state_.start_value, sizeof start_value) != 0 ||
        index() >= plan_.stages.size()) {
      throw Error(
          ErrorKind::data,
          fmt::format("minimize: the checkpoint began at f = {:.17g}, this run at {:.17g}: "
                      "another objective, data or start; resume with the same, or remove it",
                      state_.start_value, start_value));
    }
    evaluator_.counts() = state_.counts;
    evaluator_.add_seconds(state_.seconds);
    const PlannedStage& stage = plan_.stages[index()];
    walker_ = stage.method->start(stage.settings);
    walker_->archive(archive);
    if (!archive.exhausted()) {
      throw Error(ErrorKind::data, "minimize: the checkpoint holds more than this method's state");
    }
    last_checkpoint_seconds_ = evaluator_.seconds();
  }

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
    if (stochastic && started_) {
      refresh();
    }
    // A mini-batch run ends where it ends; anything else at the best point it met.
    const bool back = stochastic ? !state_.iterate.finite() || status_ == MinimizeStatus::diverged
                                 : !method().monotone && state_.best.value < state_.iterate.value;
    if ((back || !state_.iterate.finite()) && status_ != MinimizeStatus::converged) {
      state_.iterate = state_.best;
      if (stochastic) refresh();
    }
    const double measured = max_abs(state_.iterate.gradient);
    if (stochastic && status_ == MinimizeStatus::max_iterations && gradient_tolerance() > 0 &&
        measured <= gradient_tolerance()) {
      end(MinimizeStatus::converged, "gradient_tolerance", measured, gradient_tolerance(), "");
    }
    MinimizeResult result;
    for (const PlannedStage& stage : plan_.stages) {
      result.methods.push_back(stage.method->info.name);
      for (auto& used : stage.settings.used()) result.used_options.push_back(std::move(used));
    }
    result.method_reason = plan_.reason;
    result.given_options = options_.method_options;
    result.status = status_;
    result.reason = reason_;
    result.start_value = state_.start_value;
    result.value = state_.iterate.value;
    result.gradient_norm = norm(state_.iterate.gradient);
    result.gradient_norm_inf = measured;
    result.usable = state_.iterate.finite() && state_.iterate.value <= state_.start_value;
    result.w = std::move(state_.iterate.w);
    result.gradient = std::move(state_.iterate.gradient);
    result.num_iterations = state_.iteration;
    result.num_epochs = stochastic ? epochs() : 0;
    result.seconds = evaluator_.seconds();
    result.counts = evaluator_.counts();
    result.iterations = std::move(state_.records);
    result.warnings = std::move(state_.warnings);
    return result;
  }

  const MinimizeOptions& options_;
  RunPlan plan_;
  Evaluator evaluator_;
  State state_;
  std::unique_ptr<Walker> walker_;
  std::vector<char> snapshot_;
  std::int64_t num_seen_ = 0;
  double gradient_size_ = 0;  // max |g_i| of the iterate
  double last_step_seconds_ = 0, last_checkpoint_seconds_ = 0;
  bool started_ = false, ended_ = false;
  MinimizeStatus status_ = MinimizeStatus::stalled;
  StopReason reason_;
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
