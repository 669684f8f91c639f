#include "minimize/residual_region.h"

#include <algorithm>

namespace kappa {

StepReport ResidualRegion::step(Evaluator& evaluator, Iterate& iterate) {
  if (!model_.finite) model_.linearize(evaluator, iterate.w, scale_);
  if (!model_.finite) return {.not_finite = true};
  const auto stalled = [&] {
    return StepReport{.moved = false, .critical = offset_criterion(model_, true)};
  };
  if (model_.residual_norm == 0) return stalled();
  const double size = scaled_norm(scale_, iterate.w);
  if (!(radius_ > 0)) radius_ = factor_ * (size > 0 ? size : 1);
  const double start = model_.residual_norm * model_.residual_norm;
  const double noise = kResidualRounding * start;
  prepare(model_);
  Vector trial(iterate.w.size());
  int polishes = 0;
  for (int tries = 0; tries < 200; ++tries) {
    const Proposal proposal = propose(model_, radius_);
    const double predicted = proposal.predicted;
    for (std::size_t i = 0; i < trial.size(); ++i) {
      const double d = scale_[i];
      trial[i] = iterate.w[i] + (d > 0 ? proposal.y(static_cast<Eigen::Index>(i)) / d : 0);
    }
    if (trial == iterate.w || !(predicted > 0)) return stalled();
    Outcome outcome{.before = start,
                    .after = sum_of_squares(evaluator, trial, residuals_),
                    .length = proposal.y.norm()};
    outcome.ratio = (start - outcome.after) / predicted;
    const bool resolved = outcome.ratio >= 1e-4 && predicted > kMinDecrease * start;
    if (resolved || (predicted <= noise && outcome.after <= start + noise)) {
      LeastSquaresModel next;
      Vector scale = scale_;
      next.linearize(evaluator, trial, scale);
      if (next.finite && (resolved || next.offset < kOffsetGain * model_.offset)) {
        outcome.accepted = true;
        if (resolved) radius_ = next_radius(radius_, proposal, outcome);
        const double taken = distance(trial, iterate.w);
        model_ = std::move(next);
        scale_ = std::move(scale);
        commit(evaluator.problem(), model_, trial, iterate);
        return {.step_norm = taken,
                .critical = offset_criterion(model_, false),
                .measures = {
                    {"radius", radius_}, {"damping", proposal.damping}, {"ratio", outcome.ratio}}};
      }
    }
    if (predicted <= kMinDecrease * start) {
      // A full step may overshoot where residuals are large; a shorter one need not.
      if (++polishes > kMaxPolishes) return stalled();
      radius_ = 0.3 * std::min(outcome.length, radius_);
      continue;
    }
    radius_ = next_radius(radius_, proposal, outcome);
  }
  return stalled();
}

void ResidualRegion::archive(Archive& archive) {
  archive(radius_, scale_);
  if (archive.reading()) model_.finite = false;
}

OptionInfo radius_factor_option() {
  return {.name = "factor",
          .text = "first radius in units of |D w|",
          .default_value = 1,
          .lower = 1e-6,
          .upper = 1e6};
}

}  // namespace kappa
