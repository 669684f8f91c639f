#pragma once

#include "kappa/analysis.h"
#include "report/text.h"

namespace kappa {

// The paragraphs of an analysis about steps: how far, how fast, which way; each writes nothing that
// was not asked.

void write_newton_step(Text& text, const Analysis& a);
void write_condition(Text& text, const Analysis& a);
void write_learning_rate(Text& text, const Analysis& a);
void write_contractions(Text& text, const Analysis& a);
void write_direction(Text& text, const Analysis& a);

}  // namespace kappa
