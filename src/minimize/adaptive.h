#pragma once

#include "minimize/method.h"

namespace kappa {

/// What the members of the Adam family differ in.
struct AdaptiveRule {
  double learning_rate = 1e-3;
  double first_decay = 0;       ///< beta_1; 0: no momentum
  double second_decay = 0.999;  ///< beta_2
  double epsilon = 1e-8;
  double decoupled_decay = 0;  ///< w <- w - rate * decay * w beside the step (AdamW)
  bool bias_correction = true;
  double rate_decay = 0;  ///< the rate is divided by 1 + rate_decay * epoch
};

/// m <- b1 m + (1-b1) g,  v <- b2 v + (1-b2) g^2,  w <- w - a m^ / (sqrt(v^) + eps), with
/// m^ = m / (1-b1^t) and v^ = v / (1-b2^t) under bias correction. Memory: 2 n.
class AdaptiveWalker final : public Walker {
 public:
  explicit AdaptiveWalker(const AdaptiveRule& rule) : rule_(rule) {}
  StepReport step(Evaluator& evaluator, Iterate& iterate) override;
  bool back_up() override;
  void archive(Archive& archive) override {
    archive(rule_.learning_rate, count_, updates_, mean_, square_);
  }

 private:
  AdaptiveRule rule_;
  std::int64_t count_ = 0;    // mini-batches seen
  std::int64_t updates_ = 0;  // since the moments were last empty
  Vector mean_, square_;
};

/// The rule by the options that Adam has.
AdaptiveRule adam_rule(const Settings& settings);

/// Options that the family shares.
OptionInfo learning_rate_option(double default_value);
OptionInfo decay_option();
OptionInfo beta1_option(double default_value);
OptionInfo beta2_option(double default_value, const char* text = "decay of the mean square");
OptionInfo epsilon_option(double default_value, const char* text = "added to the root");
OptionInfo weight_decay_option(double default_value);
OptionInfo every_option(double default_value);  ///< mini-batches between two probes

/// rate / (1 + decay * epoch), the epoch being that of mini-batch `count`.
double decayed_rate(double rate, double decay, std::int64_t count, const Minibatches& batches);

}  // namespace kappa
