#include <algorithm>
#include <cmath>

#include "minimize/adaptive.h"
#include "minimize/hutchinson.h"

namespace kappa {
namespace {

/// Sophia-H (Liu et al. 2023, algorithm 3): w <- w - a clip(m / max(gamma h, eps), 1), h a running
/// mean of Hutchinson probes of the Hessian's diagonal, one every `every` mini-batches.
class Sophia final : public Walker {
 public:
  explicit Sophia(const Settings& settings)
      : rate_(settings.number("learning-rate")),
        b1_(settings.number("beta1")),
        b2_(settings.number("beta2")),
        gamma_(settings.number("gamma")),
        weight_decay_(settings.number("weight-decay")),
        rate_decay_(settings.number("decay")),
        every_(settings.count("every")) {}

  StepReport step(Evaluator& evaluator, Iterate& iterate) override {
    const std::size_t n = iterate.w.size();
    mean_.resize(n, 0.0);
    diagonal_.resize(n, 0.0);
    const double rate = decayed_rate(rate_, rate_decay_, count_, evaluator.minibatches());
    const bool probing = count_ % every_ == 0;
    if (!observe_minibatch(evaluator, iterate, count_, CurvatureKind::hessian, 1,
                           probing ? &probe_ : nullptr)) {
      return {.not_finite = true};
    }
    if (probing) {
      for (std::size_t i = 0; i < n; ++i) {
        diagonal_[i] = b2_ * diagonal_[i] + (1 - b2_) * probe_[i];
      }
    }
    ++count_;
    double moved = 0;
    std::int64_t clipped = 0;
    for (std::size_t i = 0; i < n; ++i) {
      mean_[i] = b1_ * mean_[i] + (1 - b1_) * iterate.gradient[i];
      const double ratio = mean_[i] / std::max(gamma_ * diagonal_[i], 1e-12);
      clipped += std::fabs(ratio) > 1;
      const double step = rate * (std::clamp(ratio, -1.0, 1.0) + weight_decay_ * iterate.w[i]);
      iterate.w[i] -= step;
      moved += step * step;
    }
    return {.step_norm = std::sqrt(moved),
            .measures = {{"learning_rate", rate},
                         {"clipped", static_cast<double>(clipped) / static_cast<double>(n)}}};
  }

  bool back_up() override {
    rate_ *= 0.5;
    std::fill(mean_.begin(), mean_.end(), 0.0);
    return rate_ > 0;
  }

  void archive(Archive& archive) override { archive(rate_, count_, mean_, diagonal_); }

 private:
  double rate_, b1_, b2_, gamma_, weight_decay_, rate_decay_;
  std::int64_t every_, count_ = 0;
  Vector mean_, diagonal_, probe_;
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
