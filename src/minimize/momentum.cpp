#include "minimize/spectrum_rates.h"

namespace kappa {
namespace {

/// Polyak's heavy ball: w+ = w - a g(w) + b (w - w-).
///
/// Without a learning-rate both are tuned from the spectrum (Polyak 1964): a = 4 / (sqrt(L) +
/// sqrt(m))^2 and b = ((sqrt(k) - 1) / (sqrt(k) + 1))^2, k = L/m; where f is not convex at the
/// start, a = 1/L and b = 0.9. Tuning is repeated every 100 iterations, never with a smaller L.
class HeavyBall final : public Walker {
 public:
  explicit HeavyBall(const Settings& settings)
      : rate_(settings.number("learning-rate")),
        momentum_(settings.number("momentum")),
        tuned_(rate_ == 0),
        momentum_given_(settings.given("momentum")) {}

  StepReport step(Evaluator& evaluator, Iterate& iterate) override {
    const std::size_t n = iterate.w.size();
    trial_.w.resize(n);
    trial_.gradient.resize(n);
    velocity_.resize(n, 0.0);
    if (tuned_ && count_ % 100 == 0) tune(evaluator, iterate);
    ++count_;
    for (std::size_t i = 0; i < n; ++i) {
      velocity_[i] = momentum_ * velocity_[i] - rate_ * iterate.gradient[i];
      trial_.w[i] = iterate.w[i] + velocity_[i];
    }
    trial_.value = evaluator.gradient(trial_.w.data(), trial_.gradient.data());
    if (!trial_.finite()) return {.not_finite = true};
    StepReport report{.step_norm = norm(velocity_),
                      .measures = {{"learning_rate", rate_}, {"momentum", momentum_}}};
    std::swap(iterate, trial_);
    return report;
  }

  bool back_up() override {
    rate_ *= 0.5;
    lambda_max_ *= 2;
    std::fill(velocity_.begin(), velocity_.end(), 0.0);
    return rate_ > 0;
  }

  void archive(Archive& archive) override {
    archive(rate_, momentum_, velocity_, count_, lambda_max_);
  }

 private:
  void tune(Evaluator& evaluator, const Iterate& iterate) {
    const SpectrumRates found = spectrum_rates(evaluator, iterate);
    lambda_max_ = std::max(lambda_max_, found.lambda_max);
    if (!(lambda_max_ > 0)) {
      rate_ = 1;  // no curvature at all
      return;
    }
    const double large = std::sqrt(lambda_max_), small = std::sqrt(std::max(found.lambda_min, 0.0));
    const bool convex = found.lambda_min > 1e-12 * lambda_max_;
    rate_ = convex ? 4 / ((large + small) * (large + small)) : 1 / lambda_max_;
    if (!momentum_given_) {
      const double root = (large - small) / (large + small);
      momentum_ = convex ? root * root : 0.9;
    }
  }

  double rate_, momentum_;
  bool tuned_, momentum_given_;
  Vector velocity_;
  std::int64_t count_ = 0;
  double lambda_max_ = 0;
  Iterate trial_;
};

}  // namespace

KAPPA_METHOD(momentum) {
  static const Method method{
      .info = {.name = "momentum",
               .text = "heavy ball (Polyak 1964): given rates, or the optimum of the spectrum",
               .uses_hessian = true,
               .options = {{.name = "learning-rate",
                            .text = "rate (0: tuned from the spectrum)",
                            .default_value = 0,
                            .lower = 0},
                           {.name = "momentum",
                            .text = "share of the last step that is kept",
                            .default_value = 0.9,
                            .lower = 0,
                            .upper = 1}}},
      .start = start_walker<HeavyBall>};
  return method;
}

}  // namespace kappa
