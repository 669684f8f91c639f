// Methods with curvature on networks (issue 4): no rate given against a grid of rates, and the work
// to a loss against stochastic gradient descent. Fashion-MNIST, few images.
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <memory>

#include "function/make_objective.h"
#include "kappa/minimize.h"

namespace kappa {
namespace {

class NetworkMethods : public testing::Test {
 protected:
  void SetUp() override {
    if (!std::filesystem::exists("/usr/share/datasets/fashion-mnist")) {
      GTEST_SKIP() << "dataset-fashion-mnist is not installed";
    }
  }

  static std::unique_ptr<Objective> network(const char* layers, std::int64_t samples) {
    auto data = std::make_shared<Dataset>(
        load_dataset("fashion-mnist", {.num_samples = samples, .scale = 1.0 / 255}));
    return make_network_objective(layers, std::move(data), "cross-entropy", "uniform", 0, {}, {});
  }

  static MinimizeResult run(const Objective& f, const MinimizeOptions& options) {
    return minimize(f, f.parameters().start(), options);
  }

  static MinimizeOptions sgd(const char* rate, const char* momentum, double epochs) {
    return {.method = "sgd",
            .method_options = {{"learning-rate", rate}, {"momentum", momentum}},
            .max_epochs = epochs,
            .gradient_tolerance = 0};
  }
};

// "No more pesky learning rates" (Schaul et al. 2013): within 5 % of the best of a grid. What a
// method with a fixed rate ends at is f there, not the mean over its last epoch.
TEST_F(NetworkMethods, VarianceSgdComesWithinFivePercentOfTheBestOfAGrid) {
  for (const char* layers : {"mlp:784-10", "mlp:784-64-10:tanh"}) {
    const auto f = network(layers, 2560);
    double best = INFINITY;
    for (const char* rate : {"0.03", "0.1", "0.3", "1"}) {
      best = std::min(best, f->value(run(*f, sgd(rate, "0", 10)).w.data()));
    }
    const auto own = run(*f, {.method = "vsgd", .max_epochs = 10, .gradient_tolerance = 0}).w;
    EXPECT_LE(f->value(own.data()), 1.05 * best) << layers;
  }
}

// With its default settings; and the work is what the counts say.
TEST_F(NetworkMethods, HessianFreeNeedsAThirdOfTheWorkOfTunedSgd) {
  const auto f = network("mlp:784-64-10:tanh", 512);
  MinimizeOptions options{.method = "hessian-free", .gradient_tolerance = 0};
  options.on_iteration = [](const IterationRecord& r, auto, auto) {
    return r.gradient_equivalents < 300;
  };
  const MinimizeResult own = run(*f, options);
  const double work = own.counts.gradient_equivalents;
  EXPECT_LT(work, 360);
  for (const auto& [rate, momentum] : {std::pair{"0.03", "0.9"}, {"0.1", "0.9"}}) {
    EXPECT_LT(own.value, f->value(run(*f, sgd(rate, momentum, 3 * work)).w.data()))
        << rate << ' ' << momentum;
  }
}

}  // namespace
}  // namespace kappa
