#include <algorithm>
#include <cmath>

#include "minimize/hutchinson.h"
#include "minimize/method.h"

namespace kappa {
namespace {

/// No more pesky learning rates (Schaul, Zhang & LeCun 2013): every parameter has its own rate and
/// memory, from running means of its gradient g, squared gradient v and curvature h:
///
///   rate_i = g_i^2 / (h_i v_i),   memory_i <- (1 - g_i^2 / v_i) memory_i + 1
///
/// rates=global takes one rate sum g_i^2 / (max h sum v_i) for all (their vSGD-g). h is a
/// Hutchinson probe of the Gauss-Newton diagonal (of |Hessian| where there is none). The means
/// start from `slow-start` mini-batches without a step, v widened by `caution` (their section 4.4).
class VarianceSgd final : public Walker {
 public:
  explicit VarianceSgd(const Settings& settings)
      : global_(settings.choice("rates") == "global"),
        slow_start_(settings.count("slow-start")),
        caution_(settings.number("caution")),
        probes_(settings.count("probes")),
        every_(settings.count("every")) {}

  StepReport step(Evaluator& evaluator, Iterate& iterate) override {
    const std::size_t n = iterate.w.size();
    if (mean_.empty() && !start(evaluator, iterate)) return {.not_finite = true};
    if (!observe(evaluator, iterate, count_)) return {.not_finite = true};
    ++count_;
    double signal = 0, noise = 0, bend = 0;
    for (std::size_t i = 0; i < n; ++i) {
      const double keep = 1 - 1 / memory_[i], take = 1 / memory_[i], g = iterate.gradient[i];
      mean_[i] = keep * mean_[i] + take * g;
      square_[i] = keep * square_[i] + take * g * g;
      if (fresh_curvature_) bend_[i] = keep * bend_[i] + take * std::fabs(diagonal_[i]);
      signal += mean_[i] * mean_[i];
      noise += square_[i];
      bend = std::max(bend, bend_[i]);
    }
    const double share = noise > 0 ? std::min(signal / noise, 1.0) : 0;
    double moved = 0, rates = 0;
    for (std::size_t i = 0; i < n; ++i) {
      double ratio = square_[i] > 0 ? std::min(mean_[i] * mean_[i] / square_[i], 1.0) : 0;
      if (global_) ratio = share;
      const double h = global_ ? bend : std::max(bend_[i], 1e-3 * bend);
      const double rate = scale_ * (h > 0 ? ratio / h : 0);
      const double step = rate * iterate.gradient[i];
      iterate.w[i] -= step;
      moved += step * step;
      rates += rate;
      memory_[i] = (1 - ratio) * memory_[i] + 1;
    }
    return {.step_norm = std::sqrt(moved),
            .measures = {{"learning_rate", rates / static_cast<double>(n)}}};
  }

  bool back_up() override {
    scale_ *= 0.5;
    mean_.clear();
    return scale_ > 0;
  }

  void archive(Archive& archive) override {
    archive(count_, scale_, mean_, square_, bend_, memory_);
  }

 private:
  // Value, gradient and, every `every` mini-batches, a probe of the diagonal.
  bool observe(Evaluator& evaluator, Iterate& iterate, std::int64_t index) {
    fresh_curvature_ = index % every_ == 0 || bend_.empty();
    return observe_minibatch(evaluator, iterate, index, CurvatureKind::gauss_newton_if_any, probes_,
                             fresh_curvature_ ? &diagonal_ : nullptr);
  }

  bool start(Evaluator& evaluator, Iterate& iterate) {
    const std::size_t n = iterate.w.size();
    const double share = 1 / static_cast<double>(slow_start_);
    Vector mean(n, 0.0), square(n, 0.0);
    bend_.clear();
    Vector bend(n, 0.0);
    for (std::int64_t k = 0; k < slow_start_; ++k) {
      if (!observe(evaluator, iterate, k)) return false;
      for (std::size_t i = 0; i < n; ++i) {
        mean[i] += share * iterate.gradient[i];
        square[i] += share * iterate.gradient[i] * iterate.gradient[i];
        bend[i] += share * std::fabs(diagonal_[i]);
      }
    }
    for (double& v : square) v *= caution_;
    mean_ = std::move(mean);
    square_ = std::move(square);
    bend_ = std::move(bend);
    memory_.assign(n, static_cast<double>(slow_start_));
    return true;
  }

  bool global_;
  std::int64_t slow_start_;
  double caution_;
  std::int64_t probes_, every_, count_ = 0;
  double scale_ = 1;
  bool fresh_curvature_ = false;
  Vector mean_, square_, bend_, memory_, diagonal_;
};

}  // namespace

KAPPA_METHOD(vsgd) {
  static const Method method{
      .info = {.name = "vsgd",
               .text =
                   "stochastic gradient descent with rates from the variance of the gradient and "
                   "the curvature (Schaul et al. 2013); no rate to set",
               .uses_hessian = true,
               .stochastic = true,
               .options = {{.name = "rates",
                            .text = "one rate a parameter, or one for all",
                            .choices = {"local", "global"}},
                           {.name = "slow-start",
                            .text = "mini-batches seen before the first step",
                            .default_value = 10,
                            .lower = 1},
                           {.name = "caution",
                            .text = "the first mean square is widened by this",
                            .default_value = 2,
                            .lower = 1},
                           {.name = "probes",
                            .text = "Hutchinson probes a mini-batch",
                            .default_value = 1,
                            .lower = 1},
                           {.name = "every",
                            .text = "mini-batches between two estimates of the curvature",
                            .default_value = 1,
                            .lower = 1}}},
      .start = start_walker<VarianceSgd>};
  return method;
}

}  // namespace kappa
