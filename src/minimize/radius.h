#pragma once

#include "minimize/method.h"

namespace kappa {

/// What a trust-region trial was worth.
struct Judgement {
  bool accepted = false;
  bool hopeless = false;  ///< no shorter step can show a decrease: stop trying
  double ratio = 0;       ///< actual over predicted decrease
};

/// Evaluates trial.w and updates the radius (Conn, Gould & Toint 2000, section 17.1): accepted
/// where ratio >= 1e-4; the radius shrinks to a quarter of the step below 1/4 and doubles above 3/4
/// for a step that reached it. Where the predicted decrease is within the rounding of f, a trial is
/// accepted if f does not rise beyond it and the gradient falls (measured in the scaling, |D^-1 g|;
/// an empty scale is the identity). An accepted trial has value and gradient. Where `curvature` is
/// given they come from a linearisation at the trial, which replaces what it held; it is left empty
/// where a trial that had been linearised is not accepted.
Judgement judge_trial(Evaluator& evaluator, const Iterate& from, Iterate& trial, double predicted,
                      double length, double& radius, std::span<const double> scale = {},
                      std::optional<Evaluator::Curvature>* curvature = nullptr);

}  // namespace kappa
