#include "minimize/adaptive.h"

namespace kappa {
namespace {

std::unique_ptr<Walker> start(const Settings& settings) {
  return std::make_unique<AdaptiveWalker>(
      AdaptiveRule{.learning_rate = settings.number("learning-rate"),
                   .second_decay = settings.number("averaging"),
                   .epsilon = settings.number("epsilon"),
                   .bias_correction = false,
                   .rate_decay = settings.number("decay")});
}

}  // namespace

// Defaults: Tieleman & Hinton 2012 (lecture 6e) with the averaging of PyTorch, 0.99.
KAPPA_METHOD(rmsprop) {
  static const Method method{
      .info = {.name = "rmsprop",
               .text =
                   "gradient over a running root mean square of itself (Tieleman & Hinton 2012)",
               .stochastic = true,
               .options = {learning_rate_option(0.001),
                           {.name = "averaging",
                            .text = "decay of the mean square",
                            .default_value = 0.99,
                            .lower = 0,
                            .upper = 1},
                           epsilon_option(1e-8),
                           decay_option()}},
      .start = start};
  return method;
}

}  // namespace kappa
