#pragma once

#include <cstdint>
#include <initializer_list>
#include <limits>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "kappa/export.h"

namespace kappa {

/// Element types of arrays. Booleans are one byte each, 0 or 1.
enum class DType : std::uint8_t { f64, f32, i64, boolean };

using Dims = std::vector<std::int64_t>;
/// Extents of an array, outermost first (row-major). Empty for a scalar.
using Shape = Dims;

class Builder;
struct Node;

/// A handle to a value of a program under construction. Operators and functions on arrays append
/// nodes to the program; nothing is computed. Cheap to copy; valid as long as its builder.
///
/// A number where an array is expected takes the dtype of the operand beside it. Elementwise
/// operations broadcast as NumPy does: shapes are aligned at the last axis, extents of 1 stretch.
class KAPPA_EXPORT Array {
 public:
  /// No value. In derivative rules: a tangent or cotangent known to be zero.
  Array() = default;
  /// A literal, e.g. the 2 in `2 * x`.
  Array(double literal) : literal_(literal), is_literal_(true) {}  // NOLINT: implicit by design
  /// The value of a node of the program under construction.
  Array(Builder* builder, std::int32_t node) : builder_(builder), node_(node) {}

  /// Whether there is a value, of a node or literal.
  [[nodiscard]] bool defined() const { return builder_ != nullptr || is_literal_; }
  /// Whether it is a number that has no dtype of its own yet.
  [[nodiscard]] bool is_literal() const { return is_literal_; }
  /// That number.
  [[nodiscard]] double literal() const { return literal_; }

  /// The program under construction; null for a literal.
  [[nodiscard]] Builder* builder() const { return builder_; }
  /// The index of its node there.
  [[nodiscard]] std::int32_t id() const { return node_; }
  /// Its node there.
  [[nodiscard]] const Node& node() const;

  /// The type of an element.
  [[nodiscard]] DType dtype() const;
  /// The extent of each axis.
  [[nodiscard]] const Shape& shape() const;
  /// The number of axes.
  [[nodiscard]] std::int64_t rank() const { return static_cast<std::int64_t>(shape().size()); }
  /// The number of elements.
  [[nodiscard]] std::int64_t size() const;

  /// The index-th entry along the first axis; negative counts from the end.
  Array operator[](std::int64_t index) const;

 private:
  Builder* builder_ = nullptr;
  std::int32_t node_ = -1;
  double literal_ = 0;
  bool is_literal_ = false;
};

/// @name Elementwise arithmetic (NumPy broadcasting)
/// @{
KAPPA_EXPORT Array operator-(const Array& x);
KAPPA_EXPORT Array operator+(const Array& a, const Array& b);
KAPPA_EXPORT Array operator-(const Array& a, const Array& b);
KAPPA_EXPORT Array operator*(const Array& a, const Array& b);
KAPPA_EXPORT Array operator/(const Array& a, const Array& b);
KAPPA_EXPORT Array pow(const Array& base, const Array& exponent);
KAPPA_EXPORT Array atan2(const Array& y, const Array& x);
KAPPA_EXPORT Array hypot(const Array& a, const Array& b);
KAPPA_EXPORT Array minimum(const Array& a, const Array& b);
KAPPA_EXPORT Array maximum(const Array& a, const Array& b);
/// @}

/// @name Elementwise functions
/// @{
KAPPA_EXPORT Array exp(const Array& x);
KAPPA_EXPORT Array expm1(const Array& x);
KAPPA_EXPORT Array log(const Array& x);
KAPPA_EXPORT Array log1p(const Array& x);
KAPPA_EXPORT Array log2(const Array& x);
KAPPA_EXPORT Array log10(const Array& x);
KAPPA_EXPORT Array sqrt(const Array& x);
KAPPA_EXPORT Array cbrt(const Array& x);
KAPPA_EXPORT Array abs(const Array& x);
KAPPA_EXPORT Array sign(const Array& x);
KAPPA_EXPORT Array sin(const Array& x);
KAPPA_EXPORT Array cos(const Array& x);
KAPPA_EXPORT Array tan(const Array& x);
KAPPA_EXPORT Array asin(const Array& x);
KAPPA_EXPORT Array acos(const Array& x);
KAPPA_EXPORT Array atan(const Array& x);
KAPPA_EXPORT Array sinh(const Array& x);
KAPPA_EXPORT Array cosh(const Array& x);
KAPPA_EXPORT Array tanh(const Array& x);
KAPPA_EXPORT Array asinh(const Array& x);
KAPPA_EXPORT Array acosh(const Array& x);
KAPPA_EXPORT Array atanh(const Array& x);
KAPPA_EXPORT Array erf(const Array& x);
KAPPA_EXPORT Array erfc(const Array& x);
/// log |Γ(x)|.
KAPPA_EXPORT Array lgamma(const Array& x);
/// ψ⁽ᵒʳᵈᵉʳ⁾(x), the (order+1)-th derivative of log Γ.
KAPPA_EXPORT Array polygamma(std::int64_t order, const Array& x);
/// 1 / (1 + exp(-x)).
KAPPA_EXPORT Array sigmoid(const Array& x);
/// log(1 + exp(x)).
KAPPA_EXPORT Array softplus(const Array& x);
/// max(x, 0); derivative 0 at 0.
KAPPA_EXPORT Array relu(const Array& x);
/// x Φ(x), Φ the standard normal distribution function (the erf form).
KAPPA_EXPORT Array gelu(const Array& x);
/// x sigmoid(x).
KAPPA_EXPORT Array silu(const Array& x);
/// @}

/// @name Comparison, logic, selection (results are boolean)
/// @{
KAPPA_EXPORT Array less(const Array& a, const Array& b);
KAPPA_EXPORT Array less_equal(const Array& a, const Array& b);
KAPPA_EXPORT Array greater(const Array& a, const Array& b);
KAPPA_EXPORT Array greater_equal(const Array& a, const Array& b);
KAPPA_EXPORT Array equal(const Array& a, const Array& b);
KAPPA_EXPORT Array not_equal(const Array& a, const Array& b);
KAPPA_EXPORT Array logical_and(const Array& a, const Array& b);
KAPPA_EXPORT Array logical_or(const Array& a, const Array& b);
KAPPA_EXPORT Array logical_not(const Array& a);
/// a where condition holds, else b. The side not chosen has no influence on derivatives.
KAPPA_EXPORT Array where(const Array& condition, const Array& a, const Array& b);
/// @}

/// @name Reductions. `axes` empty means all; negative axes count from the end.
/// @{
KAPPA_EXPORT Array sum(const Array& x, const Dims& axes = {}, bool keep_axes = false);
KAPPA_EXPORT Array mean(const Array& x, const Dims& axes = {}, bool keep_axes = false);
KAPPA_EXPORT Array prod(const Array& x, const Dims& axes = {}, bool keep_axes = false);
KAPPA_EXPORT Array max(const Array& x, const Dims& axes = {}, bool keep_axes = false);
KAPPA_EXPORT Array min(const Array& x, const Dims& axes = {}, bool keep_axes = false);
KAPPA_EXPORT Array logsumexp(const Array& x, const Dims& axes = {}, bool keep_axes = false);
KAPPA_EXPORT Array softmax(const Array& x, std::int64_t axis = -1);
KAPPA_EXPORT Array log_softmax(const Array& x, std::int64_t axis = -1);
/// Running sums along an axis; `reverse` runs from the end.
KAPPA_EXPORT Array cumsum(const Array& x, std::int64_t axis = 0, bool reverse = false);
/// Euclidean norm of all entries; its derivative at 0 is taken as 0.
KAPPA_EXPORT Array norm(const Array& x);
/// Sum of the products of all entries.
KAPPA_EXPORT Array dot(const Array& a, const Array& b);
/// @}

/// Matrix product op(a) op(b) over the last two axes, op the transpose where asked; leading axes
/// are batch axes and broadcast. Vectors are treated as NumPy's matmul does.
KAPPA_EXPORT Array matmul(const Array& a, const Array& b, bool transpose_a = false,
                          bool transpose_b = false);

/// @name Structure
/// @{
KAPPA_EXPORT Array reshape(const Array& x, const Shape& shape);
KAPPA_EXPORT Array broadcast_to(const Array& x, const Shape& shape);
/// Axis i of the result is axis permutation[i] of x; empty reverses the axes.
KAPPA_EXPORT Array transpose(const Array& x, const Dims& permutation = {});
/// x[starts:stops:steps] on every axis; starts and stops within bounds, steps not 0. With a
/// negative step the run goes down from `start` to just above `stop` (which may be -1).
KAPPA_EXPORT Array slice(const Array& x, const Dims& starts, const Dims& stops,
                         const Dims& steps = {});
/// Zeros around x, and `interior` zeros between neighbours, on every axis.
KAPPA_EXPORT Array pad(const Array& x, const Dims& low, const Dims& high,
                       const Dims& interior = {});
KAPPA_EXPORT Array concat(std::span<const Array> parts, std::int64_t axis = 0);
/// The entries of x along `axis` at `indices` (int64, any shape): result shape is
/// x.shape[:axis] + indices.shape + x.shape[axis+1:].
KAPPA_EXPORT Array gather(const Array& x, const Array& indices, std::int64_t axis = 0);
/// The transpose of gather: zeros of extent `extent` along `axis`, `updates` added at `indices`.
KAPPA_EXPORT Array scatter_add(const Array& updates, const Array& indices, std::int64_t extent,
                               std::int64_t axis = 0);
KAPPA_EXPORT Array convert(const Array& x, DType dtype);
/// @}

/// 0, 1, ..., extent - 1 as a vector; `like` lends its builder.
KAPPA_EXPORT Array iota(const Array& like, std::int64_t extent, DType dtype);
/// An array filled with one value; `like` lends its builder.
KAPPA_EXPORT Array full(const Array& like, double value, const Shape& shape, DType dtype);
/// A constant array of doubles, converted to `dtype`; `like` lends its builder.
KAPPA_EXPORT Array constant(const Array& like, std::span<const double> values, const Shape& shape,
                            DType dtype = DType::f64);

/// The primitive of that name applied to operands; for primitives that have no function above.
KAPPA_EXPORT Array apply(std::string_view primitive, std::span<const Array> operands);

inline Array operator<(const Array& a, const Array& b) { return less(a, b); }
inline Array operator>(const Array& a, const Array& b) { return greater(a, b); }
inline Array operator<=(const Array& a, const Array& b) { return less_equal(a, b); }
inline Array operator>=(const Array& a, const Array& b) { return greater_equal(a, b); }
inline Array& operator+=(Array& a, const Array& b) { return a = a + b; }
inline Array& operator-=(Array& a, const Array& b) { return a = a - b; }
inline Array& operator*=(Array& a, const Array& b) { return a = a * b; }
inline Array square(const Array& x) { return x * x; }

}  // namespace kappa
