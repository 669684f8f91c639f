#include "minimize/adaptive.h"

namespace kappa {
namespace {

std::unique_ptr<Walker> start(const Settings& settings) {
  return std::make_unique<AdaptiveWalker>(
      AdaptiveRule{.learning_rate = settings.number("learning-rate"),
                   .first_decay = settings.number("beta1"),
                   .second_decay = settings.number("beta2"),
                   .epsilon = settings.number("epsilon"),
                   .decoupled_decay = settings.number("weight-decay"),
                   .rate_decay = settings.number("decay")});
}

}  // namespace

// Defaults: Loshchilov & Hutter 2019, algorithm 2.
KAPPA_METHOD(adamw) {
  static const Method method{
      .info = {.name = "adamw",
               .text = "Adam with decoupled weight decay (Loshchilov & Hutter 2019)",
               .stochastic = true,
               .options = {learning_rate_option(0.001),
                           {.name = "beta1",
                            .text = "decay of the mean gradient",
                            .default_value = 0.9,
                            .lower = 0,
                            .upper = 0.9999999},
                           {.name = "beta2",
                            .text = "decay of the mean square",
                            .default_value = 0.999,
                            .lower = 0,
                            .upper = 0.9999999},
                           {.name = "epsilon",
                            .text = "added to the root",
                            .default_value = 1e-8,
                            .lower = 0},
                           {.name = "weight-decay",
                            .text = "share of w taken off per unit of rate",
                            .default_value = 0.01,
                            .lower = 0},
                           decay_option()}},
      .start = start};
  return method;
}

}  // namespace kappa
