#pragma once

#include "minimize/method.h"

namespace kappa {

/// What a step of the quadratic model at w is worth, measured: s minimises g's + s'Hs/2 by at most
/// 10 conjugate-gradient steps on all samples within |s| <= max(1, |w|/10).
struct ModelTrial {
  double predicted = 0;  ///< decrease in the model
  double actual = 0;     ///< f(w) - f(w + s)
  double work = 0;       ///< gradient-equivalents that it took

  /// The rule by which one method gives way to the next: the model is right (the actual decrease is
  /// at least a quarter of the predicted) and gains more per gradient-equivalent than `gain`, what
  /// the method at work gained lately.
  [[nodiscard]] bool predicts_better(double gain) const {
    return actual >= 0.25 * predicted && actual > gain * work && actual > 0;
  }
};

ModelTrial try_model(Evaluator& evaluator, const Iterate& iterate);

}  // namespace kappa
