#pragma once

#include <cmath>

#include "minimize/method.h"

namespace kappa {

/// What the methods that divide by an estimate of the Hessian's diagonal share: a Hutchinson probe
/// every `every` mini-batches, the mean gradient m <- b1 m + (1-b1) g, and the step
/// w <- w - a (direction + decay w), a the rate of the epoch.
class DiagonalWalker : public Walker {
 protected:
  explicit DiagonalWalker(const Settings& settings);

  struct Observation {
    bool finite = false;
    bool probed = false;  ///< probe_ is new
    double rate = 0;
  };
  /// Value, gradient and, when it is time, a probe of the next mini-batch.
  Observation observe(Evaluator& evaluator, Iterate& iterate);

  /// Blends the gradient into the mean and steps along direction(i) for every i; returns |step|.
  template <class Direction>
  double walk(Iterate& iterate, double rate, Direction&& direction) {
    double moved = 0;
    for (std::size_t i = 0; i < iterate.w.size(); ++i) {
      mean_[i] = b1_ * mean_[i] + (1 - b1_) * iterate.gradient[i];
      const double step = rate * (direction(i) + weight_decay_ * iterate.w[i]);
      iterate.w[i] -= step;
      moved += step * step;
    }
    return std::sqrt(moved);
  }

  double rate_, b1_, b2_;
  std::int64_t every_, count_ = 0;  // mini-batches seen
  Vector mean_, probe_;

 private:
  double weight_decay_, rate_decay_;
};

}  // namespace kappa
