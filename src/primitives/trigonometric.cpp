// sin, cos, tan, asin, acos, atan, atan2.

#include <cmath>

#include "primitives/elementwise.h"
#include "primitives/vector_math.h"

namespace kappa {

KAPPA_PRIMITIVE(sin) {
  return unary_primitive(
      {.name = "sin",
       .doc = "Sine of x radians.",
       .kernel = tile_kernel(sin_tile),
       .jvp = [](const Array& x, const Array&, const Array& dx) { return cos(x) * dx; }});
}

KAPPA_PRIMITIVE(cos) {
  return unary_primitive(
      {.name = "cos",
       .doc = "Cosine of x radians.",
       .kernel = tile_kernel(cos_tile),
       .jvp = [](const Array& x, const Array&, const Array& dx) { return -(sin(x) * dx); }});
}

KAPPA_PRIMITIVE(tan) {
  return unary_primitive(
      {.name = "tan",
       .doc = "Tangent of x radians.",
       .kernel =
           tile_kernel([](DType t) { return scalar_tile([](auto x) { return std::tan(x); }, t); }),
       .jvp = [](const Array&, const Array& y, const Array& dx) { return (y * y + 1) * dx; },
       .range = {-1.2, 1.2}});
}

// The derivatives of asin and acos as a product of two roots of exact differences: 1 - x*x loses
// its digits near |x| = 1.
KAPPA_PRIMITIVE(asin) {
  return unary_primitive({.name = "asin",
                          .doc = "Arc sine, in [-pi/2, pi/2].",
                          .kernel = tile_kernel([](DType t) {
                            return scalar_tile([](auto x) { return std::asin(x); }, t);
                          }),
                          .jvp = [](const Array& x, const Array&,
                                    const Array& dx) { return dx / sqrt((1 - x) * (1 + x)); },
                          .range = {-0.8, 0.8}});
}

KAPPA_PRIMITIVE(acos) {
  return unary_primitive({.name = "acos",
                          .doc = "Arc cosine, in [0, pi].",
                          .kernel = tile_kernel([](DType t) {
                            return scalar_tile([](auto x) { return std::acos(x); }, t);
                          }),
                          .jvp = [](const Array& x, const Array&,
                                    const Array& dx) { return -(dx / sqrt((1 - x) * (1 + x))); },
                          .range = {-0.8, 0.8}});
}

KAPPA_PRIMITIVE(atan) {
  return unary_primitive(
      {.name = "atan",
       .doc = "Arc tangent, in [-pi/2, pi/2].",
       .kernel =
           tile_kernel([](DType t) { return scalar_tile([](auto x) { return std::atan(x); }, t); }),
       .jvp = [](const Array& x, const Array&, const Array& dx) { return dx / (x * x + 1); }});
}

KAPPA_PRIMITIVE(atan2) {
  return {.name = "atan2",
          .doc =
              "Angle of the point (x, y) = (b, a), in [-pi, pi]. The derivative at the origin, "
              "where there is no angle, is NaN.",
          .num_operands = 2,
          .infer = infer_floating,
          .jvp = [](const Call& call, std::span<const Array> tangents) -> Array {
            const Array &y = call.operands[0], &x = call.operands[1];
            const Array squared = x * x + y * y;
            Array result;
            if (tangents[0].defined()) result = (x / squared) * tangents[0];
            if (tangents[1].defined()) {
              const Array change = (y / squared) * tangents[1];
              result = result.defined() ? result - change : -change;
            }
            return result;
          },
          .kernel = tile_kernel([](DType t) {
            return scalar_tile2([](auto y, auto x) { return std::atan2(y, x); }, t);
          }),
          .samples =
              [] {
                return std::vector<Sample>{elementwise_sample(2, {{0.3, 2}, {-2, 2}}),
                                           elementwise_sample(2, {{-2, -0.3}, {-2, 2}}),
                                           elementwise_sample(2, {{-2, 2}, {0.3, 2}})};
              },
          .formula_function = true};
}

Array sin(const Array& x) { return apply_floating(kappa_primitive_sin(), {{x}}); }
Array cos(const Array& x) { return apply_floating(kappa_primitive_cos(), {{x}}); }
Array tan(const Array& x) { return apply_floating(kappa_primitive_tan(), {{x}}); }
Array asin(const Array& x) { return apply_floating(kappa_primitive_asin(), {{x}}); }
Array acos(const Array& x) { return apply_floating(kappa_primitive_acos(), {{x}}); }
Array atan(const Array& x) { return apply_floating(kappa_primitive_atan(), {{x}}); }
Array atan2(const Array& y, const Array& x) {
  return apply_floating(kappa_primitive_atan2(), {{y, x}});
}

}  // namespace kappa
