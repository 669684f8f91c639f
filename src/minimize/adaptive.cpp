#include "minimize/adaptive.h"

#include <cmath>

#include "minimize/adaptive_update.h"

namespace kappa {

StepReport AdaptiveWalker::step(Evaluator& evaluator, Iterate& iterate) {
  Minibatches& batches = evaluator.minibatches();
  const std::size_t n = iterate.w.size();
  mean_.resize(rule_.first_decay > 0 ? n : 0, 0.0);
  square_.resize(n, 0.0);
  const double rate = decayed_rate(rule_.learning_rate, rule_.rate_decay, count_, batches);
  iterate.value =
      evaluator.gradient(iterate.w.data(), iterate.gradient.data(), batches.batch(count_));
  if (!iterate.finite()) return {.not_finite = true};
  ++count_;
  ++updates_;
  AdaptiveUpdate update{.rate = rate,
                        .first_decay = rule_.first_decay,
                        .second_decay = rule_.second_decay,
                        .epsilon = rule_.epsilon,
                        .decoupled_decay = rule_.decoupled_decay};
  if (rule_.bias_correction) {
    const auto t = static_cast<double>(updates_);
    update.first_correction = 1 / (1 - std::pow(rule_.first_decay, t));
    update.second_correction = 1 / (1 - std::pow(rule_.second_decay, t));
  }
  const double square = adaptive_update(update, n, iterate.gradient.data(), mean_.data(),
                                        square_.data(), iterate.w.data());
  return {.step_norm = std::sqrt(square), .measures = {{"learning_rate", rate}}};
}

bool AdaptiveWalker::back_up() {
  rule_.learning_rate *= 0.5;
  updates_ = 0;
  std::fill(mean_.begin(), mean_.end(), 0.0);
  std::fill(square_.begin(), square_.end(), 0.0);
  return rule_.learning_rate > 0;
}

AdaptiveRule adam_rule(const Settings& settings) {
  return {.learning_rate = settings.number("learning-rate"),
          .first_decay = settings.number("beta1"),
          .second_decay = settings.number("beta2"),
          .epsilon = settings.number("epsilon"),
          .rate_decay = settings.number("decay")};
}

OptionInfo learning_rate_option(double default_value) {
  return {.name = "learning-rate", .text = "rate", .default_value = default_value, .lower = 0};
}

OptionInfo decay_option() {
  return {.name = "decay",
          .text = "the rate is divided by 1 + decay * epoch",
          .default_value = 0,
          .lower = 0};
}

OptionInfo beta1_option(double default_value) {
  return {.name = "beta1",
          .text = "decay of the mean gradient",
          .default_value = default_value,
          .lower = 0,
          .upper = 0.9999999};
}

OptionInfo beta2_option(double default_value, const char* text) {
  return {.name = "beta2",
          .text = text,
          .default_value = default_value,
          .lower = 0,
          .upper = 0.9999999};
}

OptionInfo epsilon_option(double default_value, const char* text) {
  return {.name = "epsilon", .text = text, .default_value = default_value, .lower = 0};
}

OptionInfo weight_decay_option(double default_value) {
  return {.name = "weight-decay",
          .text = "share of w taken off per unit of rate",
          .default_value = default_value,
          .lower = 0};
}

OptionInfo every_option(double default_value) {
  return {.name = "every",
          .text = "mini-batches between two probes",
          .default_value = default_value,
          .lower = 1};
}

double decayed_rate(double rate, double decay, std::int64_t count, const Minibatches& batches) {
  return rate / (1 + decay * static_cast<double>(count / batches.num_per_epoch()));
}

}  // namespace kappa
