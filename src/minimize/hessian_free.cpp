#include <algorithm>
#include <cmath>

#include "minimize/hutchinson.h"
#include "minimize/kronecker_preconditioner.h"
#include "minimize/method.h"

namespace kappa {
namespace {

/// Hessian-free optimisation (Martens 2010): conjugate gradients on (G + damping I) s = -g, G the
/// Gauss-Newton matrix of a mini-batch, g the gradient of all samples.
///
/// CG starts from the step before, times the factor that the model likes best, at most 0.95
/// (section 4.5). Its iterates at i = 1.3^j are kept, the best of them is taken and shortened until
/// f falls enough (4.6); f is tried on them as they come, not afterwards. CG stops at the first of
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
/// Damping (4.1), by the ratio of true to predicted decrease: times 3/2 where that of the iterate
/// taken is below 1/4 or that of the last one negative; else divided by 3/2 where the former is
/// above 3/4 (by 4 above 1, where the damped model falls short of f) and the latter not below 1/4.
/// By the last iterate alone, networks are overdamped; by the one taken, badly scaled problems
/// drift to no damping. It starts at 1/10 of the curvature along the gradient (the paper tunes it).
///
/// CG is preconditioned by the Kronecker-factored inverse of G + damping I (Martens & Grosse 2015)
/// where the problem knows dense layers in itself: on the deep autoencoder 10 products then reach
/// what 35 to 80 reach without. The factors are of the mini-batch of the curvature, looked at and
/// inverted once every `refresh` steps. `diagonal` is the preconditioner of 4.7, (d +
/// damping)^0.75; for want of gradients of single samples d is a running Hutchinson estimate of
/// diag G, whose noise costs more products than it saves. Memory: about 15 + log_1.3(max-products)
/// vectors, and 3 (rows^2 + columns^2) numbers a dense layer.
class HessianFree final : public Walker {
 public:
  explicit HessianFree(const Settings& settings)
      : damping_(settings.number("damping")),
        max_products_(settings.count("max-products")),
        decay_(settings.number("start-decay")),
        kronecker_wanted_(settings.choice("preconditioner") == "kronecker"),
        diagonal_wanted_(settings.choice("preconditioner") == "diagonal"),
        refresh_(settings.count("refresh")),
        batches_per_step_(settings.count("batches")) {}

  StepReport step(Evaluator& evaluator, Iterate& iterate) override {
    const std::size_t n = iterate.w.size();
    trial_.w.resize(n);
    trial_.gradient.resize(n);
    const auto samples = curvature_samples(evaluator);
    const auto curvature = evaluator.linearize(iterate.w.data(), samples);
    if (!(damping_ > 0)) damping_ = first_damping(curvature, iterate.gradient);
    prepare(evaluator, iterate, samples, curvature);
    const std::int64_t products = conjugate_gradients(evaluator, iterate, curvature);
    ++count_;
    const auto chosen = std::ranges::min_element(trials_, {}, &Trial::value);
    double best = chosen->value;
    const auto ratio_of = [&](const Trial& t) { return (t.value - iterate.value) / t.model; };
    const double ratio = ratio_of(*chosen), last_ratio = ratio_of(trials_.back());
    const double old_damping = damping_;
    if (!(ratio >= 0.25) || !(last_ratio >= 0)) {
      damping_ *= 1.5;
    } else if (ratio > 0.75 && last_ratio >= 0.25) {
      damping_ /= ratio > 1 ? 4 : 1.5;
    }
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
    archive(damping_, count_, estimates_, start_, diagonal_, kronecker_, rejected_);
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

  void prepare(Evaluator& evaluator, const Iterate& iterate,
               const std::vector<std::int64_t>& samples, const Evaluator::Curvature& curvature) {
    const std::size_t n = iterate.w.size();
    start_.resize(n, 0.0);
    if (kronecker_wanted_ && count_ % refresh_ == 0) {
      kronecker_.observe(evaluator.kronecker_blocks(iterate.w.data(), samples,
                                                    static_cast<std::uint64_t>(count_)));
      kronecker_.factorize(damping_);
    }
    if (!diagonal_wanted_) return;
    inverse_.assign(n, 1.0);
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

  // M^-1 r: r itself where there is no preconditioner, else written into z_.
  const Vector& preconditioned(const Vector& r) {
    if (!diagonal_wanted_ && kronecker_.empty()) return r;
    z_.resize(r.size());
    if (diagonal_wanted_) {
      for (std::size_t i = 0; i < r.size(); ++i) z_[i] = inverse_[i] * r[i];
    } else {
      kronecker_.apply(r, z_);
    }
    return z_;
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
    Vector &x = x_, &r = r_, &d = d_;
    x = start;
    for (Vector* v : {&r_, &d_, &product_}) v->resize(n);
    for (Trial& trial : trials_) spare_.push_back(std::move(trial.step));
    trials_.clear();
    model_.clear();
    // out = A v; returns v'A v.
    const auto apply = [&](const Vector& v, Vector& out) {
      curvature.gauss_newton_product(v.data(), out.data());
      ++products;
      return axpy_dot(damping_, v, out, v);
    };
    if (max_abs(x) > 0) {
      // As much of it as the model likes: phi(a x) is least at a = -g'x / x'A x.
      const double bend = apply(x, r);
      const double share = bend > 0 ? std::clamp(-dot(gradient, x) / bend, 0.0, 1.0) : 0;
      for (double& v : x) v *= share;
      for (std::size_t i = 0; i < n; ++i) r[i] = share * r[i] + gradient[i];
    } else {
      r = gradient;  // residual A x + g
    }
    const Vector& first = preconditioned(r);
    for (std::size_t i = 0; i < n; ++i) d[i] = -first[i];
    double square = dot(r, first);
    std::int64_t next_kept = 1, last_kept = 0;
    // Tries x; false where f rose.
    const auto keep = [&] {
      const double f = value_at(evaluator, iterate, x), before = last_value();
      Vector step;
      if (!spare_.empty()) {
        step = std::move(spare_.back());
        spare_.pop_back();
      }
      step = x;
      trials_.push_back({std::move(step), model_.empty() ? -0.5 * square : model_.back(), f});
      return f < before;
    };
    for (std::int64_t i = 1; i <= max_products_ && square > 0; ++i) {
      const double bend = apply(d, product_);
      if (!(bend > 0) || !std::isfinite(bend)) break;
      model_.push_back(0.5 * advance(square / bend, gradient));
      if (i == next_kept) {
        if (!keep()) return;
        last_kept = i;
        next_kept = static_cast<std::int64_t>(std::ceil(1.3 * static_cast<double>(i)));
      }
      if (little_progress(i)) break;
      const Vector& z = preconditioned(r);
      const double new_square = dot(r, z);
      if (new_square <= 1e-30 * square && i > 1) break;
      const double b = new_square / square;
      for (std::size_t j = 0; j < n; ++j) d[j] = b * d[j] - z[j];
      square = new_square;
    }
    if (trials_.empty() || static_cast<std::int64_t>(model_.size()) > last_kept) keep();
  }

  // x += a d and r += a product; returns (r + g)'x, twice the model at x. One pass over memory,
  // summed as dot() does.
  double advance(double a, const Vector& gradient) {
    double sum[8] = {};
    const auto at = [&](std::size_t i, double& into) {
      x_[i] += a * d_[i];
      r_[i] += a * product_[i];
      into += (r_[i] + gradient[i]) * x_[i];
    };
    const std::size_t n = x_.size(), whole = n / 8 * 8;
    for (std::size_t i = 0; i < whole; i += 8) {
      for (std::size_t j = 0; j < 8; ++j) at(i + j, sum[j]);
    }
    for (std::size_t i = whole; i < n; ++i) at(i, sum[i - whole]);
    return ((sum[0] + sum[4]) + (sum[2] + sum[6])) + ((sum[1] + sum[5]) + (sum[3] + sum[7]));
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
  bool kronecker_wanted_, diagonal_wanted_;
  std::int64_t refresh_, batches_per_step_, count_ = 0, estimates_ = 0;
  int rejected_ = 0;
  KroneckerPreconditioner kronecker_;
  Vector start_, diagonal_, inverse_;
  Vector x_, r_, z_, d_, product_;  // of CG; memory kept from step to step
  std::vector<Trial> trials_;
  std::vector<Vector> spare_;
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
                            .text = "largest share of the last solution that CG starts from",
                            .default_value = 0.95,
                            .lower = 0,
                            .upper = 1},
                           {.name = "preconditioner",
                            .text = "preconditioner of CG (kronecker: of dense layers, if any)",
                            .choices = {"kronecker", "none", "diagonal"}},
                           {.name = "refresh",
                            .text = "steps from one look at the Kronecker factors to the next",
                            .default_value = 5,
                            .lower = 1},
                           {.name = "batches",
                            .text = "mini-batches that make up the curvature of a step",
                            .default_value = 1,
                            .lower = 1}}},
      .start = start_walker<HessianFree>,
      .monotone = true};
  return method;
}

}  // namespace kappa
