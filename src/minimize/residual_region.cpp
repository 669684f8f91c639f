#include "minimize/residual_region.h"

#include <algorithm>

namespace kappa {

StepReport ResidualRegion::improve(Evaluator& evaluator, Iterate& iterate) {
  const double size = scaled_norm(scale_, iterate.w);
  if (!(radius_ > 0)) radius_ = factor_ * (size > 0 ? size : 1);
  const double start = model_.residual_norm * model_.residual_norm;
  const double noise = kResidualRounding * start;
  prepare(model_);
  int polishes = 0;
  for (int tries = 0; tries < 200; ++tries) {
    const Proposal proposal = propose(model_, radius_);
    const double predicted = proposal.predicted;
    const Vector trial = displaced(iterate.w, 1, proposal.y);
    if (trial == iterate.w || !(predicted > 0)) return stalled();
    Outcome outcome{.before = start,
                    .after = sum_of_squares(evaluator, trial, residuals_),
                    .length = proposal.y.norm()};
    outcome.ratio = (start - outcome.after) / predicted;
    const bool resolved = outcome.ratio >= 1e-4 && predicted > kMinDecrease * start;
    if (resolved || (predicted <= noise && outcome.after <= start + noise)) {
      Candidate next = linearize(evaluator, trial);
      if (next.model.finite && (resolved || next.model.offset < kOffsetGain * model_.offset)) {
        outcome.accepted = true;
        if (resolved) radius_ = next_radius(radius_, proposal, outcome);
        StepReport report = commit(evaluator, std::move(next), trial, iterate);
        report.measures = {
            {"radius", radius_}, {"damping", proposal.damping}, {"ratio", outcome.ratio}};
        return report;
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
  archive(radius_);
  LeastSquaresWalker::archive(archive);
}

OptionInfo radius_factor_option() {
  return {.name = "factor",
          .text = "first radius in units of |D w|",
          .default_value = 1,
          .lower = 1e-6,
          .upper = 1e6};
}

}  // namespace kappa
