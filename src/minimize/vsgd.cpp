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
/// rates=global takes one rate sum g_i^2 / (max h sum v_i) for all (their vSGD-g), h the mean of
/// |G z|. The means start from `slow-start` mini-batches without a step, v widened by `caution`
/// (their section 4.4).
///
/// Two things differ from the paper. h_i is the norm of row i of the Gauss-Newton matrix (of the
/// Hessian where there is none), not its diagonal: for random signs z, E[(G z)_i^2] = |G_i|^2, one
/// product a mini-batch and no bias. The diagonal knows nothing of other parameters that move at
/// the same time; with mini-batches, where g^2 / v is near 1, such steps overshoot. And no memory
/// falls below `memory`: at 1 the mean of g would be g itself and g^2 / v = 1 for ever after.
class VarianceSgd final : public Walker {
 public:
  explicit VarianceSgd(const Settings& settings)
      : global_(settings.choice("rates") == "global"),
        slow_start_(settings.count("slow-start")),
        caution_(settings.number("caution")),
        every_(settings.count("every")),
        least_memory_(settings.number("memory")) {}

  StepReport step(Evaluator& evaluator, Iterate& iterate) override {
    const std::size_t n = iterate.w.size();
    if (mean_.empty() && !start(evaluator, iterate)) return {.not_finite = true};
    if (!observe(evaluator, iterate, count_)) return {.not_finite = true};
    ++count_;
    double signal = 0, noise = 0, largest = 0;
    for (std::size_t i = 0; i < n; ++i) {
      const double keep = 1 - 1 / memory_[i], take = 1 / memory_[i], g = iterate.gradient[i];
      mean_[i] = keep * mean_[i] + take * g;
      square_[i] = keep * square_[i] + take * g * g;
      if (fresh_curvature_) bend_[i] = keep * bend_[i] + take * bend_of(i);
      signal += mean_[i] * mean_[i];
      noise += square_[i];
      largest = std::max(largest, bend_[i]);
    }
    const double least = 1e-3 * std::sqrt(largest);
    const double share = noise > 0 ? std::min(signal / noise, 1.0) : 0;
    double moved = 0, rates = 0;
    for (std::size_t i = 0; i < n; ++i) {
      double ratio = square_[i] > 0 ? std::min(mean_[i] * mean_[i] / square_[i], 1.0) : 0;
      if (global_) ratio = share;
      const double h = global_ ? largest : std::max(std::sqrt(bend_[i]), least);
      const double rate = h > 0 ? scale_ * ratio / h : 0;
      const double step = rate * iterate.gradient[i];
      iterate.w[i] -= step;
      moved += step * step;
      rates += rate;
      memory_[i] = std::max((1 - ratio) * memory_[i] + 1, least_memory_);
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
  // Value, gradient and, every `every` mini-batches, a product with random signs.
  bool observe(Evaluator& evaluator, Iterate& iterate, std::int64_t index) {
    fresh_curvature_ = index % every_ == 0 || bend_.empty();
    return observe_minibatch(evaluator, iterate, index, CurvatureKind::gauss_newton_if_any, 1,
                             fresh_curvature_ ? &probe_ : nullptr);
  }

  // What bend_ is the running mean of, from probe_ = z o G z.
  [[nodiscard]] double bend_of(std::size_t i) const {
    return global_ ? std::fabs(probe_[i]) : probe_[i] * probe_[i];
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
        bend[i] += share * bend_of(i);
      }
    }
    for (double& v : square) v *= caution_;
    mean_ = std::move(mean);
    square_ = std::move(square);
    bend_ = std::move(bend);
    memory_.assign(n, std::max(static_cast<double>(slow_start_), least_memory_));
    return true;
  }

  bool global_;
  std::int64_t slow_start_;
  double caution_;
  std::int64_t every_, count_ = 0;
  double least_memory_;
  double scale_ = 1;
  bool fresh_curvature_ = false;
  Vector mean_, square_, bend_, memory_, probe_;
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
                           {.name = "every",
                            .text = "mini-batches between two estimates of the curvature",
                            .default_value = 1,
                            .lower = 1},
                           {.name = "memory",
                            .text = "least memory of the running means, in mini-batches",
                            .default_value = 5,
                            .lower = 1}}},
      .start = start_walker<VarianceSgd>};
  return method;
}

}  // namespace kappa
