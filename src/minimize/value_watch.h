#pragma once

#include <optional>
#include <string>

#include "minimize/method.h"
#include "minimize/verdict.h"

namespace kappa {

/// Follows the values of f along one stage of a run and says when they end it: rising without end,
/// below the floor, changing too little, or on a plateau.
class ValueWatch {
 public:
  explicit ValueWatch(const MinimizeOptions& options) : options_(options) {}

  /// A stage begins at this value.
  void reset(double value);

  /// The value after a step. A verdict where it fell below value_floor, or rose
  /// max_rising_iterations times in a row (with momentum b divided by 1 - b) to 10 |f(start)| above
  /// f(start).
  std::optional<Verdict> after_step(double value, double work, const StepReport& report,
                                    double start_value);
  /// A sentence for people where f has just risen for the third time and the rate is why.
  [[nodiscard]] std::string warning(const StepReport& report) const;

  /// value_tolerance and step_tolerance, each where it is on.
  [[nodiscard]] std::optional<Verdict> small_change(double step_norm,
                                                    std::span<const double> w) const;

  /// Whether neither f nor the gradient has reached a new low for 40 steps: a monotone method then
  /// works at rounding level.
  bool idle(double gradient);

  /// Whether f fell by no more than the share `plateau` of |f| over the last `window` steps.
  [[nodiscard]] bool on_plateau(std::int64_t window) const;

  /// Decrease of f per gradient-equivalent over the last `window` steps; nothing before there were
  /// so many.
  [[nodiscard]] std::optional<double> gain(std::int64_t window) const;

  void archive(Archive& archive) {
    archive(start_value_, last_, rising_, idle_, least_gradient_, values_, work_);
  }

 private:
  const MinimizeOptions& options_;
  double start_value_ = 0, last_ = 0;  // of the stage; after the last step
  std::int64_t rising_ = 0;
  int idle_ = 0;
  double least_gradient_ = INFINITY;
  Vector values_, work_;  // after every step of the stage
};

}  // namespace kappa
