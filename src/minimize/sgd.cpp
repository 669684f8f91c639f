#include "minimize/adaptive.h"

namespace kappa {
namespace {

/// Mini-batch gradient descent: v <- b v - a g_B, w <- w + v (nesterov=yes: w <- w + b v - a g_B,
/// Sutskever et al. 2013), the rate a / (1 + decay * epoch).
class StochasticGradient final : public Walker {
 public:
  explicit StochasticGradient(const Settings& settings)
      : rate_(settings.number("learning-rate")),
        momentum_(settings.number("momentum")),
        decay_(settings.number("decay")),
        nesterov_(settings.choice("nesterov") == "yes") {}

  StepReport step(Evaluator& evaluator, Iterate& iterate) override {
    Minibatches& batches = evaluator.minibatches();
    const double rate = decayed_rate(rate_, decay_, count_, batches);
    velocity_.resize(iterate.w.size(), 0.0);
    iterate.value =
        evaluator.gradient(iterate.w.data(), iterate.gradient.data(), batches.batch(count_));
    if (!iterate.finite()) return {.not_finite = true};
    ++count_;
    double square = 0;
    for (std::size_t i = 0; i < velocity_.size(); ++i) {
      velocity_[i] = momentum_ * velocity_[i] - rate * iterate.gradient[i];
      const double move =
          nesterov_ ? momentum_ * velocity_[i] - rate * iterate.gradient[i] : velocity_[i];
      iterate.w[i] += move;
      square += move * move;
    }
    return {.step_norm = std::sqrt(square), .measures = {{"learning_rate", rate}}};
  }

  bool back_up() override {
    rate_ *= 0.5;
    std::fill(velocity_.begin(), velocity_.end(), 0.0);
    return rate_ > 0;
  }

  void archive(Archive& archive) override { archive(rate_, count_, velocity_); }

 private:
  double rate_, momentum_, decay_;
  bool nesterov_;
  std::int64_t count_ = 0;
  Vector velocity_;
};

}  // namespace

KAPPA_METHOD(sgd) {
  static const Method method{
      .info = {.name = "sgd",
               .text = "stochastic gradient descent on mini-batches, with momentum",
               .stochastic = true,
               .options = {learning_rate_option(0.01),
                           {.name = "momentum",
                            .text = "share of the last step that is kept",
                            .default_value = 0,
                            .lower = 0,
                            .upper = 1},
                           decay_option(),
                           {.name = "nesterov",
                            .text = "Nesterov's form of momentum",
                            .choices = {"no", "yes"}}}},
      .start = start_walker<StochasticGradient>};
  return method;
}

}  // namespace kappa
