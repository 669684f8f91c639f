#pragma once

#include <cstdint>
#include <string>

#include "kappa/array.h"

namespace kappa {

/// Static type of a value: element type and extents.
struct Type {
  DType dtype = DType::f64;
  Shape shape;
  friend bool operator==(const Type&, const Type&) = default;
};

constexpr std::int64_t size_of(DType dtype) {
  return dtype == DType::f32 ? 4 : (dtype == DType::boolean ? 1 : 8);
}
/// Number of elements; throws Error(resource) where it does not fit in 62 bits.
std::int64_t num_elements(const Shape& shape);
inline std::int64_t num_bytes(const Type& type) {
  return num_elements(type.shape) * size_of(type.dtype);
}
inline bool is_floating(DType dtype) { return dtype == DType::f64 || dtype == DType::f32; }

std::string to_string(DType dtype);
/// "(3, 4)"
std::string to_string(const Shape& shape);
/// "f32(3, 4)"
std::string to_string(const Type& type);

/// Row-major strides in elements.
Dims contiguous_strides(const Shape& shape);
/// The shape two operands broadcast to; throws Error(shape) naming `verb` where they do not.
Shape broadcast_shapes(const Shape& a, const Shape& b, const char* verb);
/// Axis in [0, rank), counted from the end if negative; throws Error(shape) outside.
std::int64_t normalize_axis(std::int64_t axis, std::int64_t rank, const char* verb);
/// Sorted, unique, non-negative axes; empty becomes all.
Dims normalize_axes(const Dims& axes, std::int64_t rank, const char* verb);

}  // namespace kappa
