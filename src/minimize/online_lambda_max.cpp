#include <algorithm>
#include <cmath>

#include "base/random.h"
#include "minimize/method.h"

namespace kappa {
namespace {

/// Mini-batch gradient descent whose rate is factor / |psi|, psi following the largest eigenvector
/// of the Hessian from one product a mini-batch (LeCun, Simard & Pearlmutter 1993, section 3):
///
///   psi <- (1 - c) psi + c H_B psi / |psi|,   |psi| -> lambda_max
///
/// The first `warm-up` products come before the first step: half of them with c = 1 (power
/// iteration, which aligns psi), half with c = 1/t.
/// The rate is never raised: where steps overshoot into a flat region of the loss, a rate that
/// followed the curvature down would only overshoot further.
class OnlineLambdaMax final : public Walker {
 public:
  explicit OnlineLambdaMax(const Settings& settings)
      : factor_(settings.number("factor")),
        averaging_(settings.number("averaging")),
        warm_up_(settings.count("warm-up")),
        every_(settings.count("every")) {}

  StepReport step(Evaluator& evaluator, Iterate& iterate) override {
    const std::size_t n = iterate.w.size();
    Minibatches& batches = evaluator.minibatches();
    if (psi_.empty()) {
      psi_.resize(n);
      Random(evaluator.seed(), 0x9a3).fill_signs(evaluator.dimension(), psi_.data());
      for (std::int64_t t = 1; t <= warm_up_; ++t) {
        const auto curvature = evaluator.linearize(iterate.w.data(), batches.batch(t - 1));
        const std::int64_t averaged = t - warm_up_ / 2;
        follow(curvature,
               averaged <= 1 ? 1 : std::max(averaging_, 1 / static_cast<double>(averaged)));
      }
    }
    const auto batch = batches.batch(count_);
    if (count_ % every_ == 0) {
      const auto curvature = evaluator.linearize(iterate.w.data(), batch);
      iterate.value = curvature.value();
      iterate.gradient.assign(curvature.gradient().begin(), curvature.gradient().end());
      follow(curvature, averaging_);
    } else {
      iterate.value = evaluator.gradient(iterate.w.data(), iterate.gradient.data(), batch);
    }
    lambda_ = std::max(lambda_, norm(psi_));
    const double lambda = lambda_;
    if (!iterate.finite() || !std::isfinite(lambda)) return {.not_finite = true};
    ++count_;
    const double rate = lambda > 0 ? factor_ / lambda : factor_;
    axpy(-rate, iterate.gradient, iterate.w);
    return {.step_norm = rate * norm(iterate.gradient),
            .measures = {{"learning_rate", rate}, {"lambda_estimate", lambda}}};
  }

  bool back_up() override {
    factor_ *= 0.5;
    psi_.clear();
    lambda_ = 0;
    return factor_ > 0;
  }

  void archive(Archive& archive) override { archive(factor_, count_, lambda_, psi_); }

 private:
  void follow(const Evaluator::Curvature& curvature, double c) {
    const double length = norm(psi_);
    product_.resize(psi_.size());
    curvature.hessian_product(psi_.data(), product_.data());
    for (std::size_t i = 0; i < psi_.size(); ++i) {
      psi_[i] = (1 - c) * psi_[i] + (length > 0 ? c / length : 0) * product_[i];
    }
  }

  double factor_, averaging_;
  std::int64_t warm_up_, every_, count_ = 0;
  double lambda_ = 0;  // largest |psi| so far
  Vector psi_, product_;
};

}  // namespace

KAPPA_METHOD(online_lambda_max) {
  static const Method method{
      .info = {.name = "online-lambda-max",
               .text =
                   "mini-batch gradient descent at a rate from a running estimate of lambda_max "
                   "(LeCun et al. 1993)",
               .uses_hessian = true,
               .stochastic = true,
               .options = {{.name = "factor",
                            .text = "rate times lambda_max",
                            .default_value = 0.5,
                            .lower = 0,
                            .upper = 2},
                           {.name = "averaging",
                            .text = "weight c of the newest product",
                            .default_value = 0.05,
                            .lower = 1e-6,
                            .upper = 1},
                           {.name = "warm-up",
                            .text = "products before the first step",
                            .default_value = 20,
                            .lower = 1},
                           {.name = "every",
                            .text = "mini-batches between two products",
                            .default_value = 1,
                            .lower = 1}}},
      .start = start_walker<OnlineLambdaMax>};
  return method;
}

}  // namespace kappa
