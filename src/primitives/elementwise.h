#pragma once

#include <string>
#include <utility>
#include <vector>

#include "program/builder.h"
#include "program/primitive.h"

namespace kappa {

/// @name Operands of elementwise functions
/// @{

/// unify; booleans become i64.
std::vector<Array> numeric_operands(std::span<const Array> operands, const char* verb);
/// unify; booleans and integers become f64.
std::vector<Array> floating_operands(std::span<const Array> operands, const char* verb);
/// The primitive on numeric or floating operands.
Array apply_numeric(const Primitive& primitive, std::span<const Array> operands);
Array apply_floating(const Primitive& primitive, std::span<const Array> operands);
/// @}

/// @name Type rules: all operands of one type, the result the same (or boolean)
/// @{
Type infer_numeric(const Attributes&, std::span<const Type> operands);
Type infer_floating(const Attributes&, std::span<const Type> operands);
Type infer_predicate(const Attributes&, std::span<const Type> operands);
Type infer_boolean(const Attributes&, std::span<const Type> operands);
/// @}

/// @name Rewriting
/// @{
bool is(const Array& x, const Primitive& primitive);
Array operand(const Array& x, std::size_t index);
/// An array of the type of `like` filled with `value`.
Array filled(const Array& like, double value);
/// @}

/// @name Kernels
/// @{

/// Any std:: function, one element after the other: `Function` is a stateless callable.
template <class T, class Function>
void scalar_loop(const TileCall& call) {
  const T* a = static_cast<const T*>(call.inputs[0]);
  T* out = static_cast<T*>(call.output);
  const std::int64_t count = call.count;
  for (std::int64_t i = 0; i < count; ++i) out[i] = Function{}(a[i]);
}
template <class T, class Function>
void scalar_loop2(const TileCall& call) {
  const T* a = static_cast<const T*>(call.inputs[0]);
  const T* b = static_cast<const T*>(call.inputs[1]);
  T* out = static_cast<T*>(call.output);
  const std::int64_t count = call.count;
  for (std::int64_t i = 0; i < count; ++i) out[i] = Function{}(a[i], b[i]);
}
/// scalar_loop for f64 and f32.
template <class Function>
TileFunction scalar_tile(Function, DType dtype) {
  switch (dtype) {
    case DType::f64: return scalar_loop<double, Function>;
    case DType::f32: return scalar_loop<float, Function>;
    default: return nullptr;
  }
}
template <class Function>
TileFunction scalar_tile2(Function, DType dtype) {
  switch (dtype) {
    case DType::f64: return scalar_loop2<double, Function>;
    case DType::f32: return scalar_loop2<float, Function>;
    default: return nullptr;
  }
}
/// Kernel::element_cost of exp, sin and their like, in additions.
inline constexpr int transcendental_cost = 20;

/// A Kernel from a choice by the result's dtype.
template <class Choice>
Kernel tile_kernel(Choice choice, int element_cost = 1) {
  return {.tile = [choice](std::span<const Type>,
                           const Type& result) { return TileFunction{choice(result.dtype)}; },
          .element_cost = element_cost};
}
/// @}

/// @name Shapes of primitives
/// @{

using Range = std::pair<double, double>;
/// One sample of `num_operands` operands; its shape does not fill whole vectors.
Sample elementwise_sample(int num_operands, std::vector<Range> ranges = {});

/// A function of one floating variable.
struct UnaryFunction {
  std::string name;
  std::string doc;
  Kernel kernel;
  /// Tangent from operand x, result y and tangent dx; null where piecewise constant.
  Array (*jvp)(const Array& x, const Array& y, const Array& dx) = nullptr;
  Range range = {-2, 2};
  bool formula_function = true;
};
Primitive unary_primitive(UnaryFunction function);
/// @}

/// @name Printing
/// @{
using Printed = std::pair<std::string, int>;
/// The text, in parentheses where it binds weaker than `precedence`; what begins with a minus sign
/// binds like a negation at most.
std::string parenthesized(const Printed& operand, int precedence);
/// @}

/// @name Primitives that rules refer to
/// @{
const Primitive& kappa_primitive_abs();
const Primitive& kappa_primitive_add();
const Primitive& kappa_primitive_sub();
const Primitive& kappa_primitive_mul();
const Primitive& kappa_primitive_div();
const Primitive& kappa_primitive_neg();
const Primitive& kappa_primitive_pow();
const Primitive& kappa_primitive_convert();
const Primitive& kappa_primitive_where();
const Primitive& kappa_primitive_logical_not();
/// @}

}  // namespace kappa
