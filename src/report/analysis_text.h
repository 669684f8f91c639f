#pragma once

#include <string>

#include "kappa/analysis.h"
#include "report/text.h"

namespace kappa {

/// The report for a terminal: each answer followed by what it means for the next step.
std::string to_text(const Analysis& analysis, const TextStyle& style);

/// A curve as one line of characters of rising height, e.g. "_.-=#".
std::string sparkline(const std::vector<double>& values, std::size_t width, bool symbols);

/// The paragraphs that minimize shares.
void write_objective(Text& text, const ObjectiveSummary& objective);
void write_critical_point(Text& text, const CriticalPoint& point);

}  // namespace kappa
