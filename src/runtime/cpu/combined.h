#pragma once

#include "program/primitive.h"

namespace kappa {

/// Two arithmetic operations in one pass over their operands a, b, c: half the memory traffic of
/// one after the other, with the same bits (the product is rounded before it is used).
enum class Combined { multiply_add, multiply_subtract, subtract_product, multiply_multiply };

/// a*b + c, a*b - c, c - a*b or (a*b)*c for f64 or f32; null for other types.
TileFunction combined_tile(Combined which, DType dtype);

}  // namespace kappa
