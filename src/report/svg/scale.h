#pragma once

#include <string>
#include <vector>

namespace kappa {

/// Numbers to pixels, linear or logarithmic.
class Scale {
 public:
  Scale(double low, double high, double from, double to, bool log = false);

  [[nodiscard]] double operator()(double value) const;
  [[nodiscard]] double low() const { return low_; }
  [[nodiscard]] double high() const { return high_; }
  [[nodiscard]] double first_pixel() const { return from_; }
  [[nodiscard]] double last_pixel() const { return to_; }
  /// About `room` round numbers within: multiples of 1, 2 or 5 times a power of ten, or powers.
  [[nodiscard]] std::vector<double> ticks(int room) const;

 private:
  double low_, high_, from_, to_;
  bool log_;
};

/// At most four significant digits, a typeset minus sign.
std::string tick_text(double value);

}  // namespace kappa
