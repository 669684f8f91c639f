#pragma once

#include <string>

#include "report/json.h"
#include "report/text.h"

namespace kappa {

/// A result as curves and contours of characters, 72 columns wide, for --plot: lines through the
/// point, the map of two variables, walks, landscapes. Empty where there is nothing to draw.
std::string plot_text(const Json& result, const TextStyle& style);

}  // namespace kappa
