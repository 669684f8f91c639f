#include "minimize/line_search.h"

namespace kappa {
namespace {

/// Limited-memory BFGS (Nocedal & Wright 2006, algorithms 7.4 and 7.5) with strong Wolfe steps.
/// Memory: 2 m n. Cost beside the gradients: 4 m n flops an iteration.
class LimitedMemoryBfgs final : public Walker {
 public:
  explicit LimitedMemoryBfgs(const Settings& settings)
      : memory_(static_cast<std::size_t>(settings.count("memory"))) {}

  void warm_start(double step_norm) override { first_norm_ = step_norm; }

  StepReport step(Evaluator& evaluator, Iterate& iterate) override {
    const std::size_t n = iterate.w.size();
    trial_.w.resize(n);
    trial_.gradient.resize(n);
    direction_.resize(n);
    LineSearchResult found = search(evaluator, iterate);
    if (!found.decreased && stored_ > 0) {  // the model misleads: once more along the gradient
      stored_ = 0;
      found = search(evaluator, iterate);
    }
    if (!found.decreased) return {.moved = false};
    const double length = found.step * norm(direction_);
    remember(iterate, found.step);
    std::swap(iterate, trial_);
    return {.step_norm = length, .measures = {{"step", found.step}}};
  }

  void archive(Archive& archive) override {
    archive(steps_, changes_, inverse_, stored_, newest_, scale_, first_norm_);
  }

 private:
  std::span<double> steps(std::size_t i) {
    return {&steps_[i * direction_.size()], direction_.size()};
  }
  std::span<double> changes(std::size_t i) {
    return {&changes_[i * direction_.size()], direction_.size()};
  }

  LineSearchResult search(Evaluator& evaluator, const Iterate& iterate) {
    for (std::size_t i = 0; i < direction_.size(); ++i) direction_[i] = -iterate.gradient[i];
    double first = 1;
    if (stored_ == 0) {
      const double length = norm(iterate.gradient);
      first = first_norm_ > 0 ? first_norm_ / length : std::min(1.0, 1 / length);
    } else {
      apply_inverse_hessian();
    }
    return wolfe_search(evaluator, iterate, direction_, first, trial_);
  }

  // direction <- H direction by the two-loop recursion; each update of the direction shares its
  // pass over memory with the product that follows it.
  void apply_inverse_hessian() {
    weights_.resize(memory_);
    const auto slot = [&](std::size_t k) { return (newest_ + memory_ - k) % memory_; };
    const std::size_t last = stored_ - 1;
    double product = dot(steps(slot(0)), direction_);
    for (std::size_t k = 0; k < stored_; ++k) {
      const std::size_t i = slot(k);
      weights_[i] = inverse_[i] * product;
      // After the oldest pair comes the scaling, and with it the first product of the way back.
      const auto next = k < last ? steps(slot(k + 1)) : changes(i);
      product = axpy_dot(-weights_[i], changes(i), direction_, next);
    }
    for (double& x : direction_) x *= scale_;
    product *= scale_;
    for (std::size_t k = stored_; k-- > 0;) {
      const std::size_t i = slot(k);
      const double weight = weights_[i] - inverse_[i] * product;
      if (k > 0) {
        product = axpy_dot(weight, steps(i), direction_, changes(slot(k - 1)));
      } else {
        axpy(weight, steps(i), direction_);
      }
    }
  }

  void remember(const Iterate& from, double step) {
    const std::size_t n = direction_.size();
    if (steps_.empty()) {
      steps_.resize(memory_ * n);
      changes_.resize(memory_ * n);
      inverse_.resize(memory_);
    }
    const std::size_t slot = stored_ == 0 ? 0 : (newest_ + 1) % memory_;
    const auto s = steps(slot), y = changes(slot);
    for (std::size_t i = 0; i < n; ++i) {
      s[i] = step * direction_[i];
      y[i] = trial_.gradient[i] - from.gradient[i];
    }
    const double product = dot(s, y), square = dot(y, y);
    // A Wolfe step makes s'y > 0; a step without one must not spoil the model.
    if (!(product > 1e-15 * std::sqrt(square) * norm(s))) {
      if (stored_ == memory_) --stored_;  // the oldest pair was overwritten
      return;
    }
    inverse_[slot] = 1 / product;
    scale_ = product / square;
    newest_ = slot;
    stored_ = std::min(stored_ + 1, memory_);
  }

  std::size_t memory_, stored_ = 0, newest_ = 0;
  Vector steps_, changes_, inverse_, weights_, direction_;
  double scale_ = 1, first_norm_ = 0;
  Iterate trial_;
};

}  // namespace

KAPPA_METHOD(lbfgs) {
  static const Method method{
      .info = {.name = "lbfgs",
               .text = "limited-memory BFGS with a strong Wolfe line search",
               .options = {{.name = "memory",
                            .text = "pairs of steps and gradient changes that are kept",
                            .default_value = 10,
                            .lower = 1,
                            .upper = 1000}}},
      .start = start_walker<LimitedMemoryBfgs>,
      .monotone = true};
  return method;
}

}  // namespace kappa
