#include <algorithm>
#include <cmath>

#include "minimize/hutchinson.h"
#include "minimize/method.h"

namespace kappa {
namespace {

/// Hessian-free optimisation (Martens 2010): conjugate gradients on (G + damping I) s = -g, G the
/// Gauss-Newton matrix of a mini-batch, g the gradient of all samples.
///
/// CG starts from 0.95 times the step before (section 4.5). Its iterates at i = 1.3^j are kept, the
/// best of them is taken and shortened until f falls enough (4.6); f is tried on them as they come,
/// not afterwards. CG stops at the first of three:
///
///   f is no lower at a kept iterate than at the one before     the model has ceased to predict f
///   phi_i - phi_{i-k} > k max(5e-4, 1 / (4 i)) phi_i, phi_i < 0, i > k = max(10, i / 10)
///   i = max-products
///
/// the second being the rule of 4.4 (5e-4) and, beside it, that a product gains less than a quarter
/// of what one gained on average: without these two the first steps solve, at up to 250 products
/// each, a model that holds nowhere near the solution. Where not one iterate after a warm start is
/// below f(w), CG starts once more from 0.
///
/// Damping (4.1), by the ratio of true to predicted decrease of the last iterate: times 3/2 below
/// 1/4, divided by 3/2 above 3/4, and by 4 above 1, where the damped model falls short of f. It
/// starts at 1/10 of the curvature along the gradient (the paper tunes it a problem).
///
/// The preconditioner of 4.7, (d + damping)^0.75, is there but not the default: for want of
/// gradients of single samples d is a running Hutchinson estimate of diag G, whose noise costs more
/// products than it saves. Memory: about 15 + log_1.3(max-products) vectors.
class HessianFree final : public Walker {
 public:
  explicit HessianFree(const Settings& settings)
      : damping_(settings.number("damping")),
        max_products_(settings.count("max-products")),
        decay_(settings.number("start-decay")),
        preconditioned_(settings.choice("preconditioner") == "diagonal"),
        batches_per_step_(settings.count("batches")) {}

  StepReport step(Evaluator& evaluator, Iterate& iterate) override {
    const std::size_t n = iterate.w.size();
    trial_.w.resize(n);
    trial_.gradient.resize(n);
    const auto samples = curvature_samples(evaluator);
    const auto curvature = evaluator.linearize(iterate.w.data(), samples);
    if (!(damping_ > 0)) damping_ = first_damping(curvature, iterate.gradient);
    prepare(evaluator, curvature, n);
    const std::int64_t products = conjugate_gradients(evaluator, iterate, curvature);
    ++count_;
    const auto chosen = std::ranges::min_element(trials_, {}, &Trial::value);
    double best = chosen->value;
    // Of the last iterate, not of the one taken: damping is for the model that CG solved.
    const double ratio = (trials_.back().value - iterate.value) / trials_.back().model;
    const double old_damping = damping_;
    if (!(ratio >= 0.25)) damping_ *= 1.5;
    if (ratio > 0.75) damping_ /= ratio > 1 ? 4 : 1.5;
    const Vector& s = chosen->step;
    const double slope = dot(iterate.gradient, s);
    double a = 1;
    for (int tries = 0; !(best <= iterate.value + 1e-2 * a * slope) && tries < 60; ++tries) {
      a *= 0.8;
      add_scaled(iterate.w, a, s, trial_.w);
      best = evaluator.value(trial_.w.data());
    }
    start_ = trials_.back().step;
    if (!std::isfinite(best) || !(best < iterate.value)) {
      // Rejected: more damping, and CG afresh. A few in a row mean that nothing is to be gained.
      std::fill(start_.begin(), start_.end(), 0.0);
      damping_ = std::max(std::pow(4.0, ++rejected_) * old_damping, 1e-12);
      if (rejected_ < 12) return step(evaluator, iterate);
      rejected_ = 0;
      return {.moved = false};
    }
    rejected_ = 0;
    add_scaled(iterate.w, a, s, trial_.w);
    trial_.value = evaluator.gradient(trial_.w.data(), trial_.gradient.data());
    if (!trial_.finite()) return {.not_finite = true};
    const double length = a * norm(s);
    std::swap(iterate, trial_);
    return {.step_norm = length,
            .measures = {{"damping", old_damping},
                         {"ratio", ratio},
                         {"products", static_cast<double>(products)},
                         {"step", a}}};
  }

  bool back_up() override {
    damping_ = std::max(10 * damping_, 1e-8);
    std::fill(start_.begin(), start_.end(), 0.0);
    return damping_ < 1e12;
  }

  void archive(Archive& archive) override {
    archive(damping_, count_, estimates_, start_, diagonal_, rejected_);
  }

 private:
  std::vector<std::int64_t> curvature_samples(Evaluator& evaluator) {
    std::vector<std::int64_t> samples;
    if (!evaluator.minibatch_given() || evaluator.minibatches().num_per_epoch() == 1)
      return samples;
    for (std::int64_t k = 0; k < batches_per_step_; ++k) {
      const auto batch = evaluator.minibatches().batch(count_ * batches_per_step_ + k);
      samples.insert(samples.end(), batch.begin(), batch.end());
    }
    std::sort(samples.begin(), samples.end());
    samples.erase(std::unique(samples.begin(), samples.end()), samples.end());
    return samples;
  }

  /// A tenth of the curvature along the gradient: the same at every scale of f.
  static double first_damping(const Evaluator::Curvature& curvature, const Vector& gradient) {
    Vector product(gradient.size());
    curvature.gauss_newton_product(gradient.data(), product.data());
    const double bend = dot(gradient, product) / dot(gradient, gradient);
    return bend > 0 && std::isfinite(bend) ? 0.1 * bend : 1;
  }

  void prepare(Evaluator& evaluator, const Evaluator::Curvature& curvature, std::size_t n) {
    start_.resize(n, 0.0);
    inverse_.assign(n, 1.0);
    if (!preconditioned_) return;
    Vector probe(n);
    hutchinson_diagonal(curvature, CurvatureKind::gauss_newton, evaluator.seed(),
                        static_cast<std::uint64_t>(count_), 1, probe);
    if (!all_finite(probe)) return;
    diagonal_.resize(n, 0.0);
    const double take = std::max(0.05, 1 / (static_cast<double>(estimates_) + 1));
    ++estimates_;
    for (std::size_t i = 0; i < n; ++i) diagonal_[i] += take * (probe[i] - diagonal_[i]);
    for (std::size_t i = 0; i < n; ++i) {
      inverse_[i] = 1 / std::pow(std::max(diagonal_[i], 0.0) + damping_, 0.75);
    }
  }

  /// An iterate of CG that was kept: x, the model x'Ax/2 + g'x, and f(w + x).
  struct Trial {
    Vector step;
    double model, value;
  };

  // Fills trials_ with at least one; returns the number of products.
  std::int64_t conjugate_gradients(Evaluator& evaluator, const Iterate& iterate,
                                   const Evaluator::Curvature& curvature) {
    Vector warm(start_);
    for (double& v : warm) v *= decay_;
    std::int64_t products = 0;
    solve(evaluator, iterate, curvature, warm, products);
    if (max_abs(warm) > 0 &&
        std::ranges::none_of(trials_, [&](const Trial& t) { return t.value < iterate.value; })) {
      std::fill(warm.begin(), warm.end(), 0.0);
      solve(evaluator, iterate, curvature, warm, products);
    }
    return products;
  }

  void solve(Evaluator& evaluator, const Iterate& iterate, const Evaluator::Curvature& curvature,
             const Vector& start, std::int64_t& products) {
    const Vector& gradient = iterate.gradient;
    const std::size_t n = gradient.size();
    Vector x(start), r(n), z(n), d(n), product(n);
    trials_.clear();
    model_.clear();
    const auto apply = [&](const Vector& v, Vector& out) {
      curvature.gauss_newton_product(v.data(), out.data());
      axpy(damping_, v, out);
      ++products;
    };
    if (max_abs(x) > 0) {
      apply(x, r);
    } else {
      std::fill(r.begin(), r.end(), 0.0);
    }
    axpy(1, gradient, r);  // residual A x + g
    for (std::size_t i = 0; i < n; ++i) z[i] = inverse_[i] * r[i];
    for (std::size_t i = 0; i < n; ++i) d[i] = -z[i];
    double square = dot(r, z);
    std::int64_t next_kept = 1, last_kept = 0;
    // Tries x; false where f rose.
    const auto keep = [&] {
      const double f = value_at(evaluator, iterate, x), before = last_value();
      trials_.push_back({x, model_.empty() ? -0.5 * square : model_.back(), f});
      return f < before;
    };
    for (std::int64_t i = 1; i <= max_products_ && square > 0; ++i) {
      apply(d, product);
      const double bend = dot(d, product);
      if (!(bend > 0) || !std::isfinite(bend)) break;
      const double a = square / bend;
      axpy(a, d, x);
      axpy(a, product, r);
      model_.push_back(0.5 * (dot(r, x) + dot(gradient, x)));
      if (i == next_kept) {
        if (!keep()) return;
        last_kept = i;
        next_kept = static_cast<std::int64_t>(std::ceil(1.3 * static_cast<double>(i)));
      }
      if (little_progress(i)) break;
      for (std::size_t j = 0; j < n; ++j) z[j] = inverse_[j] * r[j];
      const double new_square = dot(r, z);
      if (new_square <= 1e-30 * square && i > 1) break;
      const double b = new_square / square;
      for (std::size_t j = 0; j < n; ++j) d[j] = b * d[j] - z[j];
      square = new_square;
    }
    if (trials_.empty() || static_cast<std::int64_t>(model_.size()) > last_kept) keep();
  }

  [[nodiscard]] double last_value() const {
    return trials_.empty() ? INFINITY : trials_.back().value;
  }

  // The second rule of the class comment, after the i-th product.
  [[nodiscard]] bool little_progress(std::int64_t i) const {
    const std::int64_t k = std::max<std::int64_t>(10, i / 10);
    if (i <= k || !(model_.back() < 0)) return false;
    const double before = model_[static_cast<std::size_t>(i - k - 1)];
    const double gain = (model_.back() - before) / model_.back() / static_cast<double>(k);
    return gain < std::max(5e-4, 0.25 / static_cast<double>(i));
  }

  double value_at(Evaluator& evaluator, const Iterate& iterate, const Vector& s) {
    add_scaled(iterate.w, 1, s, trial_.w);
    const double f = evaluator.value(trial_.w.data());
    return std::isfinite(f) ? f : INFINITY;
  }

  double damping_;
  std::int64_t max_products_;
  double decay_;
  bool preconditioned_;
  std::int64_t batches_per_step_, count_ = 0, estimates_ = 0;
  int rejected_ = 0;
  Vector start_, diagonal_, inverse_;
  std::vector<Trial> trials_;
  Vector model_;  // at every iterate of CG
  Iterate trial_;
};

}  // namespace

KAPPA_METHOD(hessian_free) {
  static const Method method{
      .info = {.name = "hessian-free",
               .text = "conjugate gradients on the damped Gauss-Newton matrix (Martens 2010)",
               .needs_gauss_newton = true,
               .default_max_iterations = 1000,
               .options = {{.name = "damping",
                            .text = "first damping (0: 1/10 of the curvature along the gradient)",
                            .default_value = 0,
                            .lower = 0},
                           {.name = "max-products",
                            .text = "products an iteration at most",
                            .default_value = 250,
                            .lower = 1},
                           {.name = "start-decay",
                            .text = "share of the last solution that CG starts from",
                            .default_value = 0.95,
                            .lower = 0,
                            .upper = 1},
                           {.name = "preconditioner",
                            .text = "preconditioner of CG",
                            .choices = {"none", "diagonal"}},
                           {.name = "batches",
                            .text = "mini-batches that make up the curvature of a step",
                            .default_value = 1,
                            .lower = 1}}},
      .start = start_walker<HessianFree>,
      .monotone = true};
  return method;
}

}  // namespace kappa
