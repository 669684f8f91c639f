#include "minimize/adaptive.h"

namespace kappa {
namespace {

std::unique_ptr<Walker> start(const Settings& settings) {
  AdaptiveRule rule = adam_rule(settings);
  rule.decoupled_decay = settings.number("weight-decay");
  return std::make_unique<AdaptiveWalker>(rule);
}

}  // namespace

// Defaults: Loshchilov & Hutter 2019, algorithm 2.
KAPPA_METHOD(adamw) {
  static const Method method{
      .info = {.name = "adamw",
               .text = "Adam with decoupled weight decay (Loshchilov & Hutter 2019)",
               .stochastic = true,
               .options = {learning_rate_option(0.001), beta1_option(0.9), beta2_option(0.999),
                           epsilon_option(1e-8), weight_decay_option(0.01), decay_option()}},
      .start = start};
  return method;
}

}  // namespace kappa
