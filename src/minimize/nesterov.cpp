#include "minimize/spectrum_rates.h"

namespace kappa {
namespace {

/// Nesterov's accelerated gradient. The iterate is the extrapolated point y, where the gradient is
/// taken: w = y - a g(y), y+ = w + b (w - w-); one gradient an iteration.
///
/// Without a learning-rate, a = 1/L and, for a strictly convex start, b = (sqrt(k) - 1) / (sqrt(k)
/// + 1) (Nesterov 2004, scheme (2.2.11)); else, and with momentum=0 given, b = t / (t + 3), t
/// counted from the last restart, restarted where g'(w - w-) > 0 (O'Donoghue & Candes 2015, 3.2).
class Nesterov final : public Walker {
 public:
  explicit Nesterov(const Settings& settings)
      : rate_(settings.number("learning-rate")),
        momentum_(settings.number("momentum")),
        tuned_(rate_ == 0),
        momentum_given_(momentum_ > 0) {}

  StepReport step(Evaluator& evaluator, Iterate& iterate) override {
    const std::size_t n = iterate.w.size();
    trial_.w.resize(n);
    trial_.gradient.resize(n);
    if (tuned_ && (count_ % 100 == 0 || rises_ >= 2)) tune(evaluator, iterate);
    ++count_;
    if (base_.empty()) base_ = iterate.w;
    next_base_.resize(n);
    add_scaled(iterate.w, -rate_, iterate.gradient, next_base_);
    double along = 0;
    for (std::size_t i = 0; i < n; ++i) along += iterate.gradient[i] * (next_base_[i] - base_[i]);
    if (along > 0) since_restart_ = 0;
    const double b = momentum_ > 0 ? momentum_ : since_restart_ / (since_restart_ + 3);
    since_restart_ += 1;
    for (std::size_t i = 0; i < n; ++i) {
      trial_.w[i] = next_base_[i] + b * (next_base_[i] - base_[i]);
    }
    trial_.value = evaluator.gradient(trial_.w.data(), trial_.gradient.data());
    if (!trial_.finite()) return {.not_finite = true};
    rises_ = trial_.value > iterate.value ? rises_ + 1 : 0;
    StepReport report{.step_norm = distance(trial_.w, iterate.w),
                      .measures = {{"learning_rate", rate_}, {"momentum", b}}};
    std::swap(base_, next_base_);
    std::swap(iterate, trial_);
    return report;
  }

  bool back_up() override {
    rate_ *= 0.5;
    lambda_max_ *= 2;
    since_restart_ = 0;
    base_.clear();
    return rate_ > 0;
  }

  void archive(Archive& archive) override {
    archive(rate_, momentum_, base_, count_, rises_, since_restart_, lambda_max_);
  }

 private:
  void tune(Evaluator& evaluator, const Iterate& iterate) {
    rises_ = 0;
    const SpectrumRates found = spectrum_rates(evaluator, iterate);
    lambda_max_ = std::max(lambda_max_, found.lambda_max);
    rate_ = lambda_max_ > 0 ? 1 / lambda_max_ : 1;
    if (momentum_given_) return;
    const bool convex = found.lambda_min > 1e-12 * lambda_max_;
    const double root = std::sqrt(lambda_max_ / std::max(found.lambda_min, 1e-300));
    momentum_ = convex ? (root - 1) / (root + 1) : 0;
  }

  double rate_, momentum_;
  bool tuned_, momentum_given_;
  Vector base_, next_base_;
  std::int64_t count_ = 0, rises_ = 0;
  double since_restart_ = 0, lambda_max_ = 0;
  Iterate trial_;
};

}  // namespace

KAPPA_METHOD(nesterov) {
  static const Method method{
      .info = {.name = "nesterov",
               .text = "Nesterov's accelerated gradient: given rates, or tuned from the spectrum",
               .uses_hessian = true,
               .options = {{.name = "learning-rate",
                            .text = "rate (0: 1/lambda_max)",
                            .default_value = 0,
                            .lower = 0},
                           {.name = "momentum",
                            .text = "extrapolation (0: from the spectrum, or the schedule t/(t+3) "
                                    "with restarts)",
                            .default_value = 0,
                            .lower = 0,
                            .upper = 1}}},
      .start = start_walker<Nesterov>};
  return method;
}

}  // namespace kappa
