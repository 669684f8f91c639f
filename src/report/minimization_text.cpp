#include "report/minimization_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "report/analysis_text.h"
#include "report/race_plot.h"

namespace kappa {
namespace {

std::string joined(const std::vector<std::string>& names) {
  return fmt::format("{}", fmt::join(names, ", then "));
}

void write_path(Text& text, const MinimizeResult& r) {
  const auto count = r.iterations.size();
  if (count < 2) return;
  text.label("Path");
  text.line(fmt::format("{:>9}  {:>14}  {:>11}  {:>11}  {:>9}", "iteration", "f", "|g|", "|step|",
                        "seconds"));
  constexpr std::size_t most = 10;
  std::size_t last_shown = count;
  for (std::size_t row = 0; row < std::min(count, most); ++row) {
    // Evenly spread, first and last among them.
    const std::size_t i = count <= most ? row : row * (count - 1) / (most - 1);
    if (i == last_shown) continue;
    last_shown = i;
    const IterationRecord& record = r.iterations[i];
    text.line(fmt::format("{:>9}  {:>14.8g}  {:>11.4g}  {:>11.4g}  {:>9.3g}", record.iteration,
                          record.value, record.gradient_norm, record.step_norm, record.seconds));
  }
}

void write_parameters(Text& text, const Minimization& m) {
  std::size_t entries = 0, width = 1;
  for (const NamedArrayValue& p : m.parameters) {
    entries += p.values.size();
    width = std::max(width, p.name.size());
  }
  if (entries > 12) return;
  text.label("Parameters");
  std::size_t error_at = 0;
  for (const NamedArrayValue& p : m.parameters) {
    for (std::size_t i = 0; i < p.values.size(); ++i) {
      std::string name = p.name;
      if (!p.shape.empty()) name += fmt::format("[{}]", i);
      std::string line = fmt::format("{:<{}} = {:.12g}", name, width, p.values[i]);
      if (p.varies && m.standard_errors && error_at < m.standard_errors->standard_errors.size()) {
        line += fmt::format("  +- {:.4g}", m.standard_errors->standard_errors[error_at]);
      }
      if (p.varies) ++error_at;
      text.line(line + (p.varies ? "" : "  (fixed)"));
    }
  }
}

// What was asked for beside what was used instead of nothing said.
void write_settings(Text& text, const MinimizeResult& r) {
  if (r.given_options.empty()) return;
  const auto listed = [](const auto& options, const auto& wanted) {
    std::string list;
    for (const auto& [key, value] : options) {
      if (wanted(key)) list += fmt::format("{}{}={}", list.empty() ? "" : ", ", key, value);
    }
    return list;
  };
  const auto given = [&](const std::string& used) {
    return std::any_of(r.given_options.begin(), r.given_options.end(), [&](const auto& option) {
      return used == option.first || used.ends_with("." + option.first);
    });
  };
  text.label("Settings");
  text.words("given: " + listed(r.given_options, [](const std::string&) { return true; }));
  const std::string rest =
      listed(r.used_options, [&](const std::string& key) { return !given(key); });
  if (!rest.empty()) text.words("default: " + rest);
}

void write_switches(Text& text, const MinimizeResult& r) {
  if (r.switches.empty()) return;
  text.label("Switched");
  for (const MethodSwitch& s : r.switches) {
    text.words(
        fmt::format("after iteration {} from {} to {}: {}", s.iteration, s.from, s.to, s.reason));
  }
}

// Names of the parameters that vary, entry by entry.
std::vector<std::string> entry_names(const Minimization& m) {
  std::vector<std::string> names;
  for (const NamedArrayValue& p : m.parameters) {
    for (std::size_t i = 0; p.varies && i < p.values.size(); ++i) {
      names.push_back(p.shape.empty() ? p.name : fmt::format("{}[{}]", p.name, i));
    }
  }
  return names;
}

void write_fit(Text& text, const StandardErrors& fit, const std::vector<std::string>& names) {
  text.label("Fit");
  text.words(fmt::format(
      "residual sum of squares {:.10g}, residual standard deviation {:.6g}, {} "
      "degrees of freedom",
      fit.residual_sum_of_squares, fit.residual_standard_deviation, fit.degrees_of_freedom));
  if (!fit.undetermined.empty()) {
    text.words(fmt::format("the data do not determine {}: J has rank {} of {}",
                           fmt::join(fit.undetermined, ", "), fit.rank,
                           fit.standard_errors.size()));
    return;
  }
  text.words(fmt::format("condition number of J'J {:.3g}, {:.3g} with the columns scaled",
                         fit.condition, fit.scaled_condition));
  const std::size_t n = fit.standard_errors.size();
  if (n < 2 || names.size() != n) return;
  double largest = 0;
  std::size_t row = 0, column = 0;
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      if (std::fabs(fit.correlations[i * n + j]) <= std::fabs(largest)) continue;
      largest = fit.correlations[i * n + j];
      row = i;
      column = j;
    }
  }
  text.words(
      fmt::format("largest correlation {:.4f}, of {} and {}", largest, names[column], names[row]));
}

// What was evaluated at all.
std::string counts_text(const EvaluationCounts& c) {
  std::string list;
  const auto add = [&](std::int64_t count, const char* noun) {
    if (count > 0) list += ", " + counted(count, noun);
  };
  add(c.num_values, "value");
  add(c.num_gradients, "gradient");
  add(c.num_hvps, "Hessian product");
  add(c.num_hessians, "dense Hessian");
  add(c.num_residuals, "residual vector");
  add(c.num_jacobians, "Jacobian");
  add(c.num_factorizations, "factorisation");
  return list;
}

// Where the time went, for runs long enough to ask.
void write_times(Text& text, const MinimizeResult& r) {
  if (r.seconds < 1) return;
  const EvaluationCounts& c = r.counts;
  std::string parts;
  double rest = r.seconds;
  const auto add = [&](const char* name, double seconds) {
    rest -= seconds;
    if (seconds > 0.005 * r.seconds) parts += fmt::format("{} {}, ", name, time_text(seconds));
  };
  add("values", c.value_seconds);
  add("gradients", c.gradient_seconds);
  add("products", c.hvp_seconds);
  add("Hessians", c.hessian_seconds);
  add("residuals", c.residual_seconds);
  add("Jacobians", c.jacobian_seconds);
  add("factorisations", c.factorization_seconds);
  text.words(parts + "the rest " + time_text(std::max(rest, 0.0)));
}

const char* remedy(const MinimizeResult& r) {
  switch (r.status) {
    case MinimizeStatus::converged: return "";
    case MinimizeStatus::max_iterations:
      return r.reason.criterion == "max_epochs" ? "more --epochs go further"
                                                : "a larger --max-iterations goes further";
    case MinimizeStatus::max_seconds: return "a larger --max-seconds goes further";
    case MinimizeStatus::stalled:
      return "kappa analyze at this point says why: a flat direction, a kink, or rounding";
    case MinimizeStatus::diverged: {
      if (!std::isfinite(r.start_value)) {
        return "start where f has a value: another --at, other weights";
      }
      if (r.reason.criterion == "value_floor") {
        return "there is no minimum that way: hold a parameter by --params, or correct f";
      }
      const bool has_rate = std::any_of(r.used_options.begin(), r.used_options.end(),
                                        [](const auto& o) { return o.first.ends_with("rate"); });
      return has_rate ? "a smaller learning rate: kappa analyze at the start gives the stable ones"
                      : "start elsewhere, or take a method that only goes down (trust-region)";
    }
    case MinimizeStatus::interrupted: return "stopped by you; this is the best point so far";
  }
  return "";
}

}  // namespace

std::string to_text(const Minimization& m, const TextStyle& style) {
  const MinimizeResult& r = m.result;
  Text text(style);
  write_objective(text, m.objective);
  text.label("Method");
  text.words(joined(r.methods) + (r.method_reason.empty() ? "" : " (" + r.method_reason + ")"));
  write_settings(text, r);
  write_switches(text, r);
  text.label("Value");
  text.line(
      fmt::format("{}, from {} at the start", value_text(r.value), value_text(r.start_value)));
  if (m.accuracy) {
    text.line(
        fmt::format("{:.2f} % of the training samples classified rightly", 100 * *m.accuracy));
  }
  text.label("Gradient");
  text.line(fmt::format("|g| = {}, largest entry {}", number(r.gradient_norm),
                        number(r.gradient_norm_inf)));
  text.label("Ended");
  std::string status = to_string(r.status);
  std::replace(status.begin(), status.end(), '_', ' ');
  if (r.reason.criterion == "max_epochs") {
    text.words(fmt::format("the {:g} epochs asked for are done, {}", r.num_epochs,
                           counted(r.num_iterations, "step")));
  } else {
    text.words(fmt::format("{} after {}: {}", status, counted(r.num_iterations, "iteration"),
                           r.reason.text));
  }
  if (!r.usable) text.words("the point is no better than the start");
  if (r.status != MinimizeStatus::converged) text.meaning(remedy(r));
  write_parameters(text, m);
  if (m.standard_errors) write_fit(text, *m.standard_errors, entry_names(m));
  if (m.critical_point) write_critical_point(text, *m.critical_point);
  write_path(text, r);
  text.label("Cost");
  text.words(counted(r.num_iterations, "iteration") + counts_text(r.counts) + "; " +
             time_text(r.seconds));
  write_times(text, r);
  return text.str();
}

std::string to_text(const std::vector<Minimization>& runs, const TextStyle& style) {
  Text text(style);
  if (runs.empty()) return "";
  write_objective(text, runs[0].objective);
  text.label("");
  std::string out = text.str();
  out += fmt::format("\n{:<15}{:<15}{:>15}{:>10}{:>8}{:>10}{:>7}\n", "method", "ended", "f", "|g|",
                     "steps", "work", "s");
  const Minimization* best = nullptr;
  for (const Minimization& m : runs) {
    const MinimizeResult& r = m.result;
    const char letter = static_cast<char>('a' + (&m - runs.data()) % 26);
    std::string name = fmt::format("{} {}", letter, fmt::join(r.methods, ","));
    if (name.size() > 14) name = name.substr(0, 11) + "...";
    out += fmt::format("{:<15}{:<15}{:>15.8g}{:>10.2e}{:>8}{:>10.4g}{:>7}\n", name,
                       to_string(r.status), r.value, r.gradient_norm, r.num_iterations,
                       r.counts.gradient_equivalents,
                       fmt::format("{:.{}f}", r.seconds, r.seconds < 10 ? 3 : 0));
    const auto rank = [](const Minimization& run) {
      return run.result.status == MinimizeStatus::converged ? run.result.counts.gradient_equivalents
                                                            : INFINITY;
    };
    if (std::isfinite(rank(m)) && (best == nullptr || rank(m) < rank(*best))) best = &m;
  }
  std::vector<const MinimizeResult*> results;
  for (const Minimization& m : runs) results.push_back(&m.result);
  out += race_plot(results);
  out += "\nwork: in units of one gradient (value 1/3, product with the Hessian 2)\n";
  if (best != nullptr) {
    out +=
        fmt::format("-> {} got there with the least work\n", fmt::join(best->result.methods, ","));
  } else {
    out += "-> none converged within its limits\n";
  }
  return out;
}

}  // namespace kappa
