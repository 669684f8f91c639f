#pragma once

// Functions of arrays: a lambda over kappa::Array is traced once to a program, whose first and
// second derivatives are programs too, compiled when they are first asked for.
//
//   auto f = kappa::trace([](kappa::Array x) { return sum(x * x * x) + prod(x); }, 3);
//   Eigen::VectorXd g = kappa::gradient(f, x);
//   Eigen::MatrixXd H = kappa::hessian(f, x);
//
// A Function never changes and is shared when copied; every call is const and safe from several
// threads, reads x in place, and has the same bits on every run. A point with NaN or infinite
// entries, or where the function is not finite, is evaluated as IEEE arithmetic has it. A vector of
// the wrong length throws Error(shape). The overloads with Eigen need <Eigen/Core>, the sparse ones
// <Eigen/SparseCore>: kappa/kappa.h includes them, this header does not. docs/cpp.md has the
// details.

#include <concepts>
#include <cstdint>
#include <memory>
#include <span>
#include <type_traits>
#include <vector>

#include "kappa/array.h"
#include "kappa/eigen_names.h"
#include "kappa/export.h"
#include "kappa/operator.h"

namespace kappa {

/// f: R^n -> R or R^m, made by trace().
class KAPPA_EXPORT Function {
 public:
  struct Impl;
  /// For trace().
  explicit Function(std::shared_ptr<const Impl> impl) : impl_(std::move(impl)) {}

  /// n, the length of x.
  [[nodiscard]] std::int64_t dimension() const;
  /// m; 1 for a scalar function.
  [[nodiscard]] std::int64_t num_outputs() const;
  /// Whether the lambda returned an array of shape (), which second derivatives ask for.
  [[nodiscard]] bool is_scalar() const;
  /// For the library.
  [[nodiscard]] const Impl& impl() const { return *impl_; }

 private:
  std::shared_ptr<const Impl> impl_;
};

namespace detail {

/// One run of a lambda over symbolic arrays.
class KAPPA_EXPORT Tracer {
 public:
  explicit Tracer(std::span<const Shape> shapes);
  ~Tracer();
  Tracer(const Tracer&) = delete;
  Tracer& operator=(const Tracer&) = delete;
  [[nodiscard]] const Array& input(std::size_t i) const;
  [[nodiscard]] Function finish(const Array& result);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

template <class S>
Shape input_shape(const S& shape) {
  if constexpr (std::integral<S>) {
    return {static_cast<std::int64_t>(shape)};
  } else {
    return shape;
  }
}

template <class>
using ArrayFor = Array;

}  // namespace detail

/// The function that `f` computes on arrays of the given shapes: an integer n for a vector, or a
/// kappa::Shape. x is the concatenation of all inputs, each flattened row-major.
///
/// `f` is called once, with one kappa::Array (f64) for each shape, and returns a scalar or a
/// vector; branches on its operands' shapes are free, branches on values are kappa::where. Cost:
/// O(operations written). Throws Error(shape) for a result of rank 2 or more or an empty input,
/// Error(type) for a result that is not f64.
template <class F, class... Shapes>
[[nodiscard]] Function trace(F&& f, const Shapes&... shapes) {
  static_assert(sizeof...(Shapes) > 0, "kappa::trace: give the length of x: trace(f, n)");
  static_assert(
      ((std::integral<Shapes> || std::convertible_to<Shapes, Shape>)&&...),
      "kappa::trace: shapes are integers (vectors) or kappa::Shape, one for each argument of f");
  constexpr bool kCallable = std::is_invocable_v<F&, detail::ArrayFor<Shapes>...>;
  static_assert(kCallable || sizeof...(Shapes) == 0,
                "kappa::trace: f takes one kappa::Array for each shape, e.g. trace([](kappa::Array "
                "x) { return sum(x * x); }, 3)");
  if constexpr (kCallable) {
    constexpr bool kReturnsArray =
        std::is_same_v<std::remove_cvref_t<std::invoke_result_t<F&, detail::ArrayFor<Shapes>...>>,
                       Array>;
    static_assert(kReturnsArray,
                  "kappa::trace: f must return kappa::Array; it returns another type (a double "
                  "cannot be differentiated: keep every step in Arrays)");
    if constexpr (kReturnsArray) {
      const std::vector<Shape> list{detail::input_shape(shapes)...};
      detail::Tracer tracer(list);
      return [&]<std::size_t... I>(std::index_sequence<I...>) {
        return tracer.finish(f(tracer.input(I)...));
      }
      (std::index_sequence_for<Shapes...>());
    }
  }
}

/// @name Into the caller's memory. Each range has exactly the length named.
/// @{

/// f(x) of a scalar function. Cost: 1 evaluation.
KAPPA_EXPORT double value(const Function& f, std::span<const double> x);
/// F(x), m entries.
KAPPA_EXPORT void values(const Function& f, std::span<const double> x, std::span<double> result);
/// g_i = df/dx_i, n entries, without the value. Reverse mode: 2 to 4 evaluations, whatever n.
KAPPA_EXPORT void gradient(const Function& f, std::span<const double> x, std::span<double> result);
/// The gradient, and f(x) returned, sharing their work.
KAPPA_EXPORT double value_and_gradient(const Function& f, std::span<const double> x,
                                       std::span<double> gradient);
/// result = H(x) v, n entries, forward over reverse: 4 to 8 evaluations, no matrix.
KAPPA_EXPORT void hvp(const Function& f, std::span<const double> x, std::span<const double> v,
                      std::span<double> result);
/// H(x), n x n, exactly symmetric. Cost: at most n products, in blocks;
/// less where a cut of the program gives H from parts (docs/decisions/0009).
KAPPA_EXPORT void hessian(const Function& f, std::span<const double> x, std::span<double> result);
/// @}

/// @name With Eigen
/// @{
KAPPA_EXPORT double value(const Function& f, const ConstVectorRef& x);
KAPPA_EXPORT VectorXd values(const Function& f, const ConstVectorRef& x);
KAPPA_EXPORT VectorXd gradient(const Function& f, const ConstVectorRef& x);
KAPPA_EXPORT VectorXd hvp(const Function& f, const ConstVectorRef& x, const ConstVectorRef& v);
KAPPA_EXPORT MatrixXd hessian(const Function& f, const ConstVectorRef& x);
/// J_ij = dF_i/dx_j, m x n: forward mode, or reverse where m < n. Cost: min(m, n) products.
KAPPA_EXPORT MatrixXd jacobian(const Function& f, const ConstVectorRef& x);
KAPPA_EXPORT MatrixXd jacobian(const Function& f, std::span<const double> x);
/// @}

/// H(x) as an operator: what does not depend on the direction is computed once, here; then a
/// product costs 2 to 4 evaluations. Shares f, keeps a copy of x.
class KAPPA_EXPORT FunctionHessian final : public SymmetricOperator {
 public:
  /// At x, n entries. Cost: value, gradient and what all directions share. Throws Error(shape) for
  /// another length, or where f is not scalar.
  FunctionHessian(const Function& f, std::span<const double> x);
  ~FunctionHessian() override;
  FunctionHessian(FunctionHessian&&) noexcept;  ///< leaves an operator that can only be destroyed
  [[nodiscard]] std::int64_t dimension() const override;
  void apply(std::int64_t num_directions, const double* directions,
             double* products) const override;
  /// f(x), known from the start.
  [[nodiscard]] double value() const;
  /// The gradient at x, n entries, known from the start.
  [[nodiscard]] std::span<const double> gradient() const;

 private:
  struct Impl;
  std::unique_ptr<const Impl> impl_;
};
KAPPA_EXPORT FunctionHessian hvp_operator(const Function& f, const ConstVectorRef& x);
KAPPA_EXPORT FunctionHessian hvp_operator(const Function& f, std::span<const double> x);

/// @name Sparse derivatives
///
/// The pattern is found at the first call, by propagation of index sets through the program, and
/// kept in f. Where the program only moves, scales and adds up elements (slices, gathers, sums,
/// elementwise functions), the entries themselves are computed, by sparse forward accumulation
/// (Griewank and Walther 2008, chapter 7) of the gradient; else H is read off products with the
/// sums of unit vectors of each colour of a star colouring, taken as blocks (Gebremedhin, Manne,
/// Pothen, SIAM Review 47, 2005, section 4.2). Entries of the pattern may be zero. Throws
/// Error(resource) where the pattern has more than 2^28 entries; use hvp_operator.
/// @{

/// H(x), both triangles, compressed, rows ascending.
KAPPA_EXPORT SparseMatrixXd sparse_hessian(const Function& f, const ConstVectorRef& x);
KAPPA_EXPORT SparseMatrixXd sparse_hessian(const Function& f, std::span<const double> x);
/// The same into `result`, whose memory is used again where it has the pattern already.
KAPPA_EXPORT void sparse_hessian(const Function& f, const ConstVectorRef& x,
                                 SparseMatrixXd& result);
/// The values alone, in the order of that matrix's valuePtr(): hessian_sparsity(f).num_entries.
KAPPA_EXPORT void sparse_hessian_values(const Function& f, std::span<const double> x,
                                        std::span<double> result);
/// J(x), m x n, compressed. A row much longer than the rest costs one reverse product and does not
/// count in the colouring.
KAPPA_EXPORT SparseMatrixXd sparse_jacobian(const Function& f, const ConstVectorRef& x);
KAPPA_EXPORT SparseMatrixXd sparse_jacobian(const Function& f, std::span<const double> x);

/// What the sparse derivatives of f cost.
struct SparsityReport {
  std::int64_t num_entries = 0;   ///< of the pattern, both triangles
  std::int64_t num_products = 0;  ///< 0: the entries are computed themselves
  std::int64_t num_dense = 0;     ///< columns (Hessian) or rows (Jacobian) taken one by one
};
KAPPA_EXPORT SparsityReport hessian_sparsity(const Function& f);
KAPPA_EXPORT SparsityReport jacobian_sparsity(const Function& f);
/// @}

}  // namespace kappa
