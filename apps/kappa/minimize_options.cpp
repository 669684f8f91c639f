#include "minimize_options.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "frontend/nearest.h"
#include "kappa/error.h"
#include "terminal.h"
#include "values.h"

namespace kappa {
namespace {

// The library lists what it knows; a near name is suggested here, where names are typed.
void suggest(const char* option, const std::string& given, const std::vector<std::string>& known) {
  const std::string meant = nearest(given, known);
  if (meant.empty() || std::find(known.begin(), known.end(), given) != known.end()) return;
  throw Error(ErrorKind::usage, fmt::format("{}: '{}' is unknown (did you mean '{}'?); kappa "
                                            "minimize --help lists the methods and settings",
                                            option, given, meant));
}

void suggest_names(const std::string& methods, const MinimizeOptions& options) {
  std::vector<std::string> names{"auto"}, keys;
  std::vector<std::string> given = split_list(methods);
  for (std::string& name : given) std::erase(name, ' ');
  for (const MethodInfo& method : minimize_methods()) {
    names.push_back(method.name);
    if (std::find(given.begin(), given.end(), method.name) == given.end()) continue;
    for (const OptionInfo& option : method.options) {
      keys.push_back(option.name);
      keys.push_back(method.name + "." + option.name);
    }
  }
  for (const std::string& name : given) suggest("--method", name, names);
  for (const auto& [key, value] : options.method_options) suggest("--option", key, keys);
}

}  // namespace

void WalkOptions::add_to(OptionTable& table) {
  table.repeated("--option", "KEY=VALUE",
                 "a setting of the method (kappa minimize --help lists them)", settings);
  table.number("--learning-rate", "A", "the same as --option learning-rate=A", learning_rate);
  table.count("--max-iterations", "limit (default: the method's)", 1, max_iterations);
  table.number("--max-seconds", "S", "limit of time", max_seconds);
  table.number("--epochs", "E", "passes over the samples, for mini-batches (default 10)", epochs);
  table.count("--minibatch", "samples a mini-batch (default 128)", 1, minibatch);
  table.number("--gradient-tolerance", "T",
               "converged at max |gradient| <= T (default 1e-8, f32 1e-5)", gradient_tolerance);
  table.text("--switch", "RULE",
             "when, of several methods, the next takes over: plateau (default), or model: also "
             "when the quadratic model predicts better",
             switch_rule);
  table.count("--track-curvature", "largest eigenvalue every N iterations", 1, track_curvature);
  table.count(
      "--path-grid",
      "of a page or picture: heights at N x N places around the walk (default 41, with data "
      "none)",
      0, path_grid);
}

MinimizeOptions WalkOptions::build(const std::string& method, const CommonOptions& common) const {
  MinimizeOptions options;
  options.method = method;
  for (const std::string& setting : settings) {
    const std::size_t equals = setting.find('=');
    if (equals == std::string::npos || equals == 0) {
      throw Error(ErrorKind::usage, fmt::format("--option: '{}' is not KEY=VALUE", setting));
    }
    options.method_options.emplace_back(setting.substr(0, equals), setting.substr(equals + 1));
  }
  if (learning_rate) {
    options.method_options.emplace_back("learning-rate", fmt::format("{}", *learning_rate));
  }
  suggest_names(method, options);
  options.max_iterations = max_iterations;
  options.max_seconds = max_seconds;
  options.max_epochs = epochs;
  options.minibatch = minibatch;
  options.gradient_tolerance = gradient_tolerance;
  options.track_curvature_every = track_curvature;
  if (switch_rule != "plateau" && switch_rule != "model") {
    throw Error(ErrorKind::usage,
                fmt::format("--switch: no rule '{}'; there are plateau and model", switch_rule));
  }
  options.switch_rule = switch_rule == "model" ? SwitchRule::model : SwitchRule::plateau;
  options.seed = static_cast<std::uint64_t>(common.seed);
  return options;
}

Minimization walk(const LoadedObjective& loaded, const MinimizeOptions& options,
                  bool want_standard_errors, WalkPaths* paths) {
  const Objective& objective = *loaded.scalar;
  MinimizeOptions used = options;
  const bool single = objective.parts().dtype == DType::f32;
  if (!used.gradient_tolerance && single) used.gradient_tolerance = 1e-5;
  Minimization m;
  m.objective = loaded.summary;
  if (paths != nullptr) {
    paths->begin();
    used.on_iteration = [&](const IterationRecord& record, std::span<const double> w,
                            std::span<const double>) {
      paths->record(record, w);
      return true;
    };
  }
  m.result = minimize(objective, loaded.w, used);
  if (paths != nullptr) {
    paths->end(fmt::format("{}", fmt::join(m.result.methods, ",")), m.result.w, m.result.value);
  }
  m.parameters = named_values(objective.parameters(), m.result.w);
  if (!m.result.usable) return m;

  // The point's kind costs eigenvalues: only where the walk claims that the gradient vanishes.
  const double tolerance = used.gradient_tolerance.value_or(1e-8) *
                           std::sqrt(static_cast<double>(objective.dimension()));
  const bool small =
      m.result.gradient_norm <= tolerance || m.result.status == MinimizeStatus::converged;
  if (!small) {
    m.critical_point = critical_point(KnownSpectrum{}, m.result.gradient_norm, tolerance);
    m.critical_point->evidence =
        fmt::format("|gradient| = {:.3g} > {:.3g}: the function still falls along -gradient",
                    m.result.gradient_norm, tolerance);
  } else if (!interrupted()) {
    AnalyzeOptions question;
    question.num_top = question.num_bottom = 1;
    question.max_products = 300;
    question.local_model = false;
    question.gradient_tolerance = std::max(tolerance, 1.01 * m.result.gradient_norm) /
                                  std::max(1.0, std::fabs(m.result.value));
    question.progress = options.progress;
    m.critical_point = analyze(objective, m.result.w, question).critical_point;
    if (m.critical_point) m.critical_point->gradient_norm = m.result.gradient_norm;
  }
  if (want_standard_errors) m.standard_errors = standard_errors(objective, m.result.w);
  if (loaded.data && loaded.data->num_classes > 1 && objective.parts().model && !interrupted()) {
    m.accuracy = accuracy(objective, *loaded.data, m.result.w);
  }
  return m;
}

Json paths_json(const WalkPaths& paths, const WalkOptions& walk, const CommonOptions& common,
                const LoadedObjective& loaded, const ProgressCallback& progress) {
  const bool data = loaded.scalar->num_samples() > 0;
  const auto grid =
      static_cast<int>(std::min<std::int64_t>(walk.path_grid.value_or(data ? 0 : 41), 400));
  return paths.to_json(*loaded.scalar, grid, data ? 1 : common.num_threads(), progress);
}

std::string method_names() {
  std::string names;
  for (const MethodInfo& method : minimize_methods()) {
    names += (names.empty() ? "" : ", ") + method.name;
  }
  return names;
}

}  // namespace kappa
