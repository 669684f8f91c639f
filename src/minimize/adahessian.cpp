#include <cmath>

#include "minimize/adaptive.h"
#include "minimize/hutchinson.h"

namespace kappa {
namespace {

/// AdaHessian (Yao et al. 2021): Adam with the Hessian's diagonal, estimated by one Hutchinson
/// probe every `every` mini-batches, in place of the gradient: w <- w - a m^ / (v^^(k/2) + eps), v
/// the running mean of D o D.
class AdaHessian final : public Walker {
 public:
  explicit AdaHessian(const Settings& settings)
      : rate_(settings.number("learning-rate")),
        b1_(settings.number("beta1")),
        b2_(settings.number("beta2")),
        power_(settings.number("hessian-power")),
        epsilon_(settings.number("epsilon")),
        weight_decay_(settings.number("weight-decay")),
        rate_decay_(settings.number("decay")),
        every_(settings.count("every")) {}

  StepReport step(Evaluator& evaluator, Iterate& iterate) override {
    const std::size_t n = iterate.w.size();
    mean_.resize(n, 0.0);
    square_.resize(n, 0.0);
    const double rate = decayed_rate(rate_, rate_decay_, count_, evaluator.minibatches());
    const bool probing = count_ % every_ == 0;
    if (!observe_minibatch(evaluator, iterate, count_, CurvatureKind::hessian, 1,
                           probing ? &diagonal_ : nullptr)) {
      return {.not_finite = true};
    }
    if (probing) {
      for (std::size_t i = 0; i < n; ++i) {
        square_[i] = b2_ * square_[i] + (1 - b2_) * diagonal_[i] * diagonal_[i];
      }
      ++estimates_;
    }
    ++count_;
    ++updates_;
    const double correct1 = 1 / (1 - std::pow(b1_, static_cast<double>(updates_)));
    const double correct2 = 1 / (1 - std::pow(b2_, static_cast<double>(estimates_)));
    double moved = 0;
    for (std::size_t i = 0; i < n; ++i) {
      mean_[i] = b1_ * mean_[i] + (1 - b1_) * iterate.gradient[i];
      const double scale = std::pow(square_[i] * correct2, 0.5 * power_) + epsilon_;
      const double step = rate * (mean_[i] * correct1 / scale + weight_decay_ * iterate.w[i]);
      iterate.w[i] -= step;
      moved += step * step;
    }
    return {.step_norm = std::sqrt(moved), .measures = {{"learning_rate", rate}}};
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
  double rate_, b1_, b2_, power_, epsilon_, weight_decay_, rate_decay_;
  std::int64_t every_, count_ = 0, updates_ = 0, estimates_ = 0;
  Vector mean_, square_, diagonal_;
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
