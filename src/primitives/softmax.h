#pragma once

#include "program/builder.h"

// Softmax and log-sum-exp work on rows: on the last axis, to which their functions bring the
// others; or on columns, where neighbouring axes are reduced that have long ones behind them.
namespace kappa {

const Primitive& kappa_primitive_softmax();
const Primitive& kappa_primitive_logsumexp();
const Primitive& kappa_primitive_softmax_columns();
const Primitive& kappa_primitive_logsumexp_columns();

/// x as (before, reduced, behind), where `axes` (sorted) are neighbours with at least 64 elements
/// behind them; else undefined.
Array as_columns(const Array& x, const Dims& axes);

/// Throws unless the operand is floating and has rows that are not empty.
void refuse_rows(const char* primitive, const Type& operand);
/// Rows and their length.
std::pair<std::int64_t, std::int64_t> row_extents(const Shape& shape);
/// f64 where x is not floating.
Array as_floating(const Array& x);
/// One f64 operand of each shape.
std::vector<Sample> samples_of_shapes(const std::vector<Shape>& shapes);
/// Shapes of rows: short, longer than a vector, one row, one column.
std::vector<Sample> row_samples();

}  // namespace kappa
