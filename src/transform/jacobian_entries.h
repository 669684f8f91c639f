#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "program/program.h"
#include "transform/element_groups.h"

namespace kappa {

/// The Jacobian J of a program's one output by its one input x, entry by entry:
///
///     J(rows_p[e], columns_p[e]) += values_p[e]   for every part p and every e.
struct JacobianEntries {
  struct Part {
    IndexMap rows, columns;  ///< -1 in either: no entry
  };
  std::vector<Part> parts;
  Program values;  ///< input x; output p: the values of part p, as a vector
};

/// Sparse forward accumulation (Griewank and Walther, Evaluating Derivatives, 2008, chapter 7):
/// what an array depends on is carried as arrays of partial derivatives beside maps of the input
/// elements they belong to, and each step is the primitive's own tangent rule on those arrays. A
/// sum of shifted slices is a handful of parts, each a diagonal.
///
/// Nothing where some step mixes elements of both sides (matrix products, softmax, running sums),
/// or where more than `max_entries` partial derivatives of one array would have to be carried.
std::optional<JacobianEntries> jacobian_entries(const Program& program, std::int64_t max_entries);

}  // namespace kappa
