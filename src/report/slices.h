#pragma once

#include <span>

#include "kappa/analysis.h"
#include "report/json.h"

namespace kappa {

/// The function itself around w, for pictures: values along lines (the parameters' axis for n = 1,
/// the gradient, the Newton step, the eigenvectors at both ends where they are known), and for
/// n = 2 on a square around w. Each line has slope g'd and, where known, curvature d'Hd, so that
/// its quadratic model f + slope t + curvature/2 t^2 can be drawn beside it.
///
///   {"lines": [{"kind", "label", "direction"?, "slope", "curvature"?, "model_holds_to"?,
///               "t": [...], "value": [...]}],
///    "plane": {"x": [...], "y": [...], "value": [[...] a row for each y]},
///    "walks": see true_walks.h}
///
/// Costs 41 values a line (21 on data), 2,601 for the plane and up to 1,000 gradients for the
/// walks. A value that is not finite is null.
Json slices_json(const Problem& problem, std::span<const double> w, const Analysis& analysis);

}  // namespace kappa
