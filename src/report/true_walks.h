#pragma once

#include <span>

#include "kappa/analysis.h"
#include "report/json.h"

namespace kappa {

/// Walks on the function itself from w, for the map of a function of two variables: gradient
/// descent and heavy ball at several learning rates around the stability limit (60 steps each), and
/// Newton's method.
///
///   [{"method", "learning_rate"?, "momentum"?, "points": [[x, y], ...], "value": [...]}]
///
/// A walk ends early where it leaves for infinity. Costs up to 1,000 gradients.
Json true_walks(const Problem& problem, std::span<const double> w, const Analysis& analysis,
                double radius);

}  // namespace kappa
