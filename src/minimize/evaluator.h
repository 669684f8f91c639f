#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "base/kronecker.h"
#include "kappa/minimize.h"
#include "minimize/minibatches.h"

namespace kappa {

/// Thrown by an Evaluator in the middle of a step when the run must end; caught by the driver.
struct RunMustEnd {};

/// The only way from a method to the problem: counts and times every evaluation, and ends a step
/// when time is up or the user wants to stop.
class Evaluator {
 public:
  using Samples = Problem::Samples;
  using Clock = std::chrono::steady_clock;

  /// A linearization whose products are counted.
  class Curvature {
   public:
    Curvature(Evaluator& evaluator, const double* w, Samples samples);
    /// Timed as gradients: an objective may put the work off until it is asked.
    [[nodiscard]] double value() const;
    [[nodiscard]] std::span<const double> gradient() const;
    void hessian_product(const double* directions, double* products, std::int64_t k = 1) const;
    void gauss_newton_product(const double* directions, double* products, std::int64_t k = 1) const;
    [[nodiscard]] const Linearization& linearization() const { return *linearization_; }

   private:
    Evaluator& evaluator_;
    std::unique_ptr<Linearization> linearization_;
    double share_;
  };

  /// Times a factorisation from construction to destruction.
  class Factorization {
   public:
    explicit Factorization(Evaluator& evaluator) : evaluator_(evaluator), begin_(Clock::now()) {}
    Factorization(const Factorization&) = delete;
    Factorization& operator=(const Factorization&) = delete;
    ~Factorization();

   private:
    Evaluator& evaluator_;
    Clock::time_point begin_;
  };

  Evaluator(const Problem& problem, const MinimizeOptions& options);

  [[nodiscard]] const Problem& problem() const { return problem_; }
  [[nodiscard]] std::int64_t dimension() const { return dimension_; }
  [[nodiscard]] std::size_t size() const { return static_cast<std::size_t>(dimension_); }
  [[nodiscard]] std::uint64_t seed() const { return seed_; }
  /// max |g_i| at which the run counts as converged; 0 where that criterion is off.
  [[nodiscard]] double gradient_tolerance() const {
    constexpr double kDefault = 1e-8;
    return options_.gradient_tolerance.value_or(kDefault);
  }
  Minibatches& minibatches() { return minibatches_; }
  /// Whether mini-batches were asked for (the stochastic methods take some in any case).
  [[nodiscard]] bool minibatch_given() const { return options_.minibatch > 0; }

  double value(const double* w, Samples samples = {});
  double gradient(const double* w, double* gradient, Samples samples = {});
  Curvature linearize(const double* w, Samples samples = {}) { return {*this, w, samples}; }
  /// Of a KroneckerSource, else none.
  std::vector<KroneckerBlock> kronecker_blocks(const double* w, Samples samples,
                                               std::uint64_t stream);
  void hessian(const double* w, double* hessian);
  void residuals(const double* w, double* residuals);
  void jacobian(const double* w, double* residuals, double* jacobian);

  EvaluationCounts& counts() { return counts_; }
  [[nodiscard]] const EvaluationCounts& counts() const { return counts_; }
  /// Seconds of this run, those before a resumption included.
  [[nodiscard]] double seconds() const;
  void add_seconds(double seconds) { seconds_before_ += seconds; }

  /// Asks the progress callback (at most ten times a second) and the clock.
  [[nodiscard]] bool must_end();
  [[nodiscard]] bool stop_requested() const { return stop_requested_; }
  [[nodiscard]] bool time_is_up() const;
  void request_stop() { stop_requested_ = true; }
  /// Whether a step may be cut short by RunMustEnd; returns what held before.
  bool set_interruptible(bool interruptible) {
    return std::exchange(interruptible_, interruptible);
  }
  /// What the progress callback is told.
  Progress progress;

 private:
  double share(Samples samples) const;
  void end_step_if_needed();
  template <class Work>
  void timed(double& seconds, Work&& work);

  const Problem& problem_;
  const MinimizeOptions& options_;
  std::int64_t dimension_, num_samples_;
  std::uint64_t seed_;
  Minibatches minibatches_;
  EvaluationCounts counts_;
  Clock::time_point begin_, last_progress_;
  double seconds_before_ = 0;
  bool stop_requested_ = false;
  bool interruptible_ = true;
};

}  // namespace kappa
