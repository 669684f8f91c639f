#pragma once

#include <string>
#include <vector>

#include "kappa/minimize.h"

namespace kappa {

/// A plot in characters: f above the least value met by any of the runs, against the work in
/// gradient-equivalents, both logarithmic; the letter of a run is its place in the list (a, b,
/// ...),
/// * where several meet. Empty where there is nothing to see. At most 80 columns.
std::string race_plot(const std::vector<const MinimizeResult*>& runs);

}  // namespace kappa
