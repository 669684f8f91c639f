#include <algorithm>

#include "minimize/adaptive.h"
#include "minimize/diagonal_walker.h"

namespace kappa {
namespace {

/// AdaHessian (Yao et al. 2021): Adam with the Hessian's diagonal, estimated by one Hutchinson
/// probe every `every` mini-batches, in place of the gradient: w <- w - a m^ / (v^^(k/2) + eps), v
/// the running mean of D o D.
class AdaHessian final : public DiagonalWalker {
 public:
  explicit AdaHessian(const Settings& settings)
      : DiagonalWalker(settings),
        power_(settings.number("hessian-power")),
        epsilon_(settings.number("epsilon")) {}

  StepReport step(Evaluator& evaluator, Iterate& iterate) override {
    const std::size_t n = iterate.w.size();
    square_.resize(n, 0.0);
    const Observation seen = observe(evaluator, iterate);
    if (!seen.finite) return {.not_finite = true};
    if (seen.probed) {
      for (std::size_t i = 0; i < n; ++i) {
        square_[i] = b2_ * square_[i] + (1 - b2_) * probe_[i] * probe_[i];
      }
      ++estimates_;
    }
    ++updates_;
    const double correct1 = 1 / (1 - std::pow(b1_, static_cast<double>(updates_)));
    const double correct2 = 1 / (1 - std::pow(b2_, static_cast<double>(estimates_)));
    const double length = walk(iterate, seen.rate, [&](std::size_t i) {
      return mean_[i] * correct1 / (std::pow(square_[i] * correct2, 0.5 * power_) + epsilon_);
    });
    return {.step_norm = length, .measures = {{"learning_rate", seen.rate}}};
  }

  bool back_up() override {
    rate_ *= 0.5;
    updates_ = estimates_ = 0;
    count_ += every_ - count_ % every_;  // the next step estimates anew
    std::fill(mean_.begin(), mean_.end(), 0.0);
    std::fill(square_.begin(), square_.end(), 0.0);
    return rate_ > 0;
  }

  void archive(Archive& archive) override {
    archive(rate_, count_, updates_, estimates_, mean_, square_);
  }

 private:
  double power_, epsilon_;
  std::int64_t updates_ = 0, estimates_ = 0;
  Vector square_;
};

}  // namespace

// Defaults: Yao et al. 2021, section 4 and their code (rate 0.15, power 1, eps 1e-4).
KAPPA_METHOD(adahessian) {
  static const Method method{
      .info = {.name = "adahessian",
               .text = "Adam on the diagonal of the Hessian (Yao et al. 2021)",
               .uses_hessian = true,
               .stochastic = true,
               .options = {learning_rate_option(0.15),
                           beta1_option(0.9),
                           beta2_option(0.999, "decay of the mean squared diagonal"),
                           {.name = "hessian-power",
                            .text = "1 for Newton's scaling, 0 for none",
                            .default_value = 1,
                            .lower = 0,
                            .upper = 1},
                           epsilon_option(1e-4, "added to the scaling"),
                           weight_decay_option(0),
                           every_option(1),
                           decay_option()}},
      .start = start_walker<AdaHessian>};
  return method;
}

}  // namespace kappa
