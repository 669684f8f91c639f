#pragma once

#include <cmath>
#include <cstdint>

namespace kappa {

/// Mean and its standard error of a sequence, in one stable pass (Welford, Technometrics 4, 1962).
class RunningMean {
 public:
  void add(double x) {
    ++count_;
    const double delta = x - mean_;
    mean_ += delta / static_cast<double>(count_);
    squares_ += delta * (x - mean_);
  }
  [[nodiscard]] std::int64_t count() const { return count_; }
  [[nodiscard]] double mean() const { return mean_; }
  /// Sample standard deviation / sqrt(count); 0 for fewer than two.
  [[nodiscard]] double standard_error() const {
    if (count_ < 2) return 0;
    return std::sqrt(squares_ / static_cast<double>(count_ - 1) / static_cast<double>(count_));
  }

 private:
  std::int64_t count_ = 0;
  double mean_ = 0, squares_ = 0;
};

}  // namespace kappa
