#pragma once

// Exact first and second derivatives of small C++ functions, by second-order forward jets.
//
//   auto f = [](const auto& x) { return 100 * pow(x[1] - x[0] * x[0], 2) + pow(1 - x[0], 2); };
//   Eigen::Matrix2d H = kappa::hessian(f, Eigen::Vector2d(-1.2, 1));
//
// The callable is generic: it is called with a vector of jets and returns a jet. Control flow is
// free. Nothing but the standard library is included; points and results are Eigen's or the
// standard library's, as the caller's are. docs/jets.md has the details.

#include <array>
#include <cstddef>
#include <limits>
#include <span>
#include <string>
#include <type_traits>
#include <utility>

#include "kappa/detail/simd.h"
#include "kappa/error.h"

namespace kappa {

using jets::GradientJet;
using jets::Jet;
using jets::ProductJet;
using jets::ValueJet;

/// The most variables one callable may have. A jet of 64 variables takes 17 kB; beyond that
/// kappa::trace (kappa/function.h) is the faster way.
inline constexpr int kMaxJetVariables = 64;

namespace detail {

[[noreturn, gnu::cold, gnu::noinline]] inline void throw_index(long long index, int size) {
  throw Error(ErrorKind::usage, "x[" + std::to_string(index) + "]: this callable was given " +
                                    std::to_string(size) + " variables, x[0] to x[" +
                                    std::to_string(size - 1) + "]");
}

}  // namespace detail

/// What a callable is called with: N values of scalar T, indexed, iterated or unpacked by
/// `const auto& [a, b, c] = x`. An index out of range throws Error(usage).
template <class T, int N>
struct Vec {
  T entry[N];  ///< x[0] to x[N - 1]

  /// x[i], checked.
  template <std::integral I>
  constexpr const T& operator[](I i) const {
    if (static_cast<unsigned long long>(i) >= static_cast<unsigned long long>(N)) {
      detail::throw_index(static_cast<long long>(i), N);
    }
    return entry[i];
  }
  /// The same, to write to: a callable may work on a copy of x.
  template <std::integral I>
  constexpr T& operator[](I i) {
    return const_cast<T&>(std::as_const(*this)[i]);
  }
  /// The same in Eigen's manner.
  template <std::integral I>
  constexpr const T& operator()(I i) const {
    return (*this)[i];
  }
  static constexpr int size() { return N; }             ///< N
  constexpr const T* data() const { return entry; }     ///< &x[0], for Ceres-style functors
  constexpr T* data() { return entry; }                 ///< &x[0]
  constexpr const T* begin() const { return entry; }    ///< for loops over all variables
  constexpr const T* end() const { return entry + N; }  ///< one past the last
  /// x[I], for structured bindings.
  template <std::size_t I>
  constexpr const T& get() const {
    return entry[I];
  }
};

namespace detail {

// ---- points of fixed size: std::array, std::span, Eigen vectors --------------------------------

template <class X>
inline constexpr std::ptrdiff_t fixed_size = -1;
template <class S, std::size_t N>
inline constexpr std::ptrdiff_t fixed_size<std::array<S, N>> = static_cast<std::ptrdiff_t>(N);
template <class S, std::size_t N>
inline constexpr std::ptrdiff_t fixed_size<std::span<S, N>> = N == std::dynamic_extent
                                                                  ? -1
                                                                  : static_cast<std::ptrdiff_t>(N);
template <class X>
requires requires { X::SizeAtCompileTime; }
inline constexpr std::ptrdiff_t fixed_size<X> = X::SizeAtCompileTime;

template <class X>
concept EigenLike = requires {
  X::SizeAtCompileTime;
  typename X::PlainObject;
};

template <class X>
using ScalarOf = std::remove_cvref_t<decltype(std::declval<const X&>()[0])>;

/// A function of the other doors (a traced Function, a sum of elements) knows its dimension.
template <class F>
concept HasDimension = requires(const F& f) {
  f.dimension();
};

/// One sentence for each mistake; true if there is none, so that no further error follows.
template <class X>
consteval bool check_point() {
  constexpr bool is_point = requires(const X& x) { x[0]; };
  static_assert(is_point, "kappa: the point must be an Eigen vector, a std::array or a std::span");
  if constexpr (is_point) {
    constexpr bool known = fixed_size < X >> 0;
    static_assert(known,
                  "kappa: the point must have its size in its type, such as Eigen::Vector3d or "
                  "std::array<double, 3>; for a size known at run time use kappa::trace");
    if constexpr (known) {
      constexpr bool few = fixed_size<X> <= kMaxJetVariables;
      static_assert(few, "kappa: jets have at most 64 variables; for more use kappa::trace");
      constexpr bool floating = std::is_floating_point_v<ScalarOf<X>>;
      static_assert(floating, "kappa: the point must hold float or double");
      return few && floating;
    }
  }
  return false;
}

/// What a question about a wrong point returns, so that no further error follows.
struct Anything {
  template <class T>
  operator T() const;  // NOLINT
};

/// Calls f and makes sure that a jet comes back.
template <class F, class T, int N>
constexpr T call(const F& f, const Vec<T, N>& x) {
  using Result = std::remove_cvref_t<decltype(f(x))>;
  constexpr bool returns_jet = std::is_same_v<Result, T>;
  static_assert(returns_jet,
                "kappa: the callable must return its scalar type T; a result of type double has "
                "lost the derivatives (write `T sum = 0`, not `double sum = 0`)");
  if constexpr (returns_jet) {
    return f(x);
  } else {
    return T(0.0);
  }
}

template <class T, class F, class X>
T evaluate_values(const F& f, const X& x) {
  constexpr int n = static_cast<int>(fixed_size<X>);
  Vec<T, n> in;
  for (int i = 0; i < n; ++i) in.entry[i] = T(static_cast<typename T::Scalar>(x[i]));
  return call(f, in);
}

template <class T, class F, class X>
T evaluate_variables(const F& f, const X& x) {
  constexpr int n = static_cast<int>(fixed_size<X>);
  Vec<T, n> in;
  for (int i = 0; i < n; ++i) {
    in.entry[i] = T::variable(static_cast<typename T::Scalar>(x[i]), i);
  }
  return call(f, in);
}

/// Where n numbers go: an Eigen vector for an Eigen point, else a std::array.
template <class X, bool = EigenLike<X>>
struct VectorFor {
  using type = std::array<ScalarOf<X>, static_cast<std::size_t>(fixed_size<X>)>;
};
template <class X>
struct VectorFor<X, true> {
  using type = typename X::PlainObject;
};
template <class X, bool = EigenLike<X>>
struct MatrixFor {
  using type = std::array<typename VectorFor<X>::type, static_cast<std::size_t>(fixed_size<X>)>;
};
template <class X>
struct MatrixFor<X, true> {
  using P = typename X::PlainObject;
  static auto outer(const P& p) {
    if constexpr (P::RowsAtCompileTime == 1) {
      return typename std::remove_cvref_t<decltype(p.transpose() * p)>::PlainObject();
    } else {
      return typename std::remove_cvref_t<decltype(p * p.transpose())>::PlainObject();
    }
  }
  using type = decltype(outer(std::declval<const P&>()));
};

}  // namespace detail

/// f at x with its gradient and packed Hessian: `j.value`, `j.gradient[i]`, `j.hessian(i, j)`.
///
/// x: an Eigen vector of fixed size, std::array or std::span with fixed extent; n <= 64.
/// Cost: about 2 n (n + 1) flops for each product or function in f, fewer while terms are linear.
template <class F, class X>
requires(!detail::HasDimension<F>) auto evaluate(const F& f, const X& x) {
  if constexpr (detail::check_point<X>()) {
    using J = Jet<static_cast<int>(detail::fixed_size<X>), detail::ScalarOf<X>>;
    return detail::evaluate_variables<J>(f, x);
  } else {
    return detail::Anything();
  }
}

/// f(x).
template <class F, class X>
requires(!detail::HasDimension<F>) auto value(const F& f, const X& x) {
  if constexpr (detail::check_point<X>()) {
    return detail::evaluate_values<ValueJet<detail::ScalarOf<X>>>(f, x).value;
  } else {
    return detail::Anything();
  }
}

/// The gradient of f at x, n entries, by first-order jets.
template <class F, class X>
requires(!detail::HasDimension<F>) auto gradient(const F& f, const X& x) {
  if constexpr (detail::check_point<X>()) {
    constexpr int n = static_cast<int>(detail::fixed_size<X>);
    const auto r = detail::evaluate_variables<GradientJet<n, detail::ScalarOf<X>>>(f, x);
    typename detail::VectorFor<X>::type g;
    for (int i = 0; i < n; ++i) g[static_cast<std::size_t>(i)] = r.gradient[i];
    return g;
  } else {
    return detail::Anything();
  }
}

/// The Hessian of f at x, n x n, both triangles: an Eigen matrix, or an array of rows.
template <class F, class X>
requires(!detail::HasDimension<F>) auto hessian(const F& f, const X& x) {
  if constexpr (detail::check_point<X>()) {
    constexpr int n = static_cast<int>(detail::fixed_size<X>);
    const auto r = evaluate(f, x);
    typename detail::MatrixFor<X>::type h;
    for (int i = 0; i < n; ++i) {
      for (int j = 0; j < n; ++j) {
        if constexpr (detail::EigenLike<X>) {
          h(i, j) = r.hessian(i, j);
        } else {
          h[static_cast<std::size_t>(i)][static_cast<std::size_t>(j)] = r.hessian(i, j);
        }
      }
    }
    return h;
  } else {
    return detail::Anything();
  }
}

/// H(x) v without the Hessian: O(n) for each operation in f instead of O(n^2).
template <class F, class X>
requires(!detail::HasDimension<F>) auto hvp(const F& f, const X& x, const X& v) {
  if constexpr (detail::check_point<X>()) {
    constexpr int n = static_cast<int>(detail::fixed_size<X>);
    using J = ProductJet<n, detail::ScalarOf<X>>;
    Vec<J, n> in;
    for (int i = 0; i < n; ++i) in.entry[i] = J::variable(x[i], v[i], i);
    const J r = detail::call(f, in);
    typename detail::VectorFor<X>::type product;
    for (int i = 0; i < n; ++i) product[static_cast<std::size_t>(i)] = r.product[i];
    return product;
  } else {
    return detail::Anything();
  }
}

// ---- Ceres-style functors ----------------------------------------------------------------------

namespace detail {

template <int kNumResiduals, int... kBlocks, class Functor, class T, int N, std::size_t... I>
bool call_functor(const Functor& functor, const Vec<T, N>& x, T* residuals,
                  std::index_sequence<I...>) {
  constexpr int sizes[] = {kBlocks..., 0};
  constexpr auto start = [](std::size_t block) {
    int s = 0;
    for (std::size_t b = 0; b < block; ++b) s += sizes[b];
    return s;
  };
  return functor(x.data() + std::integral_constant<int, start(I)>::value..., residuals);
}

}  // namespace detail

/// The callable f(x) = 1/2 sum of the squared residuals of a functor as Ceres' AutoDiffCostFunction
/// takes it: `template <class T> bool operator()(const T* block, ..., T* residuals) const`.
///
/// x is the concatenation of the parameter blocks, of sizes `kBlocks`. Where the functor returns
/// false, f is NaN.
template <int kNumResiduals, int... kBlocks, class Functor>
auto half_squared_norm(Functor functor) {
  static_assert(kNumResiduals > 0 && sizeof...(kBlocks) > 0 && ((kBlocks > 0) && ...),
                "kappa: half_squared_norm<num_residuals, block sizes...>(functor)");
  return [functor = std::move(functor)]<class T, int N>(const Vec<T, N>& x) -> T {
    static_assert(N == (kBlocks + ...), "kappa: the blocks must add up to the size of the point");
    T r[kNumResiduals];
    if (!detail::call_functor<kNumResiduals, kBlocks...>(
            functor, x, r, std::make_index_sequence<sizeof...(kBlocks)>())) {
      return T(std::numeric_limits<double>::quiet_NaN());
    }
    T sum = r[0] * r[0];
    for (int i = 1; i < kNumResiduals; ++i) sum += r[i] * r[i];
    return sum * 0.5;
  };
}

}  // namespace kappa

/// @cond
template <class T, int N>
struct std::tuple_size<kappa::Vec<T, N>> : std::integral_constant<std::size_t, N> {};
template <std::size_t I, class T, int N>
struct std::tuple_element<I, kappa::Vec<T, N>> {
  using type = const T;
};
/// @endcond
