#pragma once

#include "program/builder.h"

// What gather and its transpose, scatter_add, have in common.
namespace kappa {

const Primitive& kappa_primitive_gather();
const Primitive& kappa_primitive_scatter_add();

/// Throws Error(value) for a constant index outside [0, extent).
void refuse_index(const char* primitive, const Array& indices, std::int64_t extent);
/// Throws Error(type) unless the indices are int64.
void refuse_index_type(const char* primitive, const Type& indices);
/// The places along `axis` of an array of `shape` that known `indices` name, clamped: of the
/// element gathered or of the entry added to, for every element of the array without that axis'
/// extent.
std::vector<std::int32_t> indexed_places(const Shape& shape, const Tensor& indices,
                                         std::int64_t axis, std::int64_t count);
/// Indices (K, ...) into K blocks of `extent` entries each, laid one behind the other.
Array indices_into_blocks(const Array& indices, std::int64_t extent);

}  // namespace kappa
