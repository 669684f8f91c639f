#include "report/descent_text.h"

#include <fmt/format.h>

#include <cmath>

#include "report/analysis_text.h"

namespace kappa {

void write_newton_step(Text& text, const Analysis& a) {
  if (!a.model) return;
  const LocalModel& m = *a.model;
  text.label(m.modified ? "Modified step" : "Newton step");
  if (written_out(a)) text.words(vector_text(m.step));
  text.line(fmt::format("length {}, decrement {}", number(m.newton_step_norm),
                        number(m.newton_decrement)));
  if (m.modified) text.words(m.method);
  text.line(fmt::format("decrease: {} predicted, {} actual", number(m.predicted_decrease),
                        number(m.actual_decrease)));
  const double ratio = m.actual_decrease / m.predicted_decrease;
  std::string sentence;
  if (!(m.predicted_decrease > 0)) {
    sentence = a.critical_point && a.critical_point->kind == CriticalKind::not_critical
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
    sentence += fmt::format("; the model can be trusted for steps up to {:.2g}", *m.trusted_radius);
  }
  text.meaning(sentence);
}

void write_condition(Text& text, const Analysis& a) {
  if (!a.condition) return;
  const Condition& c = *a.condition;
  text.label("Condition");
  if (std::isnan(c.number)) {
    text.words("not defined: no eigenvalue is known to differ from zero");
    return;
  }
  text.words(fmt::format("{}{} = {} / {}: {}", c.lower_bound ? "at least " : "", number(c.number),
                         number(c.lambda_max), number(c.lambda_min), c.definition));
  if (c.null_dimension > 0) {
    text.words(fmt::format("null space: {} in which f is flat to second order",
                           counted(c.null_dimension, "direction")));
  }
  if (a.condition_of_mean) {
    text.words(fmt::format("{} = {}", number(a.condition_of_mean->number),
                           a.condition_of_mean->definition));
  }
  const double root = std::sqrt(c.number);
  const bool definite = a.learning_rate && a.learning_rate->fastest_fixed;
  text.meaning(
      !definite ? "a bowl this is not, or not known to be: the number says how uneven the "
                  "curvature is, not how fast descent converges"
      : c.number < 10
          ? "well conditioned: plain gradient descent is quick here"
          : fmt::format("level sets are about {:.2g} times as long as wide: gradient descent needs "
                        "in the order of {:.2g} steps a digit, momentum {:.2g}",
                        root, 1.15 * c.number, 1.15 * root));
}

void write_learning_rate(Text& text, const Analysis& a) {
  if (!a.learning_rate) return;
  const LearningRate& rate = *a.learning_rate;
  text.label("Learning rate");
  if (rate.stability_limit) {
    text.line(fmt::format("stable below {} = 2/lambda_max", number(*rate.stability_limit)));
  } else {
    text.words("no limit: no direction curves up");
  }
  if (rate.fastest_fixed) {
    text.words(
        fmt::format("best fixed rate {}: each step leaves {} of the distance, {} for 6 "
                    "digits",
                    number(*rate.fastest_fixed), fmt::format("{:.4g}", *rate.gradient_descent_rate),
                    counted(*rate.iterations_to_1e_6, "step")));
  }
  if (rate.momentum) {
    const double steps =
        rate.momentum->rate > 0 ? std::ceil(std::log(1e-6) / std::log(rate.momentum->rate)) : 1;
    text.words(fmt::format("with momentum {}: rate {}, leaves {} a step, {}",
                           fmt::format("{:.4g}", rate.momentum->momentum),
                           number(rate.momentum->learning_rate),
                           fmt::format("{:.4g}", rate.momentum->rate),
                           counted(static_cast<long long>(steps), "step")));
  }
  if (rate.steepest_descent_step) {
    text.words(fmt::format("best single step along -g: {} (curvature along g {})",
                           number(*rate.steepest_descent_step),
                           number(*rate.curvature_along_gradient)));
  } else if (rate.curvature_along_gradient) {
    text.words(fmt::format("no best step along -g: the curvature along g is {}",
                           number(*rate.curvature_along_gradient)));
  }
  if (rate.given) {
    std::string limit =
        rate.stability_limit ? fmt::format("stable below {}; ", number(*rate.stability_limit)) : "";
    text.meaning(fmt::format("{}you asked for {}{}: {}", limit, number(rate.given->learning_rate),
                             rate.given->momentum > 0
                                 ? fmt::format(" with momentum {}", number(rate.given->momentum))
                                 : "",
                             rate.given->sentence));
  } else if (rate.fastest_fixed) {
    text.meaning(fmt::format("start with {}, or less where the curvature changes on the way",
                             number(*rate.fastest_fixed)));
  } else if (rate.stability_limit) {
    text.meaning(fmt::format("start with about {}, half the limit",
                             fmt::format("{:.2g}", *rate.stability_limit / 2)));
  }
}

void write_contractions(Text& text, const Analysis& a) {
  if (!a.learning_rate || a.learning_rate->directions.empty()) return;
  const LearningRate& rate = *a.learning_rate;
  if (!(rate.reference_rate > 0)) return;
  text.label("Contraction");
  text.words(
      fmt::format("factor |1 - a lambda| a step at rate a = {}", number(rate.reference_rate)));
  constexpr std::size_t most = 8;
  const std::size_t count = rate.directions.size();
  text.line(fmt::format("{:>14}  {:>12}  {:>12}", "eigenvalue", "own best", "factor"));
  for (std::size_t i = 0; i < count; ++i) {
    if (count > most && i >= most / 2 && i < count - most / 2) {
      if (i == most / 2) text.line(fmt::format("{:>14}", "..."));
      continue;
    }
    const DirectionRate& d = rate.directions[i];
    const char* remark = d.contraction > 1 && d.eigenvalue > 0   ? "  diverges"
                         : d.contraction > 1 && d.eigenvalue < 0 ? "  moves away"
                                                                 : "";
    text.line(fmt::format("{:>14}  {:>12}  {:>12}{}", number(d.eigenvalue),
                          !std::isfinite(d.ideal_rate) ? "any"
                          : d.ideal_rate < 0           ? "none"
                                                       : number(d.ideal_rate),
                          fmt::format("{:.4g}", d.contraction), remark));
  }
}

void write_direction(Text& text, const Analysis& a) {
  if (!a.direction) return;
  const DirectionAnalysis& d = *a.direction;
  text.label("Direction");
  text.words(
      fmt::format("|v| = {}, curvature v'Hv / v'v = {}", number(d.norm), number(d.curvature)));
  if (!d.weights.empty()) {
    const double known = 1 - d.remainder;
    text.words(fmt::format("{:.3g} % of it lies in the known eigenvectors", 100 * known));
  }
  text.meaning(d.curvature > 0
                   ? fmt::format("f curves up along v: rates along it are stable below {}",
                                 number(2 / d.curvature))
               : d.curvature < 0 ? std::string("f curves down along v: a way out of a saddle")
                                 : std::string("f is flat along v to second order"));
}

}  // namespace kappa
