#include "minimize/evaluator.h"

namespace kappa {
namespace {

double seconds_since(Evaluator::Clock::time_point begin) {
  return std::chrono::duration<double>(Evaluator::Clock::now() - begin).count();
}

// Work relative to one gradient; see EvaluationCounts::gradient_equivalents.
constexpr double kValueWork = 1.0 / 3;
constexpr double kProductWork = 2;
constexpr double kKroneckerWork = 1.5;

}  // namespace

Evaluator::Evaluator(const Problem& problem, const MinimizeOptions& options)
    : problem_(problem),
      options_(options),
      dimension_(problem.dimension()),
      num_samples_(problem.num_samples()),
      seed_(options.seed),
      minibatches_(num_samples_, options.minibatch, options.seed),
      begin_(Clock::now()),
      last_progress_(begin_) {}

template <class Work>
void Evaluator::timed(double& seconds, Work&& work) {
  end_step_if_needed();
  const auto begin = Clock::now();
  work();
  seconds += seconds_since(begin);
}

double Evaluator::share(Samples samples) const {
  return samples.empty() || num_samples_ == 0
             ? 1.0
             : static_cast<double>(samples.size()) / static_cast<double>(num_samples_);
}

double Evaluator::value(const double* w, Samples samples) {
  double result = 0;
  timed(counts_.value_seconds, [&] { result = problem_.value(w, samples); });
  ++counts_.num_values;
  counts_.gradient_equivalents += kValueWork * share(samples);
  return result;
}

double Evaluator::gradient(const double* w, double* gradient, Samples samples) {
  double result = 0;
  timed(counts_.gradient_seconds, [&] { result = problem_.gradient(w, gradient, samples); });
  ++counts_.num_gradients;
  counts_.gradient_equivalents += share(samples);
  return result;
}

std::vector<KroneckerBlock> Evaluator::kronecker_blocks(const double* w, Samples samples,
                                                        std::uint64_t stream) {
  const auto* source = dynamic_cast<const KroneckerSource*>(&problem_);
  if (source == nullptr) return {};
  std::vector<KroneckerBlock> blocks;
  timed(counts_.gradient_seconds,
        [&] { blocks = source->kronecker_blocks(w, samples, seed_, stream); });
  if (!blocks.empty()) counts_.gradient_equivalents += kKroneckerWork * share(samples);
  return blocks;
}

void Evaluator::hessian(const double* w, double* hessian) {
  timed(counts_.hessian_seconds, [&] { problem_.hessian(w, hessian); });
  ++counts_.num_hessians;
  counts_.gradient_equivalents += kProductWork * static_cast<double>(dimension_);
}

void Evaluator::residuals(const double* w, double* residuals) {
  timed(counts_.residual_seconds, [&] { problem_.residuals(w, residuals); });
  ++counts_.num_residuals;
  counts_.gradient_equivalents += kValueWork;
}

void Evaluator::jacobian(const double* w, double* residuals, double* jacobian) {
  timed(counts_.jacobian_seconds, [&] { problem_.residual_jacobian(w, residuals, jacobian); });
  ++counts_.num_jacobians;
  counts_.gradient_equivalents +=
      kProductWork * static_cast<double>(std::min(dimension_, problem_.num_residuals()));
}

Evaluator::Curvature::Curvature(Evaluator& evaluator, const double* w, Samples samples)
    : evaluator_(evaluator), share_(evaluator.share(samples)) {
  evaluator.timed(evaluator.counts_.gradient_seconds,
                  [&] { linearization_ = evaluator.problem_.linearize(w, samples); });
  ++evaluator.counts_.num_gradients;
  evaluator.counts_.gradient_equivalents += share_;
}

double Evaluator::Curvature::value() const {
  double value = 0;
  evaluator_.timed(evaluator_.counts_.gradient_seconds, [&] { value = linearization_->value(); });
  return value;
}

std::span<const double> Evaluator::Curvature::gradient() const {
  std::span<const double> gradient;
  evaluator_.timed(evaluator_.counts_.gradient_seconds,
                   [&] { gradient = linearization_->gradient(); });
  return gradient;
}

void Evaluator::Curvature::hessian_product(const double* directions, double* products,
                                           std::int64_t k) const {
  evaluator_.timed(evaluator_.counts_.hvp_seconds,
                   [&] { linearization_->hessian_product(k, directions, products); });
  evaluator_.counts_.num_hvps += k;
  evaluator_.counts_.gradient_equivalents += kProductWork * static_cast<double>(k) * share_;
}

void Evaluator::Curvature::gauss_newton_product(const double* directions, double* products,
                                                std::int64_t k) const {
  evaluator_.timed(evaluator_.counts_.hvp_seconds,
                   [&] { linearization_->gauss_newton_product(k, directions, products); });
  evaluator_.counts_.num_hvps += k;
  evaluator_.counts_.gradient_equivalents += kProductWork * static_cast<double>(k) * share_;
}

Evaluator::Factorization::~Factorization() {
  ++evaluator_.counts_.num_factorizations;
  evaluator_.counts_.factorization_seconds += seconds_since(begin_);
}

double Evaluator::seconds() const { return seconds_before_ + seconds_since(begin_); }

bool Evaluator::time_is_up() const {
  return options_.max_seconds > 0 && seconds() >= options_.max_seconds;
}

bool Evaluator::must_end() {
  if (!stop_requested_ && options_.progress) {
    const auto now = Clock::now();
    if (now - last_progress_ > std::chrono::milliseconds(100)) {
      last_progress_ = now;
      stop_requested_ = !options_.progress(progress);
    }
  }
  return stop_requested_ || time_is_up();
}

void Evaluator::end_step_if_needed() {
  if (interruptible_ && must_end()) throw RunMustEnd{};
}

}  // namespace kappa
