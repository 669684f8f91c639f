#include "minimize/run_plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "kappa/error.h"
#include "minimize/choose_method.h"

namespace kappa {
namespace {

void refuse_negative(const char* name, double value) {
  if (!(value >= 0) || std::isinf(value)) {
    throw Error(
        ErrorKind::value,
        fmt::format("minimize: {} = {} must be a number >= 0 (0 switches it off)", name, value));
  }
}

void check_limits(const MinimizeOptions& options) {
  refuse_negative("max_iterations", static_cast<double>(options.max_iterations.value_or(0)));
  refuse_negative("max_seconds", options.max_seconds);
  refuse_negative("max_evaluations", static_cast<double>(options.max_evaluations));
  refuse_negative("max_epochs", options.max_epochs);
  refuse_negative("gradient_tolerance", options.gradient_tolerance.value_or(0));
  refuse_negative("value_tolerance", options.value_tolerance);
  refuse_negative("step_tolerance", options.step_tolerance);
  refuse_negative("max_rising_iterations", static_cast<double>(options.max_rising_iterations));
  refuse_negative("plateau", options.plateau);
  refuse_negative("plateau_window", static_cast<double>(options.plateau_window));
  refuse_negative("minibatch", static_cast<double>(options.minibatch));
  refuse_negative("track_curvature_every", static_cast<double>(options.track_curvature_every));
  refuse_negative("checkpoint_every_seconds", options.checkpoint_every_seconds);
  refuse_negative("checkpoint_every_iterations",
                  static_cast<double>(options.checkpoint_every_iterations));
  if (!(options.value_floor <= 0)) {
    throw Error(ErrorKind::value, "minimize: value_floor must be negative (0 switches it off)");
  }
  if (options.resume && options.checkpoint_directory.empty()) {
    throw Error(ErrorKind::usage,
                "minimize: resume needs a checkpoint directory (--checkpoint DIR)");
  }
}

std::string names_of_all() {
  std::vector<std::string> names;
  for (const Method* method : all_methods()) names.push_back(method->info.name);
  std::sort(names.begin(), names.end());
  return fmt::format("auto, {}", fmt::join(names, ", "));
}

std::vector<std::string> split(const std::string& text) {
  std::vector<std::string> parts(1);
  for (const char c : text) {
    if (c == ',') {
      parts.emplace_back();
    } else if (c != ' ') {
      parts.back() += c;
    }
  }
  return parts;
}

// Asked of a linearization, at 0 and of one sample only: the answer does not depend on either.
bool has_gauss_newton(const Problem& problem) {
  const std::vector<double> origin(static_cast<std::size_t>(problem.dimension()), 0.0);
  const std::vector<std::int64_t> first(problem.num_samples() > 0 ? 1 : 0, 0);
  return problem.linearize(origin.data(), first)->has_gauss_newton();
}

void check_fits(const MethodInfo& method, const Problem& problem, const MinimizeOptions& options) {
  const std::int64_t n = problem.dimension();
  if (method.needs_residuals && problem.num_residuals() == 0) {
    throw Error(
        ErrorKind::usage,
        fmt::format("minimize: method {} needs a sum of squares, which this objective is not; "
                    "use {}",
                    method.name, n <= 500 ? "trust-region" : "newton-cg"));
  }
  if (method.needs_gauss_newton && !has_gauss_newton(problem)) {
    throw Error(ErrorKind::usage,
                fmt::format("minimize: method {} needs a Gauss-Newton matrix (a network with a "
                            "loss, or a sum of squares); use newton-cg",
                            method.name));
  }
  if (method.max_dimension > 0 && n > method.max_dimension) {
    throw Error(
        ErrorKind::usage,
        fmt::format("minimize: method {} keeps a dense {} x {} matrix ({:.1f} GB; its limit is "
                    "{} parameters); use lbfgs or newton-cg",
                    method.name, n, n, 8e-9 * static_cast<double>(n) * static_cast<double>(n),
                    method.max_dimension));
  }
  if (options.minibatch > 0 && problem.num_samples() == 0) {
    throw Error(ErrorKind::usage,
                "minimize: mini-batches need an objective with samples; leave the option out");
  }
}

}  // namespace

const Method* find_method(std::string_view name) {
  for (const Method* method : all_methods()) {
    if (method->info.name == name) return method;
  }
  return nullptr;
}

std::vector<MethodInfo> minimize_methods() {
  std::vector<MethodInfo> infos;
  for (const Method* method : all_methods()) infos.push_back(method->info);
  std::sort(infos.begin(), infos.end(),
            [](const MethodInfo& a, const MethodInfo& b) { return a.name < b.name; });
  return infos;
}

RunPlan::RunPlan(const Problem& problem, const MinimizeOptions& options) {
  check_limits(options);
  if (problem.dimension() <= 0) {
    throw Error(ErrorKind::usage, "minimize: the objective has no parameters");
  }
  std::vector<bool> taken(options.method_options.size(), false);
  for (std::string& name : split(options.method)) {
    if (name == "auto") {
      ChosenMethod chosen = choose_method(problem, options);
      name = chosen.name;
      reason = chosen.reason;
    }
    const Method* method = find_method(name);
    if (method == nullptr) {
      throw Error(ErrorKind::usage,
                  fmt::format("minimize: no method '{}'; there are {}", name, names_of_all()));
    }
    check_fits(method->info, problem, options);
    stages.push_back({method, Settings(method->info, options.method_options, taken)});
    if (method->check != nullptr) method->check(stages.back().settings);
    method->start(stages.back().settings);  // reads every setting, as the run will
  }
  for (std::size_t i = 0; i < taken.size(); ++i) {
    if (taken[i]) continue;
    std::vector<std::string> known;
    for (const PlannedStage& stage : stages) {
      for (const OptionInfo& option : stage.method->info.options) {
        known.push_back(stages.size() > 1 ? stage.method->info.name + "." + option.name
                                          : option.name);
      }
    }
    throw Error(
        ErrorKind::usage,
        fmt::format("minimize: no option '{}' in method {}; there {}",
                    options.method_options[i].first, options.method,
                    known.empty() ? "are none" : fmt::format("are {}", fmt::join(known, ", "))));
  }
  fingerprint = fmt::format("n={} samples={} seed={} minibatch={}", problem.dimension(),
                            problem.num_samples(), options.seed, options.minibatch);
  for (const PlannedStage& stage : stages) {
    fingerprint += " " + stage.method->info.name;
    for (const auto& [name, value] : stage.settings.used()) fingerprint += " " + name + "=" + value;
  }
}

}  // namespace kappa
