#include <algorithm>
#include <optional>

#include "minimize/line_search.h"
#include "minimize/radius.h"
#include "minimize/saddle.h"

namespace kappa {
namespace {

/// Matrix-free Newton: conjugate gradients on H s = -g until the residual is below min(forcing,
/// sqrt(|g|/|g_0|)) |g|. Where negative curvature is met, the step follows it to the boundary of a
/// trust region (Steihaug 1983, Toint 1981); where it is not and the step leaves the region, a
/// Wolfe line search along the whole step is tried first: a ball knows nothing of the few places
/// where a model of many variables fails. Memory: 6 n beside the linearization.
class NewtonCg final : public Walker {
 public:
  explicit NewtonCg(const Settings& settings)
      : radius_(settings.number("radius")),
        forcing_(settings.number("forcing")),
        max_products_(settings.count("max-products")),
        searches_(settings.choice("line-search") == "yes") {}

  void warm_start(double step_norm) override {
    if (!(radius_ > 0)) radius_ = step_norm;
  }

  StepReport step(Evaluator& evaluator, Iterate& iterate) override {
    const std::size_t n = iterate.w.size();
    trial_.w.resize(n);
    trial_.gradient.resize(n);
    const auto curvature = evaluator.linearize(iterate.w.data());
    const double size = norm(iterate.gradient);
    if (first_norm_ == 0) first_norm_ = size;
    if (!(radius_ > 0)) radius_ = std::max(1.0, 0.1 * norm(iterate.w));
    double radius = radius_;
    std::int64_t products = 0;
    for (int tries = 0; tries < 60; ++tries) {
      const bool through = searches_ && tries == 0;
      Model model = solve(evaluator, curvature, iterate.gradient, size, radius, through);
      products += model.products;
      if (through && model.crossed && model.convex) {
        const LineSearchResult found = wolfe_search(evaluator, iterate, step_, 1, trial_);
        if (found.decreased) {
          const double length = found.step * norm(step_);
          radius_ = 2 * length;
          std::swap(iterate, trial_);
          return {.step_norm = length,
                  .measures = {{"step", found.step},
                               {"products", static_cast<double>(products)},
                               {"curvature", model.lowest}}};
        }
      }
      if (model.crossed) {
        step_ = boundary_step_;
        model.decrease = model.boundary_decrease;
      }
      add_scaled(iterate.w, 1, step_, trial_.w);
      const double length = norm(step_);
      const Judgement judged =
          judge_trial(evaluator, iterate, trial_, model.decrease, length, radius);
      if (judged.accepted) {
        radius_ = radius;
        std::swap(iterate, trial_);
        return {.step_norm = length,
                .measures = {{"radius", radius_},
                             {"ratio", judged.ratio},
                             {"products", static_cast<double>(products)},
                             {"curvature", model.lowest}}};
      }
      if (judged.hopeless) break;
    }
    return {.moved = false};
  }

  std::optional<StepReport> leave_saddle(Evaluator& evaluator, Iterate& iterate) override {
    return leave_along_negative_curvature(evaluator, iterate, std::max(1.0, 0.1 * norm(iterate.w)));
  }

  void archive(Archive& archive) override { archive(radius_, first_norm_); }

 private:
  struct Model {
    double decrease = 0;
    double lowest = INFINITY;  ///< smallest curvature d'Hd / d'd met
    bool convex = true;        ///< no negative curvature met
    bool crossed = false;      ///< the boundary was crossed; where is in boundary_step_
    double boundary_decrease = 0;
    std::int64_t products = 0;
  };

  // Ends with the step in step_. The norm of the iterates grows (Steihaug 1983, theorem 2.1), so
  // one pass yields both the boundary step and, going `through`, the step without a boundary.
  Model solve(Evaluator& evaluator, const Evaluator::Curvature& curvature,
              std::span<const double> gradient, double size, double radius, bool through) {
    const std::size_t n = gradient.size();
    Model model;
    step_.assign(n, 0.0);
    residual_.assign(gradient.begin(), gradient.end());
    direction_.resize(n);
    product_.resize(n);
    for (std::size_t i = 0; i < n; ++i) direction_[i] = -residual_[i];
    double square = size * size, step_square = 0;
    const double stop = std::min(forcing_, std::sqrt(size / first_norm_)) * size;
    const std::int64_t limit =
        max_products_ > 0 ? max_products_ : std::max<std::int64_t>(2 * evaluator.dimension(), 20);
    while (model.products < limit) {
      curvature.hessian_product(direction_.data(), product_.data());
      ++model.products;
      const double bend = dot(direction_, product_);
      const double length_square = dot(direction_, direction_);
      const double along = dot(step_, direction_);
      if (!std::isfinite(bend)) break;
      model.lowest = std::min(model.lowest, bend / length_square);
      model.convex = bend > 0;
      const double a = bend > 0 ? square / bend : INFINITY;
      const double next_square = step_square + 2 * a * along + a * a * length_square;
      if (!model.crossed && (!model.convex || next_square >= radius * radius)) {
        // To the boundary: |s + t d| = radius, t > 0.
        const double gap = radius * radius - step_square;
        const double root = std::sqrt(along * along + length_square * gap);
        const double t = along > 0 ? gap / (along + root) : (root - along) / length_square;
        model.crossed = true;
        model.boundary_decrease = model.decrease + t * square - 0.5 * t * t * bend;
        boundary_step_ = step_;
        axpy(t, direction_, boundary_step_);
      }
      if (!model.convex || (model.crossed && !through)) return model;
      axpy(a, direction_, step_);
      step_square = next_square;
      model.decrease += 0.5 * a * square;
      const double new_square = axpy_dot(a, product_, residual_, residual_);
      if (std::sqrt(new_square) <= stop) break;
      const double b = new_square / square;
      for (std::size_t i = 0; i < n; ++i) direction_[i] = b * direction_[i] - residual_[i];
      square = new_square;
    }
    return model;
  }

  double radius_, forcing_;
  std::int64_t max_products_;
  bool searches_;
  double first_norm_ = 0;
  Vector step_, boundary_step_, residual_, direction_, product_;
  Iterate trial_;
};

}  // namespace

KAPPA_METHOD(newton_cg) {
  static const Method method{
      .info = {.name = "newton-cg",
               .text =
                   "matrix-free Newton in a trust region by conjugate gradients (Steihaug-Toint)",
               .uses_hessian = true,
               .default_max_iterations = 2000,
               .options = {{.name = "radius",
                            .text = "first radius (0: max(1, |w|/10))",
                            .default_value = 0,
                            .lower = 0},
                           {.name = "line-search",
                            .text = "search along steps beyond the radius where no negative "
                                    "curvature was met",
                            .choices = {"yes", "no"}},
                           {.name = "forcing",
                            .text = "relative residual at which the inner iteration may stop",
                            .default_value = 0.1,
                            .lower = 1e-15,
                            .upper = 1},
                           {.name = "max-products",
                            .text = "Hessian products an iteration at most (0: 2 n)",
                            .default_value = 0,
                            .lower = 0}}},
      .start = start_walker<NewtonCg>,
      .monotone = true};
  return method;
}

}  // namespace kappa
