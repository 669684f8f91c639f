#include "kappa/error.h"
#include "minimize/line_search.h"
#include "minimize/spectrum_ends.h"

namespace kappa {
namespace {

enum class Rule { fixed, lambda_max, exact, armijo, wolfe };

Rule rule_of(const Settings& settings) {
  const std::string& name = settings.choice("step");
  if (name == "auto") return settings.number("learning-rate") > 0 ? Rule::fixed : Rule::armijo;
  if (name == "fixed") return Rule::fixed;
  if (name == "lambda-max") return Rule::lambda_max;
  if (name == "exact") return Rule::exact;
  return name == "armijo" ? Rule::armijo : Rule::wolfe;
}

/// w <- w - a g, a by one of five rules.
class GradientDescent final : public Walker {
 public:
  explicit GradientDescent(const Settings& settings)
      : rule_(rule_of(settings)),
        rate_(settings.number("learning-rate")),
        every_(settings.count("estimate-every")) {}

  StepReport step(Evaluator& evaluator, Iterate& iterate) override {
    trial_.w.resize(iterate.w.size());
    trial_.gradient.resize(iterate.w.size());
    switch (rule_) {
      case Rule::fixed: return fixed_step(evaluator, iterate);
      case Rule::lambda_max: return lambda_max_step(evaluator, iterate);
      default: return searched_step(evaluator, iterate);
    }
  }

  bool back_up() override {
    rate_ *= 0.5;
    return rate_ > 0;
  }
  void archive(Archive& archive) override { archive(rate_, last_step_, count_); }

 private:
  StepReport fixed_step(Evaluator& evaluator, Iterate& iterate) {
    add_scaled(iterate.w, -rate_, iterate.gradient, trial_.w);
    trial_.value = evaluator.gradient(trial_.w.data(), trial_.gradient.data());
    if (!trial_.finite()) return {.not_finite = true};
    const double square = dot(iterate.gradient, iterate.gradient);
    StepReport report{.step_norm = rate_ * norm(iterate.gradient)};
    // s'(g+ - g) / s's for s = -rate g: what the rate must stay below twice the inverse of.
    const double curvature = (square - dot(trial_.gradient, iterate.gradient)) / (rate_ * square);
    report.measures = {{"learning_rate", rate_}, {"curvature", curvature}};
    std::swap(iterate, trial_);
    return report;
  }

  StepReport lambda_max_step(Evaluator& evaluator, Iterate& iterate) {
    if (count_++ % every_ == 0) {
      const auto curvature = evaluator.linearize(iterate.w.data());
      const SpectrumEnds ends = spectrum_ends(evaluator, curvature, {});
      const double scale =
          std::max(std::fabs(ends.largest) + ends.largest_error, std::fabs(ends.smallest));
      if (scale > 0) rate_ = 1 / scale;
    }
    if (!(rate_ > 0)) rate_ = 1;  // a linear function has no curvature to go by
    return fixed_step(evaluator, iterate);
  }

  StepReport searched_step(Evaluator& evaluator, Iterate& iterate) {
    direction_.resize(iterate.w.size());
    for (std::size_t i = 0; i < direction_.size(); ++i) direction_[i] = -iterate.gradient[i];
    const double square = dot(iterate.gradient, iterate.gradient);
    double first = last_step_ > 0 ? 2 * last_step_ : std::min(1.0, 1 / std::sqrt(square));
    std::vector<Measure> measures;
    bool trust = false;
    if (rule_ == Rule::exact) {
      const auto curvature = evaluator.linearize(iterate.w.data());
      curvature.hessian_product(direction_.data(), trial_.w.data());
      const double bend = dot(direction_, trial_.w);
      measures.push_back({"curvature", bend / square});
      trust = bend > 0;
      if (trust) first = square / bend;
    }
    LineSearchResult found;
    if (rule_ == Rule::wolfe || (rule_ == Rule::exact && !trust)) {
      found = wolfe_search(evaluator, iterate, direction_, first, trial_);
    } else {
      found = armijo_search(evaluator, iterate, direction_, -square, first, trial_);
    }
    if (!found.decreased) return {.moved = false};
    last_step_ = found.step;
    measures.push_back({"learning_rate", found.step});
    std::swap(iterate, trial_);
    return {.step_norm = found.step * std::sqrt(square), .measures = std::move(measures)};
  }

  Rule rule_;
  double rate_;
  std::int64_t every_;
  double last_step_ = 0;
  std::int64_t count_ = 0;
  Iterate trial_;
  Vector direction_;
};

void check(const Settings& settings) {
  const bool rate = settings.number("learning-rate") > 0;
  const std::string& step = settings.choice("step");
  if (step == "fixed" && !rate) {
    throw Error(ErrorKind::usage,
                "minimize: gd with step=fixed needs learning-rate (step=lambda-max finds one)");
  }
  if (step != "fixed" && step != "auto" && rate) {
    throw Error(ErrorKind::usage,
                "minimize: gd takes learning-rate only with step=fixed, not step=" + step +
                    "; leave one of them out");
  }
}

}  // namespace

KAPPA_METHOD(gd) {
  static const Method method{
      .info = {.name = "gd",
               .text = "gradient descent: fixed rate, 1/lambda_max, exact along the gradient "
                       "(g'g / g'Hg), or by line search",
               .uses_hessian = true,
               .max_dimension = 0,
               .options = {{.name = "learning-rate",
                            .text = "fixed rate (0: none given)",
                            .default_value = 0,
                            .lower = 0},
                           {.name = "step",
                            .text = "step length; auto is fixed with a learning-rate, else armijo",
                            .choices = {"auto", "fixed", "lambda-max", "exact", "armijo", "wolfe"}},
                           {.name = "estimate-every",
                            .text = "iterations between two estimates of lambda_max",
                            .default_value = 10,
                            .lower = 1}}},
      .start = start_walker<GradientDescent>,
      .check = check};
  return method;
}

}  // namespace kappa
