#include "minimize/value_watch.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

namespace kappa {
namespace {

constexpr int kMaxIdleIterations = 40;
constexpr std::int64_t kWarnedRises = 3;

double measure(const StepReport& report, std::string_view name) {
  for (const Measure& m : report.measures) {
    if (m.name == name) return m.value;
  }
  return NAN;
}

std::string rate_advice(const StepReport& report) {
  const double rate = measure(report, "learning_rate");
  const double curvature = measure(report, "curvature");
  if (!(rate * curvature > 2)) return "";
  return fmt::format("; the learning rate {:.6g} exceeds 2/curvature = {:.6g} along the step", rate,
                     2 / curvature);
}

}  // namespace

void ValueWatch::reset(double value) {
  start_value_ = last_ = value;
  rising_ = idle_ = 0;
  least_gradient_ = INFINITY;
  values_.clear();
  work_.clear();
}

std::optional<Verdict> ValueWatch::after_step(double value, double work, const StepReport& report,
                                              double start_value) {
  rising_ = value > last_ ? rising_ + 1 : 0;
  last_ = value;
  values_.push_back(value);
  work_.push_back(work);
  if (options_.value_floor != 0 && value <= options_.value_floor) {
    return verdict(MinimizeStatus::diverged, "value_floor", value, options_.value_floor,
                   "f falls without bound");
  }
  // Momentum rises for about 1 / (1 - momentum) iterations before it falls.
  const double momentum = measure(report, "momentum");
  const double allowed = static_cast<double>(options_.max_rising_iterations) *
                         (momentum > 0 && momentum < 1 ? 1 / (1 - momentum) : 1);
  if (allowed > 0 && static_cast<double>(rising_) >= allowed &&
      value > start_value + 10 * std::fabs(start_value)) {
    return verdict(MinimizeStatus::diverged, "rising_iterations", static_cast<double>(rising_),
                   allowed,
                   fmt::format("f rose {} times in a row to {:.6g}, above its start {:.6g}{}",
                               rising_, value, start_value, rate_advice(report)));
  }
  return {};
}

std::string ValueWatch::warning(const StepReport& report) const {
  if (rising_ != kWarnedRises) return "";
  const std::string advice = rate_advice(report);
  return advice.empty() ? "" : fmt::format("f rose {} times in a row{}", kWarnedRises, advice);
}

std::optional<Verdict> ValueWatch::small_change(double step_norm, std::span<const double> w) const {
  const std::size_t k = values_.size();
  if (options_.value_tolerance > 0 && k > 1) {
    const double f = values_[k - 1], before = values_[k - 2];
    const double change = std::fabs(f - before) / std::max(std::fabs(f), std::fabs(before));
    if (!(change > options_.value_tolerance)) {
      return verdict(MinimizeStatus::stalled, "value_tolerance", change, options_.value_tolerance);
    }
  }
  if (options_.step_tolerance > 0) {
    const double change = step_norm / norm(w);
    if (!(change > options_.step_tolerance)) {
      return verdict(MinimizeStatus::stalled, "step_tolerance", change, options_.step_tolerance);
    }
  }
  return {};
}

bool ValueWatch::idle(double gradient) {
  const std::size_t k = values_.size();
  const double before = k > 1 ? values_[k - 2] : start_value_;
  idle_ = values_.back() < before || gradient < least_gradient_ ? 0 : idle_ + 1;
  least_gradient_ = std::min(least_gradient_, gradient);
  if (idle_ < kMaxIdleIterations) return false;
  idle_ = 0;
  return true;
}

bool ValueWatch::on_plateau(std::int64_t window) const {
  const auto size = static_cast<std::int64_t>(values_.size());
  if (options_.plateau <= 0 || window <= 0 || size <= window) return false;
  const double before = values_[static_cast<std::size_t>(size - 1 - window)];
  return before - values_.back() <= options_.plateau * std::fabs(before);
}

std::optional<double> ValueWatch::gain(std::int64_t window) const {
  const auto size = static_cast<std::int64_t>(values_.size());
  if (window <= 0 || size <= window) return {};
  const auto first = static_cast<std::size_t>(size - 1 - window);
  return (values_[first] - values_.back()) / (work_.back() - work_[first]);
}

}  // namespace kappa
