#pragma once

#include "kappa/analysis.h"
#include "report/text.h"

namespace kappa {

// The paragraphs of an analysis about the whole spectrum; each writes nothing that was not asked.

void write_eigenvalues(Text& text, const Analysis& a);
void write_blocks(Text& text, const Analysis& a);
void write_shape(Text& text, const Analysis& a);
void write_trace(Text& text, const Analysis& a);
void write_density(Text& text, const Analysis& a);

/// A curve as one line of characters of rising height, e.g. "_.-=#".
std::string sparkline(const std::vector<double>& values, std::size_t width, bool symbols);

}  // namespace kappa
