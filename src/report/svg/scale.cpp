#include "report/svg/scale.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace kappa {

Scale::Scale(double low, double high, double from, double to, bool log)
    : low_(low), high_(high), from_(from), to_(to), log_(log) {
  if (low_ == high_) {
    const double pad = log ? 0 : (low_ == 0 ? 1 : 0.1 * std::fabs(low_));
    low_ = log ? low_ / 2 : low_ - pad;
    high_ = log ? high_ * 2 : high_ + pad;
  }
}

double Scale::operator()(double value) const {
  const double share =
      log_ ? std::log(value / low_) / std::log(high_ / low_) : (value - low_) / (high_ - low_);
  return from_ + share * (to_ - from_);
}

std::vector<double> Scale::ticks(int room) const {
  std::vector<double> list;
  if (log_) {
    const double first = std::ceil(std::log10(low_) - 1e-9);
    const double last = std::floor(std::log10(high_) + 1e-9);
    if (last - first >= 1) {
      const double every = std::max(1.0, std::ceil((last - first + 1) / room));
      for (double k = first; k <= last; k += every) list.push_back(std::pow(10, k));
      return list;
    }
  }
  const double raw = (high_ - low_) / std::max(room, 1);
  const double power = std::pow(10, std::floor(std::log10(raw)));
  const double ratio = raw / power;
  const double step = power * (ratio >= 7.07 ? 10 : ratio >= 3.16 ? 5 : ratio >= 1.41 ? 2 : 1);
  for (double k = std::ceil(low_ / step - 1e-9); k * step <= high_ + 1e-9 * step; ++k) {
    if (list.size() > 100) break;
    if (!log_ || k > 0) list.push_back(k * step);
  }
  return list;
}

std::string tick_text(double value) {
  std::string text = fmt::format("{:.4g}", value == 0 ? 0.0 : value);
  if (!text.empty() && text[0] == '-') text.replace(0, 1, "\u2212");
  return text;
}

}  // namespace kappa
