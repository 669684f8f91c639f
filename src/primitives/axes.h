#pragma once

#include <initializer_list>
#include <optional>

#include "program/builder.h"
#include "program/promote.h"

// What the primitives that move, drop or repeat axes have in common.
namespace kappa {

/// (first, rest...): shapes and axis attributes of a batched call.
Dims prepend(std::int64_t first, const Dims& rest);
/// Every axis moved up by one, for a new leading axis.
Dims shift_axes(const Dims& axes);
/// `shape` without the named axes (sorted).
Shape drop_axes(const Shape& shape, const Dims& axes);
/// `shape` with extent 1 on the named axes.
Shape keep_axes(const Shape& shape, const Dims& axes);
/// The permutation that brings axis `from` to place `to` and keeps the order of the others.
Dims move_axis(std::int64_t rank, std::int64_t from, std::int64_t to);

/// The node applied by `primitive`, with literals made constants.
Array apply(const Primitive& primitive, Attributes attributes,
            std::initializer_list<Array> operands);

/// Whether x is a call of `primitive`.
bool is_call(const Array& x, const Primitive& primitive);
/// Operand `index` of the call that x is.
Array operand_of(const Array& x, std::size_t index = 0);
/// The scalar of which x is a broadcast, or nothing.
std::optional<Array> uniform_source(const Array& x);

/// The operand of a batched call with the leading axis of extent `extent` it lacks.
Array with_batch_axis(const Array& x, bool batched, std::int64_t extent);

/// `x` with axes brought last, in order, and merged into one; the others keep their order.
Array merge_axes_last(const Array& x, const Dims& axes);

/// sum_d index_d * strides[d] for every element of `shape`, row-major: names of groups.
std::vector<std::int32_t> strided_places(const Shape& shape, const Dims& strides,
                                         std::int64_t offset = 0);
/// What an element depends on where `axes` (sorted) of `operand` are summed up or otherwise
/// reduced.
ElementGroups reduction_groups(const Shape& operand, const Dims& axes);

[[noreturn]] void shape_error(const char* primitive, const std::string& what);
/// Throws Error(type) where the dtype is boolean.
void refuse_boolean(const char* primitive, const Type& operand);

}  // namespace kappa
