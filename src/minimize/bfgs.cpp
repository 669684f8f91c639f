#include "minimize/line_search.h"

namespace kappa {
namespace {

/// BFGS on the dense inverse Hessian (Nocedal & Wright 2006, algorithm 6.1, first scaled by
/// (6.20)). Memory n^2; cost beside the gradients: 4 n^2 flops an iteration.
class Bfgs final : public Walker {
 public:
  explicit Bfgs(const Settings&) {}
  void warm_start(double step_norm) override { first_norm_ = step_norm; }

  StepReport step(Evaluator& evaluator, Iterate& iterate) override {
    const std::size_t n = iterate.w.size();
    trial_.w.resize(n);
    trial_.gradient.resize(n);
    direction_.resize(n);
    LineSearchResult found = search(evaluator, iterate);
    if (!found.decreased && !inverse_.empty()) {  // the model misleads: begin anew
      inverse_.clear();
      found = search(evaluator, iterate);
    }
    if (!found.decreased) return {.moved = false};
    const double length = found.step * norm(direction_);
    update(iterate, found.step);
    std::swap(iterate, trial_);
    return {.step_norm = length, .measures = {{"step", found.step}}};
  }

  void archive(Archive& archive) override { archive(inverse_, first_norm_); }

 private:
  std::span<double> row(std::size_t i) {
    return {&inverse_[i * direction_.size()], direction_.size()};
  }

  LineSearchResult search(Evaluator& evaluator, const Iterate& iterate) {
    const std::size_t n = direction_.size();
    double first = 1;
    if (inverse_.empty()) {
      const double length = norm(iterate.gradient);
      for (std::size_t i = 0; i < n; ++i) direction_[i] = -iterate.gradient[i];
      first = first_norm_ > 0 ? first_norm_ / length : std::min(1.0, 1 / length);
    } else {
      for (std::size_t i = 0; i < n; ++i) direction_[i] = -dot(row(i), iterate.gradient);
    }
    return wolfe_search(evaluator, iterate, direction_, first, trial_);
  }

  void update(const Iterate& from, double step) {
    const std::size_t n = direction_.size();
    Vector s(n), y(n), hy(n);
    for (std::size_t i = 0; i < n; ++i) {
      s[i] = step * direction_[i];
      y[i] = trial_.gradient[i] - from.gradient[i];
    }
    const double product = dot(s, y), square = dot(y, y);
    if (!(product > 1e-15 * std::sqrt(square) * norm(s))) return;
    if (inverse_.empty()) {
      inverse_.assign(n * n, 0.0);
      for (std::size_t i = 0; i < n; ++i) inverse_[i * n + i] = product / square;
    }
    for (std::size_t i = 0; i < n; ++i) hy[i] = dot(row(i), y);
    // H + (1 + y'Hy / s'y) s s' / s'y - (s (Hy)' + (Hy) s') / s'y
    const double factor = (1 + dot(y, hy) / product) / product;
    for (std::size_t i = 0; i < n; ++i) {
      const double a = factor * s[i] - hy[i] / product, b = s[i] / product;
      const auto h = row(i);
      for (std::size_t j = 0; j < n; ++j) h[j] += a * s[j] - b * hy[j];
    }
  }

  Vector inverse_, direction_;
  double first_norm_ = 0;
  Iterate trial_;
};

}  // namespace

KAPPA_METHOD(bfgs) {
  static const Method method{
      .info = {.name = "bfgs",
               .text = "BFGS on the dense inverse Hessian, strong Wolfe steps",
               .max_dimension = 10000},
      .start = start_walker<Bfgs>,
      .monotone = true};
  return method;
}

}  // namespace kappa
