#pragma once

#include <vector>

#include "program/program.h"

namespace kappa {

/// A program cut in two at what depends on its varying inputs.
struct Split {
  /// Inputs: those of the original that do not vary, in order. Outputs: the residuals, then the
  /// original's outputs after the first `num_apply_outputs`, in order.
  Program setup;
  /// Inputs: all inputs of the original, in order, then the residuals. Outputs: the first
  /// `num_apply_outputs` of the original, in order.
  Program apply;
  std::size_t num_residuals = 0;
};

/// Cuts `program`: setup runs once, apply once for every value of the varying inputs.
///
/// Residuals are the values that pass between the two. Views are never residuals, and an
/// elementwise value that is cheap and made of residuals alone is computed again in apply, which
/// costs no memory traffic beyond what apply reads anyway; not so where a matrix product or another
/// kernel reads it from memory, nor a mask, a byte an element, of a value made again. Outputs that
/// apply does not make must not depend on the varying inputs.
Split split(const Program& program, const std::vector<bool>& varying,
            std::size_t num_apply_outputs);

}  // namespace kappa
