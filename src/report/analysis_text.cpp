#include "report/analysis_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace kappa {
namespace {

constexpr std::int64_t few = 6;  // parameters that vectors and matrices are written out for

/// One report; each member writes one paragraph.
class Writer {
 public:
  Writer(const Analysis& a, const TextStyle& style) : a_(a), text_(style) {}

  std::string write() {
    write_objective(text_, a_.objective);
    point();
    if (!a_.outputs.empty()) {
      vector_function();
    } else if (a_.value) {
      value();
      gradient();
      matrix();
      eigenvalues();
      blocks();
      shape();
      if (a_.critical_point) write_critical_point(text_, *a_.critical_point);
      taylor();
      newton();
      condition();
      learning_rate();
      contractions();
      direction();
      trace();
      density();
    }
    cost();
    return text_.str();
  }

 private:
  [[nodiscard]] std::int64_t n() const { return a_.objective.num_parameters; }
  [[nodiscard]] bool is_few() const { return n() <= few && !a_.point.empty(); }
  [[nodiscard]] std::vector<double> eigenvector(std::size_t i) const {
    const auto size = static_cast<std::size_t>(n());
    const auto first = a_.eigenvalues->vectors.begin() + static_cast<std::ptrdiff_t>(i * size);
    std::vector<double> v(first, first + static_cast<std::ptrdiff_t>(size));
    // A sign that reads well: the largest entry is positive; rounding residue becomes 0.
    const auto largest = std::max_element(
        v.begin(), v.end(), [](double x, double y) { return std::fabs(x) < std::fabs(y) - 1e-12; });
    const double sign = *largest < 0 ? -1 : 1;
    for (double& x : v) x = std::fabs(x) < 1e-12 ? 0 : sign * x;
    return v;
  }
  static std::string direction_text(const std::vector<double>& v) {
    std::string out = "(";
    for (std::size_t i = 0; i < v.size(); ++i) {
      out += fmt::format("{}{:.3g}", i > 0 ? ", " : "", v[i] == 0 ? 0.0 : v[i]);
    }
    return out + ")";
  }
  /// "Hessian", "Gauss-Newton matrix", ...
  [[nodiscard]] const char* matrix_name() const {
    return a_.matrix == CurvatureMatrix::hessian        ? "Hessian"
           : a_.matrix == CurvatureMatrix::gauss_newton ? "Gauss-Newton"
                                                        : "Fisher matrix";
  }

  void point() {
    if (a_.point.empty() || n() > 8) return;
    text_.label("At");
    std::string list;
    for (std::size_t i = 0; i < a_.point.size(); ++i) {
      list += fmt::format("{}{} = {}", i > 0 ? ", " : "", a_.parameter_names[i],
                          fmt::format("{:.10g}", a_.point[i]));
    }
    text_.words(list);
  }

  void value() {
    text_.label("Value");
    text_.line("f = " + fmt::format("{:.10g}", *a_.value));
  }

  void gradient() {
    text_.label("Gradient");
    const double norm = a_.gradient_norm_2;
    if (is_few()) text_.words(vector_text(a_.gradient));
    text_.line(
        fmt::format("|g| = {}, largest entry {}", number(norm), number(a_.gradient_norm_inf)));
    if (!(norm > 0)) {
      if (norm == 0) text_.meaning("the gradient vanishes: f is level here to first order");
      return;
    }
    std::string down;
    if (is_few()) {
      std::vector<double> d;
      for (const double g : a_.gradient) d.push_back(-g / norm);
      down = fmt::format("f falls fastest along {}, ", direction_text(d));
    } else {
      down = "f falls fastest along -g, ";
    }
    text_.meaning(down + fmt::format("by {} a unit of length at first", number(norm)));
  }

  void matrix() {
    if (a_.hessian.empty() || n() > few) return;
    const std::vector<std::string> lines = matrix_text(a_.hessian, static_cast<std::size_t>(n()));
    if (lines[0].size() > Text::content_width) return;
    text_.label(matrix_name());
    for (const std::string& line : lines) text_.line(line);
  }

  void eigenvalues() {
    if (!a_.eigenvalues) return;
    const EigenvalueLists& lists = *a_.eigenvalues;
    text_.label("Eigenvalues");
    if (!lists.all.empty() && n() <= few) {
      std::size_t width = 0;
      std::vector<std::string> values;
      for (std::size_t i = lists.all.size(); i-- > 0;) {
        values.push_back(number_within(zeroed(lists.all[i], lists.error_bound), lists.error_bound));
        width = std::max(width, values.back().size());
      }
      for (std::size_t i = 0; i < values.size(); ++i) {
        text_.line(fmt::format("{:>{}}   along {}", values[i], width,
                               direction_text(eigenvector(values.size() - 1 - i))));
      }
      text_.line(lists.error_bound > 0 ? fmt::format("each right to {:.1g}", lists.error_bound)
                                       : "exact");
    } else {
      list_of_pairs("largest", lists.top);
      list_of_pairs("smallest", lists.bottom);
      if (!lists.all.empty()) {
        text_.line(
            fmt::format("all {} known, each right to {:.1g}", lists.all.size(), lists.error_bound));
      }
    }
    inertia();
    if (a_.outliers) {
      const Outliers& o = *a_.outliers;
      text_.meaning(
          fmt::format("{}, then a gap ({} to {}): these few directions set the limits of "
                      "the learning rate",
                      counted(o.count, "outlier"), number(o.last), number(o.next)));
    }
  }

  static double zeroed(double value, double bound) { return std::fabs(value) <= bound ? 0 : value; }

  void list_of_pairs(const char* what, const std::vector<Eigenvalue>& pairs) {
    if (pairs.empty()) return;
    std::size_t width = 0;
    std::vector<std::string> values;
    for (const Eigenvalue& e : pairs) {
      values.push_back(number_within(e.value, e.error_bound));
      width = std::max(width, values.back().size());
    }
    for (std::size_t i = 0; i < pairs.size(); ++i) {
      text_.line(fmt::format("{:<9}{:>{}}  +- {:.1e}{}", i == 0 ? what : "", values[i], width,
                             pairs[i].error_bound, pairs[i].converged ? "" : "  not converged"));
    }
  }

  void inertia() {
    const EigenvalueLists& lists = *a_.eigenvalues;
    if (lists.all.empty()) return;
    std::int64_t up = 0, down = 0;
    for (const double value : lists.all) {
      if (value > lists.error_bound) ++up;
      if (value < -lists.error_bound) ++down;
    }
    const std::int64_t flat = n() - up - down;
    std::string kind;
    if (up == n()) kind = "positive definite";
    if (down == n()) kind = "negative definite";
    if (up > 0 && down > 0) kind = "indefinite";
    if (down == 0 && flat > 0) kind = up > 0 ? "positive semidefinite" : "zero";
    if (up == 0 && down > 0 && flat > 0) kind = "negative semidefinite";
    text_.line(fmt::format("{} positive, {} negative, {} zero: {}", up, down, flat, kind));
  }

  void blocks() {
    if (a_.blocks.empty()) return;
    text_.label("Per parameter");
    std::size_t width = 4;
    for (const BlockCurvature& b : a_.blocks) width = std::max(width, b.block.name.size());
    width = std::min<std::size_t>(width, 28);
    text_.line(fmt::format("{:<{}}  {:>10}  largest eigenvalue", "", width, "entries"));
    const BlockCurvature* sharpest = &a_.blocks[0];
    for (const BlockCurvature& b : a_.blocks) {
      text_.line(fmt::format(
          "{:<{}}  {:>10}  {} +- {:.1e}", b.block.name.substr(0, width), width, b.block.size,
          number_within(b.lambda_max.value, b.lambda_max.error_bound), b.lambda_max.error_bound));
      if (b.lambda_max.value > sharpest->lambda_max.value) sharpest = &b;
    }
    text_.meaning(fmt::format("{} is the sharpest: on its own it allows a learning rate of {}",
                              sharpest->block.name, number(2 / sharpest->lambda_max.value)));
  }

  void shape() {
    if (!a_.eigenvalues) return;
    const bool one_end = a_.eigenvalues->all.empty() && a_.eigenvalues->bottom.empty();
    if (!a_.shape && one_end) return;  // not asked for
    text_.label("Shape");
    if (!a_.shape) {
      text_.words("not decided: an end of the spectrum is unknown or too uncertain");
      text_.meaning("ask for --bottom 1 or more, or a smaller --tolerance");
      return;
    }
    const bool vectors = a_.eigenvalues && !a_.eigenvalues->vectors.empty() && n() <= few;
    const std::size_t last = a_.eigenvalues->all.empty() ? 0 : a_.eigenvalues->all.size() - 1;
    const std::string top = vectors ? " along " + direction_text(eigenvector(last)) : "";
    const std::string bottom = vectors ? " along " + direction_text(eigenvector(0)) : "";
    switch (*a_.shape) {
      case SurfaceShape::bowl:
        text_.words("bowl: f curves up in every direction");
        text_.meaning("the quadratic model has one minimiser, and Newton's step goes there");
        break;
      case SurfaceShape::dome:
        text_.words("dome: f curves down in every direction");
        text_.meaning("there is no minimum to model here; follow -g, it gets steeper");
        break;
      case SurfaceShape::trough:
        text_.words(vectors ? fmt::format("trough: f curves up{}, and is flat{}", top, bottom)
                            : "trough: f curves up in some directions and is flat in others");
        text_.meaning(
            "no single minimiser: moving along the flat directions changes nothing to second "
            "order");
        break;
      case SurfaceShape::ridge:
        text_.words(vectors ? fmt::format("ridge: f curves down{}, and is flat{}", bottom, top)
                            : "ridge: f curves down in some directions and is flat in others");
        text_.meaning("no minimum to model here; follow -g");
        break;
      case SurfaceShape::saddle:
        text_.words(vectors ? fmt::format("saddle: f curves up{}, down{}", top, bottom)
                            : "saddle: f curves up in some directions and down in others");
        text_.meaning(
            "Newton's step would climb along the directions that curve down; use a method that "
            "knows (trust-region, newton-cg), or gradient descent, which leaves saddles");
        break;
      case SurfaceShape::flat:
        text_.words("flat: no curvature at all");
        text_.meaning("f is linear to second order: only the gradient says where to go");
        break;
    }
  }

  void taylor() {
    if (n() > 3 || a_.hessian.empty() || a_.matrix != CurvatureMatrix::hessian) return;
    std::string model = number(*a_.value);
    const auto add = [&](double c, const std::string& term) {
      if (c == 0) return;
      const double size = std::fabs(c);
      model +=
          fmt::format(" {} {}{}", c < 0 ? "-" : "+", size == 1 ? "" : number(size) + " ", term);
    };
    const auto size = static_cast<std::size_t>(n());
    const auto d = [&](std::size_t i) { return "d" + a_.parameter_names[i]; };
    for (std::size_t i = 0; i < size; ++i) add(a_.gradient[i], d(i));
    for (std::size_t i = 0; i < size; ++i) {
      add(a_.hessian[i * size + i] / 2, d(i) + "^2");
      for (std::size_t j = i + 1; j < size; ++j) add(a_.hessian[i * size + j], d(i) + " " + d(j));
    }
    text_.label("Taylor model");
    text_.words("f = " + model + " + ...");
  }

  void newton() {
    if (!a_.model) return;
    const LocalModel& m = *a_.model;
    text_.label(m.modified ? "Modified step" : "Newton step");
    if (is_few()) text_.words(vector_text(m.step));
    text_.line(fmt::format("length {}, decrement {}", number(m.newton_step_norm),
                           number(m.newton_decrement)));
    if (m.modified) text_.words(m.method);
    text_.line(fmt::format("decrease: {} predicted, {} actual", number(m.predicted_decrease),
                           number(m.actual_decrease)));
    const double ratio = m.actual_decrease / m.predicted_decrease;
    std::string sentence;
    if (!(m.predicted_decrease > 0)) {
      sentence = a_.critical_point && a_.critical_point->kind == CriticalKind::not_critical
                     ? "the curvature gives no step here: go downhill along -g"
                     : "there is nothing left to gain by the quadratic model";
    } else if (std::fabs(ratio - 1) < 1e-6) {
      sentence = "the quadratic model is exact along this step: take it";
    } else if (ratio > 0.9 && ratio < 1.1) {
      sentence = fmt::format("the quadratic model is right to {:.1g} %: take the step",
                             100 * std::fabs(ratio - 1));
    } else if (ratio >= 1.1) {
      sentence = "f falls by more than the quadratic model says: take the step, or a longer one";
    } else if (ratio > 0.25) {
      sentence = "the quadratic model is roughly right: the step is worth taking";
    } else if (ratio > 0) {
      sentence = "the quadratic model promises too much: shorten the step";
    } else {
      sentence = "the step leads uphill: the quadratic model does not hold that far, shorten it";
    }
    if (m.trusted_radius && *m.trusted_radius < 1e-6 * m.newton_step_norm) {
      sentence += "; near the point the values are too close to rounding to check the model";
    } else if (m.trusted_radius && std::isfinite(*m.trusted_radius)) {
      sentence +=
          fmt::format("; the model can be trusted for steps up to {:.2g}", *m.trusted_radius);
    }
    text_.meaning(sentence);
  }

  void condition() {
    if (!a_.condition) return;
    const Condition& c = *a_.condition;
    text_.label("Condition");
    if (std::isnan(c.number)) {
      text_.words("not defined: no eigenvalue is known to differ from zero");
      return;
    }
    text_.words(fmt::format("{}{} = {} / {}: {}", c.lower_bound ? "at least " : "",
                            number(c.number), number(c.lambda_max), number(c.lambda_min),
                            c.definition));
    if (c.null_dimension > 0) {
      text_.words(fmt::format("null space: {} in which f is flat to second order",
                              counted(c.null_dimension, "direction")));
    }
    if (a_.condition_of_mean) {
      text_.words(fmt::format("{} = {}", number(a_.condition_of_mean->number),
                              a_.condition_of_mean->definition));
    }
    const double root = std::sqrt(c.number);
    const bool definite = a_.learning_rate && a_.learning_rate->fastest_fixed;
    text_.meaning(
        !definite ? "a bowl this is not, or not known to be: the number says how uneven the "
                    "curvature is, not how fast descent converges"
        : c.number < 10
            ? "well conditioned: plain gradient descent is quick here"
            : fmt::format(
                  "level sets are about {:.2g} times as long as wide: gradient descent needs "
                  "in the order of {:.2g} steps a digit, momentum {:.2g}",
                  root, 1.15 * c.number, 1.15 * root));
  }

  void learning_rate() {
    if (!a_.learning_rate) return;
    const LearningRate& rate = *a_.learning_rate;
    text_.label("Learning rate");
    if (rate.stability_limit) {
      text_.line(fmt::format("stable below {} = 2/lambda_max", number(*rate.stability_limit)));
    } else {
      text_.words("no limit: no direction curves up");
    }
    if (rate.fastest_fixed) {
      text_.words(fmt::format(
          "best fixed rate {}: each step leaves {} of the distance, {} for 6 "
          "digits",
          number(*rate.fastest_fixed), fmt::format("{:.4g}", *rate.gradient_descent_rate),
          counted(*rate.iterations_to_1e_6, "step")));
    }
    if (rate.momentum) {
      const double steps =
          rate.momentum->rate > 0 ? std::ceil(std::log(1e-6) / std::log(rate.momentum->rate)) : 1;
      text_.words(fmt::format("with momentum {}: rate {}, leaves {} a step, {}",
                              fmt::format("{:.4g}", rate.momentum->momentum),
                              number(rate.momentum->learning_rate),
                              fmt::format("{:.4g}", rate.momentum->rate),
                              counted(static_cast<long long>(steps), "step")));
    }
    if (rate.steepest_descent_step) {
      text_.words(fmt::format("best single step along -g: {} (curvature along g {})",
                              number(*rate.steepest_descent_step),
                              number(*rate.curvature_along_gradient)));
    } else if (rate.curvature_along_gradient) {
      text_.words(fmt::format("no best step along -g: the curvature along g is {}",
                              number(*rate.curvature_along_gradient)));
    }
    if (rate.given) {
      std::string limit = rate.stability_limit
                              ? fmt::format("stable below {}; ", number(*rate.stability_limit))
                              : "";
      text_.meaning(fmt::format(
          "{}you asked for {}{}: {}", limit, number(rate.given->learning_rate),
          rate.given->momentum > 0 ? fmt::format(" with momentum {}", number(rate.given->momentum))
                                   : "",
          rate.given->sentence));
    } else if (rate.fastest_fixed) {
      text_.meaning(fmt::format("start with {}, or less where the curvature changes on the way",
                                number(*rate.fastest_fixed)));
    } else if (rate.stability_limit) {
      text_.meaning(fmt::format("start with about {}, half the limit",
                                fmt::format("{:.2g}", *rate.stability_limit / 2)));
    }
  }

  void contractions() {
    if (!a_.learning_rate || a_.learning_rate->directions.empty()) return;
    const LearningRate& rate = *a_.learning_rate;
    if (!(rate.reference_rate > 0)) return;
    text_.label("Contraction");
    text_.words(
        fmt::format("factor |1 - a lambda| a step at rate a = {}", number(rate.reference_rate)));
    constexpr std::size_t most = 8;
    const std::size_t count = rate.directions.size();
    text_.line(fmt::format("{:>14}  {:>12}  {:>12}", "eigenvalue", "own best", "factor"));
    for (std::size_t i = 0; i < count; ++i) {
      if (count > most && i >= most / 2 && i < count - most / 2) {
        if (i == most / 2) text_.line(fmt::format("{:>14}", "..."));
        continue;
      }
      const DirectionRate& d = rate.directions[i];
      const char* remark = d.contraction > 1 && d.eigenvalue > 0   ? "  diverges"
                           : d.contraction > 1 && d.eigenvalue < 0 ? "  moves away"
                                                                   : "";
      text_.line(fmt::format("{:>14}  {:>12}  {:>12}{}", number(d.eigenvalue),
                             !std::isfinite(d.ideal_rate) ? "any"
                             : d.ideal_rate < 0           ? "none"
                                                          : number(d.ideal_rate),
                             fmt::format("{:.4g}", d.contraction), remark));
    }
  }

  void direction() {
    if (!a_.direction) return;
    const DirectionAnalysis& d = *a_.direction;
    text_.label("Direction");
    text_.words(
        fmt::format("|v| = {}, curvature v'Hv / v'v = {}", number(d.norm), number(d.curvature)));
    if (!d.weights.empty()) {
      const double known = 1 - d.remainder;
      text_.words(fmt::format("{:.3g} % of it lies in the known eigenvectors", 100 * known));
    }
    text_.meaning(d.curvature > 0
                      ? fmt::format("f curves up along v: rates along it are stable below {}",
                                    number(2 / d.curvature))
                  : d.curvature < 0 ? std::string("f curves down along v: a way out of a saddle")
                                    : std::string("f is flat along v to second order"));
  }

  void trace() {
    if (!a_.trace) return;
    text_.label("Trace");
    const TraceEstimate& t = *a_.trace;
    text_.words(t.num_probes == 0 ? fmt::format("{}, mean eigenvalue {}", number(t.value),
                                                number(t.value / static_cast<double>(n())))
                                  : fmt::format("{} +- {:.1g} ({}), mean eigenvalue {:.3g}",
                                                number_within(t.value, t.standard_error),
                                                t.standard_error, counted(t.num_probes, "probe"),
                                                t.value / static_cast<double>(n())));
  }

  void density() {
    if (!a_.density || a_.density->lambda.empty()) return;
    const SpectralDensity& d = *a_.density;
    text_.label("Density");
    const auto [low, high] = std::minmax_element(d.lambda.begin(), d.lambda.end());
    const std::string left = number(*low), right = number(*high);
    // Logarithmic over six decades: the bulk at zero would hide everything else.
    const double most = *std::max_element(d.density.begin(), d.density.end());
    std::vector<double> heights;
    for (const double value : d.density) {
      heights.push_back(most > 0 && value > 0 ? std::max(0.0, 1 + std::log10(value / most) / 6)
                                              : 0);
    }
    text_.line(sparkline(heights, 60, text_.style().symbols));
    text_.line(
        fmt::format("{:<30}{:>30}", fmt::format("{:.3g}", *low), fmt::format("{:.3g}", *high)));
    double near_zero = 0;
    for (std::size_t i = 0; i + 1 < d.lambda.size(); ++i) {
      if (std::fabs(d.lambda[i]) <= 0.01 * std::max(std::fabs(*low), std::fabs(*high))) {
        near_zero += (d.lambda[i + 1] - d.lambda[i]) * d.density[i];
      }
    }
    text_.words(fmt::format("height logarithmic over 6 decades; {} of {} steps, smoothed by {:.2g}",
                            counted(d.num_probes, "probe"), d.num_steps, d.sigma));
    text_.meaning(
        fmt::format("about {:.0f} % of all directions are flat (within 1 % of the largest "
                    "curvature around zero)",
                    100 * std::min(near_zero, 1.0)));
  }

  void vector_function() {
    text_.label("Values");
    const auto m = a_.outputs.size();
    for (std::size_t i = 0; i < std::min<std::size_t>(m, 12); ++i) {
      text_.words(fmt::format("{} = {}",
                              i < a_.components.size() ? a_.components[i] : fmt::format("F[{}]", i),
                              number(a_.outputs[i])));
    }
    if (m > 12) text_.line(fmt::format("... {} in all", m));
    text_.label("Jacobian");
    text_.line(fmt::format("{} x {}: rows are the functions, columns the parameters", m, n()));
    if (n() <= 8 && m <= 12) {
      const auto lines = matrix_text(a_.jacobian, static_cast<std::size_t>(n()));
      if (lines[0].size() <= Text::content_width) {
        for (const std::string& line : lines) text_.line(line);
      }
    }
    if (a_.singular_values.empty()) return;
    text_.label("Singular values");
    std::vector<double> shown = a_.singular_values;
    if (shown.size() > 10) shown.resize(10);
    text_.words(vector_text(shown) + (a_.singular_values.size() > 10 ? " ..." : ""));
    const auto rank = static_cast<std::size_t>(a_.rank);
    text_.words(fmt::format("rank {}", rank));
    if (rank == m && rank == static_cast<std::size_t>(n())) {
      text_.meaning(
          fmt::format("invertible here, condition number {}: a step of the parameters can "
                      "be read off any change of the functions",
                      number(a_.singular_values.front() / a_.singular_values.back())));
    } else if (rank == static_cast<std::size_t>(n())) {
      text_.meaning("the functions determine every parameter locally");
    } else if (rank == m) {
      text_.meaning(
          "every small change of the functions can be reached; some changes of the "
          "parameters leave them as they are");
    } else {
      text_.meaning(
          "rank deficient: some changes of the parameters leave the functions as they are, "
          "and some changes of the functions cannot be reached");
    }
  }

  void cost() {
    text_.label("Cost");
    const AnalysisCost& c = a_.cost;
    text_.words(fmt::format(
        "{}, {}, {}; {}, {} of memory at most", counted(c.num_values, "value"),
        counted(c.num_gradients, "gradient"),
        counted(c.num_hvps, std::string(a_.outputs.empty() ? "Hessian product" : "product")),
        time_text(c.seconds), memory_text(static_cast<double>(c.peak_bytes))));
  }

  const Analysis& a_;
  Text text_;
};

}  // namespace

std::string to_text(const Analysis& analysis, const TextStyle& style) {
  return Writer(analysis, style).write();
}

std::string sparkline(const std::vector<double>& values, std::size_t width, bool symbols) {
  static const char* const blocks[] = {" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
  static const char* const ascii[] = {" ", ".", ":", "-", "=", "+", "*", "#", "@"};
  if (values.empty()) return "";
  const double most = *std::max_element(values.begin(), values.end());
  std::string out;
  width = std::min(width, values.size());
  for (std::size_t i = 0; i < width; ++i) {
    const std::size_t first = i * values.size() / width;
    const std::size_t last = std::max(first + 1, (i + 1) * values.size() / width);
    double height = 0;  // the largest in the column, so that a single outlier is seen
    for (std::size_t j = first; j < last; ++j) height = std::max(height, values[j]);
    const double share = most > 0 ? height / most : 0;
    const auto level = static_cast<std::size_t>(std::ceil(std::clamp(share, 0.0, 1.0) * 8));
    out += (symbols ? blocks : ascii)[level];
  }
  out.erase(out.find_last_not_of(' ') + 1);
  return out;
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
