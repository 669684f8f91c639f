#include <algorithm>

#include "minimize/adaptive.h"
#include "minimize/diagonal_walker.h"

namespace kappa {
namespace {

/// Sophia-H (Liu et al. 2023, algorithm 3): w <- w - a clip(m / max(gamma h, eps), 1), h a running
/// mean of Hutchinson probes of the Hessian's diagonal, one every `every` mini-batches.
class Sophia final : public DiagonalWalker {
 public:
  explicit Sophia(const Settings& settings)
      : DiagonalWalker(settings), gamma_(settings.number("gamma")) {}

  StepReport step(Evaluator& evaluator, Iterate& iterate) override {
    const std::size_t n = iterate.w.size();
    diagonal_.resize(n, 0.0);
    const Observation seen = observe(evaluator, iterate);
    if (!seen.finite) return {.not_finite = true};
    if (seen.probed) {
      for (std::size_t i = 0; i < n; ++i) {
        diagonal_[i] = b2_ * diagonal_[i] + (1 - b2_) * probe_[i];
      }
    }
    std::int64_t clipped = 0;
    const double length = walk(iterate, seen.rate, [&](std::size_t i) {
      const double ratio = mean_[i] / std::max(gamma_ * diagonal_[i], 1e-12);
      clipped += std::fabs(ratio) > 1;
      return std::clamp(ratio, -1.0, 1.0);
    });
    return {.step_norm = length,
            .measures = {{"learning_rate", seen.rate},
                         {"clipped", static_cast<double>(clipped) / static_cast<double>(n)}}};
  }

  bool back_up() override {
    rate_ *= 0.5;
    std::fill(mean_.begin(), mean_.end(), 0.0);
    return rate_ > 0;
  }

  void archive(Archive& archive) override { archive(rate_, count_, mean_, diagonal_); }

 private:
  double gamma_;
  Vector diagonal_;
};

}  // namespace

// Defaults: Liu et al. 2023, section 3.1 (Sophia-H: beta 0.96 and 0.99, gamma 0.01, k = 10).
KAPPA_METHOD(sophia) {
  static const Method method{
      .info = {.name = "sophia",
               .text = "clipped steps on the diagonal of the Hessian (Sophia-H, Liu et al. 2023)",
               .uses_hessian = true,
               .stochastic = true,
               .options = {learning_rate_option(0.001),
                           beta1_option(0.96),
                           beta2_option(0.99, "decay of the mean diagonal"),
                           {.name = "gamma",
                            .text = "share of the diagonal that divides the gradient",
                            .default_value = 0.01,
                            .lower = 0},
                           weight_decay_option(0),
                           every_option(10),
                           decay_option()}},
      .start = start_walker<Sophia>};
  return method;
}

}  // namespace kappa
