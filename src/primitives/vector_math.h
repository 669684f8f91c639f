#pragma once

#include "program/primitive.h"

namespace kappa {

/// Kernels of the functions that training and formulas spend their time in, f64 and f32; null for
/// other dtypes. At most 4 units in the last place from the exact value (6 for erf in f32); zero,
/// infinities, NaN, subnormal numbers and overflow as the C library answers them.
TileFunction sqrt_tile(DType dtype);
TileFunction relu_tile(DType dtype);
TileFunction exp_tile(DType dtype);
TileFunction expm1_tile(DType dtype);
TileFunction log_tile(DType dtype);
TileFunction log1p_tile(DType dtype);
TileFunction sin_tile(DType dtype);
TileFunction cos_tile(DType dtype);
TileFunction tanh_tile(DType dtype);
TileFunction sigmoid_tile(DType dtype);
TileFunction softplus_tile(DType dtype);
TileFunction erf_tile(DType dtype);

}  // namespace kappa
