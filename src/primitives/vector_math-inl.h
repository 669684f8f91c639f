// Vector functions, compiled once for each SIMD target. Highway's own are accurate within a few
// units in the last place but defined on finite ranges; here they answer zero, infinities, NaN and
// overflow as the C library does.
#if defined(KAPPA_PRIMITIVES_VECTOR_MATH_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef KAPPA_PRIMITIVES_VECTOR_MATH_INL_H
#undef KAPPA_PRIMITIVES_VECTOR_MATH_INL_H
#else
#define KAPPA_PRIMITIVES_VECTOR_MATH_INL_H
#endif

#include <cmath>
#include <limits>

#include "hwy/contrib/math/math-inl.h"
#include "primitives/tile-inl.h"

HWY_BEFORE_NAMESPACE();
namespace kappa {
namespace HWY_NAMESPACE {

template <class D>
HWY_INLINE hn::Vec<D> constant_of(D d, double value) {
  return hn::Set(d, static_cast<hn::TFromD<D>>(value));
}

template <class D>
HWY_INLINE hn::Vec<D> infinity_of(D d) {
  return hn::Set(d, std::numeric_limits<hn::TFromD<D>>::infinity());
}

// y, but NaN where x is.
template <class V>
HWY_INLINE V nan_with(V x, V y) {
  return hn::IfThenElse(hn::Eq(x, x), y, x);
}

template <class D, class V>
HWY_INLINE V SquareRoot(D, V x) {
  return hn::Sqrt(x);
}

template <class D, class V>
HWY_INLINE V Relu(D d, V x) {
  const V zero = hn::Zero(d);
  return hn::IfThenElse(hn::Lt(x, zero), zero, x);
}

// Arguments are held where 2^q is still a product of two normal numbers; what lies beyond has
// over- or underflowed there already.
template <class D, class V>
HWY_INLINE V clamp_exponent(D d, V x) {
  constexpr bool single = sizeof(hn::TFromD<D>) == 4;
  return hn::Min(hn::Max(x, constant_of(d, single ? -104 : -746)),
                 constant_of(d, single ? 89 : 710));
}

template <class D, class V>
HWY_INLINE V SafeExp(D d, V x) {
  return nan_with(x, hn::Exp(d, clamp_exponent(d, x)));
}

template <class D, class V>
HWY_INLINE V SafeExpm1(D d, V x) {
  const V y = hn::Expm1(d, clamp_exponent(d, x));
  return hn::IfThenElse(hn::Eq(x, hn::Zero(d)), x, nan_with(x, y));  // keeps -0
}

template <class D, class V>
HWY_INLINE V SafeLog(D d, V x) {
  const V zero = hn::Zero(d), infinity = infinity_of(d);
  const V y = hn::Log(d, x);
  const V low = hn::IfThenElse(hn::Eq(x, zero), hn::Neg(infinity), hn::Div(zero, zero));
  // NaN, negative or zero fails the comparison; infinity is its own logarithm.
  return hn::IfThenElse(hn::Gt(x, zero), hn::IfThenElse(hn::Eq(x, infinity), x, y), low);
}

template <class D, class V>
HWY_INLINE V SafeLog1p(D d, V x) {
  const V zero = hn::Zero(d), infinity = infinity_of(d), pole = constant_of(d, -1);
  const V y = hn::Log1p(d, x);
  const V low = hn::IfThenElse(hn::Eq(x, pole), hn::Neg(infinity), hn::Div(zero, zero));
  return hn::IfThenElse(hn::Gt(x, pole), hn::IfThenElse(hn::Eq(x, infinity), x, y), low);
}

template <class D, class V>
HWY_INLINE V SafeTanh(D d, V x) {
  return hn::Tanh(d, x);
}

// With e = exp(-|x|): 1 / (1 + e) or e / (1 + e), so that small values keep their digits.
template <class D, class V>
HWY_INLINE V Sigmoid(D d, V x) {
  const V one = constant_of(d, 1);
  const V e = SafeExp(d, hn::Neg(hn::Abs(x)));
  return hn::Div(hn::IfThenElse(hn::Lt(x, hn::Zero(d)), e, one), hn::Add(one, e));
}

// max(x, 0) + log(1 + exp(-|x|)).
template <class D, class V>
HWY_INLINE V Softplus(D d, V x) {
  const V e = SafeExp(d, hn::Neg(hn::Abs(x)));
  return hn::Add(hn::IfThenElse(hn::Lt(x, hn::Zero(d)), hn::Zero(d), x), hn::Log1p(d, e));
}

// Sine or cosine: Highway's within its range, the C library's lane by lane beyond.
template <class D, class V, class Function>
HWY_INLINE V within_reduction_range(D d, V x, V y, Function exact) {
  const auto beyond = hn::Not(hn::Le(hn::Abs(x), constant_of(d, 39000)));  // NaN too
  if (HWY_LIKELY(hn::AllFalse(d, beyond))) return y;
  using T = hn::TFromD<D>;
  HWY_ALIGN T argument[hn::MaxLanes(d)], value[hn::MaxLanes(d)];
  hn::Store(x, d, argument);
  for (std::size_t i = 0; i < hn::Lanes(d); ++i) value[i] = exact(argument[i]);
  return hn::IfThenElse(beyond, hn::Load(d, value), y);
}

template <class D, class V>
HWY_INLINE V Sine(D d, V x) {
  return within_reduction_range(
      d, x, hn::IfThenElse(hn::Eq(x, hn::Zero(d)), x, hn::Sin(d, x)),  // keeps -0
      [](auto t) { return std::sin(t); });
}

template <class D, class V>
HWY_INLINE V Cosine(D d, V x) {
  return within_reduction_range(d, x, hn::Cos(d, x), [](auto t) { return std::cos(t); });
}

// x P(x^2) / Q(x^2), within 2e-8 relative for |x| < 3.93 where erf rounds to 1: least squares with
// Lawson weights on erf(x)/x (tools: mpmath). All coefficients are positive, so nothing cancels.
template <class D, class V>
HWY_INLINE V ErfSingle(D d, V x) {
  const V limit = constant_of(d, 3.925);
  const V clamped = hn::Min(hn::Max(x, hn::Neg(limit)), limit);
  const V t = hn::Mul(clamped, clamped);
  V p = constant_of(d, 2.0420351751e-6);
  for (const double c :
       {0.000284790735118, 0.00377897972334, 0.052788358383, 0.190769682085, 1.12837914546}) {
    p = hn::MulAdd(p, t, constant_of(d, c));
  }
  V q = constant_of(d, 3.80037984777e-5);
  for (const double c : {0.001165052576, 0.0149961896208, 0.114251620248, 0.50239795194, 1.0}) {
    q = hn::MulAdd(q, t, constant_of(d, c));
  }
  const V one = constant_of(d, 1);
  const V y = hn::Min(hn::Max(hn::Div(hn::Mul(clamped, p), q), hn::Neg(one)), one);
  return nan_with(x, y);
}

}  // namespace HWY_NAMESPACE
}  // namespace kappa
HWY_AFTER_NAMESPACE();

#endif  // per-target guard
