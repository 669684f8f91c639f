#pragma once

#include "minimize/method.h"

namespace kappa {

/// What a line search brought: whether f decreased enough, and how far along the direction.
struct LineSearchResult {
  bool decreased = false;
  double step = 0;
};

struct WolfeOptions {
  double decrease = 1e-4;  ///< c1
  double curvature = 0.9;  ///< c2
  double max_step = 1e20;
  int max_evaluations = 40;
};

/// Finds a > 0 with the strong Wolfe conditions
///
///   f(w + a d) <= f(w) + c1 a g'd   and   |g(w + a d)'d| <= c2 |g'd|
///
/// by bracketing and safeguarded cubic interpolation (Nocedal & Wright 2006, algorithms 3.5, 3.6).
/// Where f no longer resolves the decrease, the first condition may be met by its derivative form
/// (2 c1 - 1) g'd >= g(w + a d)'d (Hager & Zhang 2005, (4.1)): where f(w + a d) is within
/// 1e-10 |f(w)| of f(w) and above it by at most 1e-14 |f(w)|. A trial that is not finite shortens
/// the bracket. `trial` ends as the accepted point with value and gradient. Needs g'd < 0. Cost:
/// one gradient a trial.
LineSearchResult wolfe_search(Evaluator& evaluator, const Iterate& from,
                              std::span<const double> direction, double first_step, Iterate& trial,
                              const WolfeOptions& options = {});

/// Finds a = first_step / 2^k with f(w + a d) <= f(w) + c1 a g'd; cost: one value a trial, and the
/// gradient at the accepted point.
LineSearchResult armijo_search(Evaluator& evaluator, const Iterate& from,
                               std::span<const double> direction, double slope, double first_step,
                               Iterate& trial, double decrease = 1e-4, double shrink = 0.5);

}  // namespace kappa
