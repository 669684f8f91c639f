#include "minimize/radius.h"

#include <algorithm>
#include <limits>

namespace kappa {
namespace {

double scaled_norm(std::span<const double> gradient, std::span<const double> scale) {
  if (scale.empty()) return norm(gradient);
  double sum = 0;
  for (std::size_t i = 0; i < gradient.size(); ++i) {
    sum += gradient[i] / scale[i] * (gradient[i] / scale[i]);
  }
  return std::sqrt(sum);
}

}  // namespace

Judgement judge_trial(Evaluator& evaluator, const Iterate& from, Iterate& trial, double predicted,
                      double length, double& radius, std::span<const double> scale,
                      std::optional<Evaluator::Curvature>* curvature) {
  Judgement judgement;
  const double rounding = 8 * std::numeric_limits<double>::epsilon() * std::fabs(from.value);
  if (trial.w == from.w || !(predicted > 0)) {
    judgement.hopeless = true;
    return judgement;
  }
  trial.value = evaluator.value(trial.w.data());
  if (!std::isfinite(trial.value)) {
    radius = 0.1 * std::min(length, radius);
    return judgement;
  }
  const double decrease = from.value - trial.value;
  judgement.ratio = decrease / predicted;
  const bool resolved = predicted > rounding;
  const bool enough = resolved ? judgement.ratio >= 1e-4 && decrease > 0 : decrease >= -rounding;
  if (enough) {
    if (curvature == nullptr) {
      trial.value = evaluator.gradient(trial.w.data(), trial.gradient.data());
    } else {
      curvature->reset();  // never two at once: one may hold much
      curvature->emplace(evaluator.linearize(trial.w.data()));
      trial.value = (*curvature)->value();
      std::ranges::copy((*curvature)->gradient(), trial.gradient.begin());
    }
    judgement.accepted = trial.finite();
    if (judgement.accepted && !resolved) {
      judgement.accepted = scaled_norm(trial.gradient, scale) < scaled_norm(from.gradient, scale);
      judgement.hopeless = !judgement.accepted;
    }
    if (!judgement.accepted && curvature != nullptr) curvature->reset();
  } else if (!resolved) {
    judgement.hopeless = true;
  }
  if (judgement.accepted && !resolved) return judgement;
  if (!judgement.accepted || judgement.ratio < 0.25) {
    radius = 0.25 * std::min(length, radius);
  } else if (judgement.ratio > 0.75 && length > 0.8 * radius) {
    radius *= 2;
  }
  return judgement;
}

}  // namespace kappa
