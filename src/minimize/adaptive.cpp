#include "minimize/adaptive.h"

#include <cmath>
#include <iterator>
#include <numeric>

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
  const double b1 = rule_.first_decay, b2 = rule_.second_decay;
  const auto t = static_cast<double>(updates_);
  const double correct1 = rule_.bias_correction ? 1 / (1 - std::pow(b1, t)) : 1;
  const double correct2 = rule_.bias_correction ? 1 / (1 - std::pow(b2, t)) : 1;
  double moved[8] = {};  // partial sums, so that the loop can be vectorised
  const auto update = [&](std::size_t i, double& square) {
    const double g = iterate.gradient[i];
    square_[i] = b2 * square_[i] + (1 - b2) * g * g;
    double m = g;
    if (b1 > 0) m = mean_[i] = b1 * mean_[i] + (1 - b1) * g;
    const double step = rate * (m * correct1 / (std::sqrt(square_[i] * correct2) + rule_.epsilon) +
                                rule_.decoupled_decay * iterate.w[i]);
    iterate.w[i] -= step;
    square += step * step;
  };
  const std::size_t whole = n / 8 * 8;
  for (std::size_t i = 0; i < whole; i += 8) {
    for (std::size_t j = 0; j < 8; ++j) update(i + j, moved[j]);
  }
  for (std::size_t i = whole; i < n; ++i) update(i, moved[0]);
  const double square = std::accumulate(std::begin(moved), std::end(moved), 0.0);
  return {.step_norm = std::sqrt(square), .measures = {{"learning_rate", rate}}};
}

bool AdaptiveWalker::back_up() {
  rule_.learning_rate *= 0.5;
  updates_ = 0;
  std::fill(mean_.begin(), mean_.end(), 0.0);
  std::fill(square_.begin(), square_.end(), 0.0);
  return rule_.learning_rate > 0;
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
