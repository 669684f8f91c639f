// gelu and its first two derivatives as primitives of their own: a network's backward pass and its
// Hessian product then read one stored array each instead of the parts of a composition.

#include "primitives/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "primitives/gelu.cpp"
#include "hwy/foreach_target.h"  // must stand before highway.h
#include "hwy/highway.h"
#include "primitives/vector_math-inl.h"

HWY_BEFORE_NAMESPACE();
namespace kappa {
namespace HWY_NAMESPACE {

constexpr double inverse_root_2 = 0.70710678118654752440;
constexpr double inverse_root_2pi = 0.39894228040143267794;

// Beyond this the normal density is 0 and the distribution 0 or 1 in either precision; infinities
// would give 0 * inf.
template <class D, class V>
HWY_INLINE V within_tails(D d, V x) {
  return hn::Min(hn::Max(x, constant_of(d, -40)), constant_of(d, 40));
}

// exp(-x^2/2) / sqrt(2 pi). What rounding the square loses would be seen in the tails.
template <class D, class V>
HWY_INLINE V NormalDensity(D d, V x) {
  const V square = hn::Mul(x, x);
  const V lost = hn::MulSub(x, x, square);
  const V density =
      hn::Mul(constant_of(d, inverse_root_2pi), SafeExp(d, hn::Mul(square, constant_of(d, -0.5))));
  return hn::NegMulAdd(hn::Mul(lost, constant_of(d, 0.5)), density, density);
}

// The normal distribution function, which keeps its digits in the lower tail. In single precision
// the density times Mills' ratio s P(s), s = 1 / (1 + 0.4 |x|), within 4e-8 relative: least squares
// with Lawson weights (tools: mpmath).
template <class D, class V>
HWY_INLINE V NormalDistribution(D d, V x) {
  if constexpr (sizeof(hn::TFromD<D>) == 4) {
    const V one = constant_of(d, 1);
    const V s = hn::Div(one, hn::MulAdd(hn::Abs(x), constant_of(d, 0.4), one));
    V p = constant_of(d, 0.07658647992);
    for (const double c : {-0.423922125, 0.9206140527, -0.897163092, 0.2736635082, -0.05723024613,
                           0.226643199, 0.3340115142, 0.4001134276, 0.3999973804}) {
      p = hn::MulAdd(p, s, constant_of(d, c));
    }
    const V tail = hn::Mul(hn::Mul(s, p), NormalDensity(d, x));
    return hn::IfThenElse(hn::Lt(x, hn::Zero(d)), tail, hn::Sub(one, tail));
  } else {
    HWY_ALIGN double value[hn::MaxLanes(d)];
    hn::Store(hn::Mul(x, constant_of(d, -inverse_root_2)), d, value);
    for (std::size_t i = 0; i < hn::Lanes(d); ++i) value[i] = 0.5 * std::erfc(value[i]);
    return hn::Load(d, value);
  }
}

struct GeluOperation {
  template <class D, class V>
  static HWY_INLINE V vector(D d, V x) {
    const V lowest = hn::Max(x, constant_of(d, -40));
    return nan_with(x, hn::Mul(lowest, NormalDistribution(d, within_tails(d, x))));
  }
};

struct GeluSlopeOperation {
  template <class D, class V>
  static HWY_INLINE V vector(D d, V x) {
    const V z = within_tails(d, x);
    return nan_with(x, hn::MulAdd(z, NormalDensity(d, z), NormalDistribution(d, z)));
  }
};

struct GeluBendOperation {
  template <class D, class V>
  static HWY_INLINE V vector(D d, V x) {
    const V z = within_tails(d, x);
    return nan_with(x, hn::Mul(hn::NegMulAdd(z, z, constant_of(d, 2)), NormalDensity(d, z)));
  }
};

TileFunction gelu_vectors(DType dtype) { return floating_tile<GeluOperation, 1>(dtype); }
TileFunction gelu_slope_vectors(DType dtype) { return floating_tile<GeluSlopeOperation, 1>(dtype); }
TileFunction gelu_bend_vectors(DType dtype) { return floating_tile<GeluBendOperation, 1>(dtype); }

}  // namespace HWY_NAMESPACE
}  // namespace kappa
HWY_AFTER_NAMESPACE();

#if HWY_ONCE

#include <fmt/format.h>

#include <numbers>

#include "primitives/elementwise.h"

namespace kappa {

HWY_EXPORT(gelu_vectors);
HWY_EXPORT(gelu_slope_vectors);
HWY_EXPORT(gelu_bend_vectors);

const Primitive& kappa_primitive_gelu_slope();
const Primitive& kappa_primitive_gelu_bend();

namespace {

Array gelu_slope(const Array& x) { return apply_floating(kappa_primitive_gelu_slope(), {{x}}); }
Array gelu_bend(const Array& x) { return apply_floating(kappa_primitive_gelu_bend(), {{x}}); }

// Printed as what a formula can say: `form` with {} for the operand.
template <std::size_t N>
auto print_as(const char (&form)[N]) {
  return [form = std::string(form)](const Attributes&, std::span<const Printed> operands) {
    return Printed{fmt::format(fmt::runtime(form), parenthesized(operands[0], 9)), 9};
  };
}

}  // namespace

KAPPA_PRIMITIVE(gelu) {
  return unary_primitive(
      {.name = "gelu",
       .doc = "x P(x), P the standard normal distribution function.",
       .kernel = tile_kernel([](DType t) { return HWY_DYNAMIC_DISPATCH(gelu_vectors)(t); }),
       .jvp = [](const Array& x, const Array&, const Array& dx) { return gelu_slope(x) * dx; },
       .formula_function = false});
}

KAPPA_PRIMITIVE(gelu_slope) {
  Primitive primitive = unary_primitive(
      {.name = "gelu_slope",
       .doc = "The derivative of gelu: P(x) + x p(x), p the standard normal density.",
       .kernel = tile_kernel([](DType t) { return HWY_DYNAMIC_DISPATCH(gelu_slope_vectors)(t); }),
       .jvp = [](const Array& x, const Array&, const Array& dx) { return gelu_bend(x) * dx; },
       .formula_function = false});
  primitive.print = print_as("(erfc(-{0}/sqrt(2))/2 + {0}*exp(-{0}^2/2)/sqrt(2*pi))");
  return primitive;
}

KAPPA_PRIMITIVE(gelu_bend) {
  Primitive primitive = unary_primitive(
      {.name = "gelu_bend",
       .doc = "The second derivative of gelu: (2 - x^2) p(x).",
       .kernel = tile_kernel([](DType t) { return HWY_DYNAMIC_DISPATCH(gelu_bend_vectors)(t); }),
       .jvp =
           [](const Array& x, const Array&, const Array& dx) {
             const double scale = std::numbers::inv_sqrtpi / std::numbers::sqrt2;
             return (scale * exp(-0.5 * (x * x)) * (x * (x * x - 4))) * dx;
           },
       .formula_function = false});
  primitive.print = print_as("((2 - {0}^2)*exp(-{0}^2/2)/sqrt(2*pi))");
  return primitive;
}

Array gelu(const Array& x) { return apply_floating(kappa_primitive_gelu(), {{x}}); }

}  // namespace kappa

#endif  // HWY_ONCE
