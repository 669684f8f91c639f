#include "report/analysis_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "report/descent_text.h"
#include "report/spectrum_text.h"

namespace kappa {
namespace {

const char* matrix_name(CurvatureMatrix matrix) {
  return matrix == CurvatureMatrix::hessian        ? "Hessian"
         : matrix == CurvatureMatrix::gauss_newton ? "Gauss-Newton"
                                                   : "Fisher matrix";
}

void write_point(Text& text, const Analysis& a) {
  if (a.point.empty() || a.objective.num_parameters > 8) return;
  text.label("At");
  std::string list;
  for (std::size_t i = 0; i < a.point.size(); ++i) {
    list += fmt::format("{}{} = {}", i > 0 ? ", " : "", a.parameter_names[i],
                        fmt::format("{:.10g}", a.point[i]));
  }
  text.words(list);
}

void write_value(Text& text, const Analysis& a) {
  text.label("Value");
  text.line("f = " + value_text(*a.value));
}

void write_gradient(Text& text, const Analysis& a) {
  text.label("Gradient");
  const double norm = a.gradient_norm_2;
  if (written_out(a)) text.words(vector_text(a.gradient));
  text.line(fmt::format("|g| = {}, largest entry {}", number(norm), number(a.gradient_norm_inf)));
  if (!(norm > 0)) {
    if (norm == 0) text.meaning("the gradient vanishes: f is level here to first order");
    return;
  }
  std::string down;
  if (written_out(a)) {
    std::vector<double> d;
    for (const double g : a.gradient) d.push_back(-g / norm);
    down = fmt::format("f falls fastest along {}, ", direction_text(d));
  } else {
    down = "f falls fastest along -g, ";
  }
  text.meaning(down + fmt::format("by {} a unit of length at first", number(norm)));
}

void write_matrix(Text& text, const Analysis& a) {
  const std::int64_t n = a.objective.num_parameters;
  if (a.hessian.empty() || n > few_parameters) return;
  const std::vector<std::string> lines = matrix_text(a.hessian, static_cast<std::size_t>(n));
  if (lines[0].size() > Text::content_width) return;
  text.label(matrix_name(a.matrix));
  for (const std::string& line : lines) text.line(line);
}

void write_taylor(Text& text, const Analysis& a) {
  const std::int64_t n = a.objective.num_parameters;
  if (n > 3 || a.hessian.empty() || a.matrix != CurvatureMatrix::hessian) return;
  std::string model = number(*a.value);
  const auto add = [&](double c, const std::string& term) {
    if (c == 0) return;
    const double size = std::fabs(c);
    model += fmt::format(" {} {}{}", c < 0 ? "-" : "+", size == 1 ? "" : number(size) + " ", term);
  };
  const auto size = static_cast<std::size_t>(n);
  const auto d = [&](std::size_t i) { return "d" + a.parameter_names[i]; };
  for (std::size_t i = 0; i < size; ++i) add(a.gradient[i], d(i));
  for (std::size_t i = 0; i < size; ++i) {
    add(a.hessian[i * size + i] / 2, d(i) + "^2");
    for (std::size_t j = i + 1; j < size; ++j) add(a.hessian[i * size + j], d(i) + " " + d(j));
  }
  text.label("Taylor model");
  text.words("f = " + model + " + ...");
}

void write_vector_function(Text& text, const Analysis& a) {
  const std::int64_t n = a.objective.num_parameters;
  text.label("Values");
  const auto m = a.outputs.size();
  for (std::size_t i = 0; i < std::min<std::size_t>(m, 12); ++i) {
    text.words(fmt::format("{} = {}",
                           i < a.components.size() ? a.components[i] : fmt::format("F[{}]", i),
                           number(a.outputs[i])));
  }
  if (m > 12) text.line(fmt::format("... {} in all", m));
  text.label("Jacobian");
  text.line(fmt::format("{} x {}: rows are the functions, columns the parameters", m, n));
  if (n <= 8 && m <= 12) {
    const auto lines = matrix_text(a.jacobian, static_cast<std::size_t>(n));
    if (lines[0].size() <= Text::content_width) {
      for (const std::string& line : lines) text.line(line);
    }
  }
  if (a.singular_values.empty()) return;
  text.label("Singular values");
  std::vector<double> shown = a.singular_values;
  if (shown.size() > 10) shown.resize(10);
  text.words(vector_text(shown) + (a.singular_values.size() > 10 ? " ..." : ""));
  const auto rank = static_cast<std::size_t>(a.rank);
  text.words(fmt::format("rank {}", rank));
  if (rank == m && rank == static_cast<std::size_t>(n)) {
    text.meaning(
        fmt::format("invertible here, condition number {}: a step of the parameters can "
                    "be read off any change of the functions",
                    number(a.singular_values.front() / a.singular_values.back())));
  } else if (rank == static_cast<std::size_t>(n)) {
    text.meaning("the functions determine every parameter locally");
  } else if (rank == m) {
    text.meaning(
        "every small change of the functions can be reached; some changes of the "
        "parameters leave them as they are");
  } else {
    text.meaning(
        "rank deficient: some changes of the parameters leave the functions as they are, "
        "and some changes of the functions cannot be reached");
  }
}

void write_cost(Text& text, const Analysis& a) {
  text.label("Cost");
  const AnalysisCost& c = a.cost;
  text.words(fmt::format(
      "{}, {}, {}; {}, {} of memory at most", counted(c.num_values, "value"),
      counted(c.num_gradients, "gradient"),
      counted(c.num_hvps, std::string(a.outputs.empty() ? "Hessian product" : "product")),
      time_text(c.seconds), memory_text(static_cast<double>(c.peak_bytes))));
}

}  // namespace

bool written_out(const Analysis& a) {
  return a.objective.num_parameters <= few_parameters && !a.point.empty();
}

std::string to_text(const Analysis& a, const TextStyle& style) {
  Text text(style);
  write_objective(text, a.objective);
  write_point(text, a);
  if (!a.outputs.empty()) {
    write_vector_function(text, a);
  } else if (a.value) {
    write_value(text, a);
    write_gradient(text, a);
    write_matrix(text, a);
    write_eigenvalues(text, a);
    write_blocks(text, a);
    write_shape(text, a);
    if (a.critical_point) write_critical_point(text, *a.critical_point);
    write_taylor(text, a);
    write_newton_step(text, a);
    write_condition(text, a);
    write_learning_rate(text, a);
    write_contractions(text, a);
    write_direction(text, a);
    write_trace(text, a);
    write_density(text, a);
  }
  write_cost(text, a);
  return text.str();
}

void write_objective(Text& text, const ObjectiveSummary& o) {
  text.title(o.text);
  std::string line = counted(o.num_parameters, "parameter");
  if (o.num_samples > 0) {
    line += ", " + counted(o.num_samples, o.kind == "formula-table" ? "row" : "sample");
  }
  if (!o.loss.empty()) line += ", " + o.loss;
  line += o.dtype == "f32" ? ", single precision" : ", double precision";
  text.title(line);
}

void write_critical_point(Text& text, const CriticalPoint& point) {
  text.label("Critical point");
  switch (point.kind) {
    case CriticalKind::minimum:
      text.words("strict local minimum: " + point.evidence);
      text.meaning("done: no nearby point is lower");
      break;
    case CriticalKind::maximum:
      text.words("strict local maximum: " + point.evidence);
      text.meaning("any step leads down; gradient descent cannot leave by itself");
      break;
    case CriticalKind::saddle:
      text.words(fmt::format("saddle of index {}{}: {}", point.index,
                             point.index_lower_bound ? " at least" : "", point.evidence));
      text.meaning("step along a direction that curves down, to either side: f falls");
      break;
    case CriticalKind::degenerate:
      text.words("inconclusive: " + point.evidence);
      text.meaning("look at higher derivatives or at nearby values along the flat directions");
      break;
    case CriticalKind::undecided:
      text.words("undecided: " + point.evidence);
      text.meaning("ask for a smaller --tolerance, or for both ends of the spectrum");
      break;
    case CriticalKind::not_critical:
      text.words("no: " + point.evidence);
      text.meaning(
          "the second-derivative test applies where the gradient vanishes; go on downhill");
      break;
  }
}

}  // namespace kappa
