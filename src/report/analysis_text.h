#pragma once

#include <string>

#include "kappa/analysis.h"
#include "report/text.h"

namespace kappa {

/// The report for a terminal: each answer followed by what it means for the next step.
std::string to_text(const Analysis& analysis, const TextStyle& style);

/// Parameters for which vectors and matrices are written out.
inline constexpr std::int64_t few_parameters = 6;
/// Whether vectors of the parameters' length are.
bool written_out(const Analysis& a);

/// The paragraphs that minimize shares.
void write_objective(Text& text, const ObjectiveSummary& objective);
void write_critical_point(Text& text, const CriticalPoint& point);

}  // namespace kappa
