#include <algorithm>
#include <optional>

#include "minimize/lanczos_region.h"
#include "minimize/line_search.h"
#include "minimize/radius.h"
#include "minimize/saddle.h"
#include "minimize/steihaug.h"

namespace kappa {
namespace {

// Basis vectors that subproblem=lanczos keeps where max-products does not say.
constexpr std::int64_t kMaxBasis = 100;

/// Matrix-free Newton in a trust region. The subproblem is solved until its residual is below
/// min(forcing, max(sqrt(|g|/|g_0|), tolerance / 2 max|g_i|)) |g|: not beyond what ends the run.
///
/// subproblem=steihaug: conjugate gradients, which follow negative curvature to the boundary and
/// end there (Steihaug 1983, Toint 1981). Where none is met and the step leaves the region, a Wolfe
/// line search along the whole step is tried first: a ball knows nothing of the few places where a
/// model of many variables fails. subproblem=lanczos: the minimiser of the Krylov space on the
/// boundary too (LanczosRegion).
class NewtonCg final : public Walker {
 public:
  explicit NewtonCg(const Settings& settings)
      : radius_(settings.number("radius")),
        forcing_(settings.number("forcing")),
        max_products_(settings.count("max-products")),
        searches_(settings.choice("line-search") == "yes"),
        lanczos_(settings.choice("subproblem") == "lanczos") {}

  void warm_start(double step_norm) override {
    if (!(radius_ > 0)) radius_ = step_norm;
  }

  StepReport step(Evaluator& evaluator, Iterate& iterate) override {
    const std::size_t n = iterate.w.size();
    trial_.w.resize(n);
    trial_.gradient.resize(n);
    const double size = norm(iterate.gradient);
    if (size == 0) return {.moved = false};
    if (first_norm_ == 0) first_norm_ = size;
    if (!(radius_ > 0)) radius_ = std::max(1.0, 0.1 * norm(iterate.w));
    const double enough = 0.5 * evaluator.gradient_tolerance() / max_abs(iterate.gradient);
    const double residual =
        std::min(forcing_, std::max(std::sqrt(size / first_norm_), enough)) * size;
    return lanczos_ ? lanczos_step(evaluator, iterate, residual)
                    : steihaug_step(evaluator, iterate, residual);
  }

  std::optional<StepReport> leave_saddle(Evaluator& evaluator, Iterate& iterate) override {
    auto report =
        leave_along_negative_curvature(evaluator, iterate, curvature_ ? &*curvature_ : nullptr);
    if (report) curvature_.reset();
    return report;
  }

  void archive(Archive& archive) override { archive(radius_, first_norm_); }

 private:
  // At the iterate. An accepted trial leaves its own for the next step.
  const Evaluator::Curvature& curvature(Evaluator& evaluator, const Iterate& iterate) {
    if (!curvature_) curvature_.emplace(evaluator.linearize(iterate.w.data()));
    return *curvature_;
  }

  StepReport steihaug_step(Evaluator& evaluator, Iterate& iterate, double residual) {
    const std::int64_t limit =
        max_products_ > 0 ? max_products_ : std::max<std::int64_t>(2 * evaluator.dimension(), 20);
    double radius = radius_;
    std::int64_t products = 0;
    for (int tries = 0; tries < 60; ++tries) {
      const bool through = searches_ && tries == 0;
      const TruncatedStep& model = inner_.solve(curvature(evaluator, iterate), iterate.gradient,
                                                residual, radius, through, limit);
      products += model.products;
      if (through && model.crossed && model.convex) {
        const LineSearchResult found = wolfe_search(evaluator, iterate, model.step, 1, trial_);
        if (found.decreased) {
          curvature_.reset();
          const double length = found.step * norm(model.step);
          radius_ = 2 * length;
          std::swap(iterate, trial_);
          return {.step_norm = length,
                  .measures = {{"step", found.step},
                               {"products", static_cast<double>(products)},
                               {"curvature", model.lowest}}};
        }
      }
      const Vector& s = model.crossed ? model.boundary_step : model.step;
      const double decrease = model.crossed ? model.boundary_decrease : model.decrease;
      bool hopeless = false;
      auto report = try_step(evaluator, iterate, s, norm(s), decrease, radius, hopeless);
      if (report) {
        report->measures.push_back({"products", static_cast<double>(products)});
        report->measures.push_back({"curvature", model.lowest});
        return *report;
      }
      if (hopeless) break;
    }
    return {.moved = false};
  }

  StepReport lanczos_step(Evaluator& evaluator, Iterate& iterate, double residual) {
    const std::int64_t limit =
        std::min(max_products_ > 0 ? max_products_ : kMaxBasis, evaluator.dimension());
    const auto product = [&](const double* v, double* hv) {
      curvature(evaluator, iterate).hessian_product(v, hv);
    };
    LanczosRegion region(product, iterate.gradient, residual, limit);
    double radius = radius_;
    for (int tries = 0; tries < 60; ++tries) {
      const LanczosRegion::Step best = region.solve(radius);
      if (!best.finite) break;
      bool hopeless = false;
      auto report =
          try_step(evaluator, iterate, best.s, best.length, best.decrease, radius, hopeless);
      if (report) {
        report->measures.push_back({"products", static_cast<double>(region.num_products())});
        report->measures.push_back({"curvature", best.lowest});
        report->measures.push_back({"shift", best.shift});
        return *report;
      }
      if (hopeless) break;
    }
    return {.moved = false};
  }

  // Commits s if it is worth it; else leaves a smaller radius, or `hopeless`.
  std::optional<StepReport> try_step(Evaluator& evaluator, Iterate& iterate, const Vector& s,
                                     double length, double decrease, double& radius,
                                     bool& hopeless) {
    add_scaled(iterate.w, 1, s, trial_.w);
    const Judgement judged =
        judge_trial(evaluator, iterate, trial_, decrease, length, radius, {}, &curvature_);
    hopeless = judged.hopeless;
    if (!judged.accepted) return {};
    radius_ = radius;
    std::swap(iterate, trial_);
    return StepReport{.step_norm = length,
                      .measures = {{"radius", radius_}, {"ratio", judged.ratio}}};
  }

  double radius_, forcing_;
  std::int64_t max_products_;
  bool searches_, lanczos_;
  double first_norm_ = 0;
  Iterate trial_;
  TruncatedConjugateGradients inner_;
  std::optional<Evaluator::Curvature> curvature_;
};

}  // namespace

KAPPA_METHOD(newton_cg) {
  static const Method method{
      .info = {.name = "newton-cg",
               .text = "matrix-free Newton in a trust region, by conjugate gradients "
                       "(Steihaug-Toint) or generalised Lanczos",
               .uses_hessian = true,
               .default_max_iterations = 2000,
               .options = {{.name = "subproblem",
                            .text = "how the trust-region problem is solved",
                            .choices = {"steihaug", "lanczos"}},
                           {.name = "radius",
                            .text = "first radius (0: max(1, |w|/10))",
                            .default_value = 0,
                            .lower = 0},
                           {.name = "line-search",
                            .text = "steihaug: search along steps beyond the radius where no "
                                    "negative curvature was met",
                            .choices = {"yes", "no"}},
                           {.name = "forcing",
                            .text = "relative residual at which the inner iteration may stop",
                            .default_value = 0.5,
                            .lower = 1e-15,
                            .upper = 1},
                           {.name = "max-products",
                            .text = "Hessian products an iteration at most (0: 2 n; lanczos, "
                                    "which keeps a vector each: 100)",
                            .default_value = 0,
                            .lower = 0}}},
      .start = start_walker<NewtonCg>,
      .monotone = true};
  return method;
}

}  // namespace kappa
