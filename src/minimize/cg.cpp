#include <algorithm>

#include "minimize/line_search.h"

namespace kappa {
namespace {

enum class Formula { linear, fletcher_reeves, polak_ribiere, hager_zhang };

/// Conjugate gradients: d = -g + b d, with
///
///   fletcher-reeves  b = |g+|^2 / |g|^2
///   polak-ribiere    b = max(0, g+'y / |g|^2)                                       (PR+)
///   hager-zhang      b = max((y - 2 d |y|^2/d'y)'g+ / d'y, -1/(|d| min(0.01, |g|))) (2005, (1.3))
///   linear           b as Fletcher-Reeves, the step exact from one Hessian product: for quadratics
///
/// y = g+ - g; strong Wolfe steps with c2 = 0.1; restart along -g where the direction does not
/// descend and, but for hager-zhang, where |g'g+| >= 0.2 |g+|^2 (Powell 1977).
class ConjugateGradients final : public Walker {
 public:
  explicit ConjugateGradients(const Settings& settings) {
    const std::string& name = settings.choice("formula");
    formula_ = name == "linear"            ? Formula::linear
               : name == "fletcher-reeves" ? Formula::fletcher_reeves
               : name == "polak-ribiere"   ? Formula::polak_ribiere
                                           : Formula::hager_zhang;
  }

  StepReport step(Evaluator& evaluator, Iterate& iterate) override {
    const std::size_t n = iterate.w.size();
    trial_.w.resize(n);
    trial_.gradient.resize(n);
    if (direction_.empty()) steepest(iterate);
    return formula_ == Formula::linear ? linear_step(evaluator, iterate)
                                       : searched_step(evaluator, iterate);
  }

  void archive(Archive& archive) override { archive(direction_, last_step_, last_slope_); }

 private:
  void steepest(const Iterate& iterate) {
    direction_.resize(iterate.w.size());
    for (std::size_t i = 0; i < direction_.size(); ++i) direction_[i] = -iterate.gradient[i];
    last_step_ = 0;
  }

  StepReport linear_step(Evaluator& evaluator, Iterate& iterate) {
    const auto curvature = evaluator.linearize(iterate.w.data());
    Vector product(direction_.size());
    curvature.hessian_product(direction_.data(), product.data());
    const double bend = dot(direction_, product);
    const double slope = dot(direction_, iterate.gradient);
    if (!(bend > 0)) return searched_step(evaluator, iterate);
    const double a = -slope / bend;
    add_scaled(iterate.w, a, direction_, trial_.w);
    trial_.value = evaluator.gradient(trial_.w.data(), trial_.gradient.data());
    // The decrease of |e|_A^2 / 2, exact on a quadratic.
    const double energy = -0.5 * a * slope;
    const double rounding = 1e-14 * std::fabs(iterate.value);
    if (!trial_.finite() || trial_.value > iterate.value + rounding) {
      return searched_step(evaluator, iterate);  // not a quadratic
    }
    const double length = a * norm(direction_);
    turn(dot(trial_.gradient, trial_.gradient) / dot(iterate.gradient, iterate.gradient));
    std::swap(iterate, trial_);
    return {.step_norm = length, .measures = {{"energy_decrease", energy}, {"step", a}}};
  }

  StepReport searched_step(Evaluator& evaluator, Iterate& iterate) {
    double slope = dot(direction_, iterate.gradient);
    if (!(slope < 0)) {
      steepest(iterate);
      slope = dot(direction_, iterate.gradient);
    }
    LineSearchResult found = wolfe_search(evaluator, iterate, direction_,
                                          first_step(iterate, slope), trial_, {.curvature = 0.1});
    if (!found.decreased && last_step_ > 0) {
      steepest(iterate);
      slope = dot(direction_, iterate.gradient);
      found = wolfe_search(evaluator, iterate, direction_, first_step(iterate, slope), trial_,
                           {.curvature = 0.1});
    }
    if (!found.decreased) return {.moved = false};
    const double length = found.step * norm(direction_);
    last_step_ = found.step;
    last_slope_ = slope;
    turn(factor(iterate));
    std::swap(iterate, trial_);
    return {.step_norm = length, .measures = {{"step", found.step}}};
  }

  // The change of f is taken to be that of the step before (Nocedal & Wright 2006, section 3.5).
  double first_step(const Iterate& iterate, double slope) const {
    if (last_step_ > 0) return std::min(last_step_ * last_slope_ / slope, 10 * last_step_);
    return std::min(1.0, 1 / norm(iterate.gradient));
  }

  double factor(const Iterate& from) const {
    const Vector& g = from.gradient;
    const Vector& h = trial_.gradient;
    const double old_square = dot(g, g), new_square = dot(h, h), across = dot(g, h);
    if (formula_ == Formula::hager_zhang) {
      const double along = dot(direction_, h) - dot(direction_, g);  // d'y > 0 by Wolfe
      if (!(along > 0)) return 0;
      const double change = new_square - 2 * across + old_square;  // |y|^2
      const double beta = (new_square - across - 2 * change / along * dot(direction_, h)) / along;
      const double least = -1 / (norm(direction_) * std::min(0.01, std::sqrt(old_square)));
      return std::max(beta, least);
    }
    if (std::fabs(across) >= 0.2 * new_square) return 0;
    if (formula_ == Formula::polak_ribiere) {
      return std::max(0.0, (new_square - across) / old_square);
    }
    return new_square / old_square;
  }

  void turn(double beta) {
    for (std::size_t i = 0; i < direction_.size(); ++i) {
      direction_[i] = beta * direction_[i] - trial_.gradient[i];
    }
  }

  Formula formula_;
  Vector direction_;
  double last_step_ = 0, last_slope_ = 0;
  Iterate trial_;
};

}  // namespace

KAPPA_METHOD(cg) {
  static const Method method{
      .info = {.name = "cg",
               .text = "conjugate gradients: nonlinear (Hager-Zhang, Polak-Ribiere+, "
                       "Fletcher-Reeves), or linear for quadratics",
               .uses_hessian = true,
               .options = {{.name = "formula",
                            .text = "how the next direction is made conjugate",
                            .choices = {"hager-zhang", "polak-ribiere", "fletcher-reeves",
                                        "linear"}}}},
      .start = start_walker<ConjugateGradients>,
      .monotone = true};
  return method;
}

}  // namespace kappa
