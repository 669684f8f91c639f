#include "minimize/adaptive.h"

namespace kappa {
namespace {

std::unique_ptr<Walker> start(const Settings& settings) {
  return std::make_unique<AdaptiveWalker>(adam_rule(settings));
}

}  // namespace

// Defaults: Kingma & Ba 2015, algorithm 1.
KAPPA_METHOD(adam) {
  static const Method method{
      .info = {.name = "adam",
               .text = "adaptive moments (Kingma & Ba 2015)",
               .stochastic = true,
               .options = {learning_rate_option(0.001), beta1_option(0.9), beta2_option(0.999),
                           epsilon_option(1e-8), decay_option()}},
      .start = start};
  return method;
}

}  // namespace kappa
