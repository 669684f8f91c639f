#pragma once

#include "program/builder.h"

// Softmax and log-sum-exp work on rows: on the last axis, to which their functions bring the
// others.
namespace kappa {

const Primitive& kappa_primitive_softmax();
const Primitive& kappa_primitive_logsumexp();

/// Throws unless the operand is floating and has rows that are not empty.
void refuse_rows(const char* primitive, const Type& operand);
/// Rows and their length.
std::pair<std::int64_t, std::int64_t> row_extents(const Shape& shape);
/// f64 where x is not floating.
Array as_floating(const Array& x);
/// Shapes of rows: short, longer than a vector, one row, one column.
std::vector<Sample> row_samples();

}  // namespace kappa
