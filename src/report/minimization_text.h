#pragma once

#include <string>
#include <vector>

#include "report/minimization.h"
#include "report/text.h"

namespace kappa {

/// The report of a run for a terminal.
std::string to_text(const Minimization& run, const TextStyle& style);

/// Runs from one start side by side.
std::string to_text(const std::vector<Minimization>& runs, const TextStyle& style);

}  // namespace kappa
