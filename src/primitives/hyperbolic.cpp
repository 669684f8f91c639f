// sinh, cosh, tanh, asinh, acosh, atanh.

#include <cmath>

#include "primitives/elementwise.h"
#include "primitives/vector_math.h"

namespace kappa {

KAPPA_PRIMITIVE(sinh) {
  return unary_primitive(
      {.name = "sinh",
       .doc = "Hyperbolic sine.",
       .kernel =
           tile_kernel([](DType t) { return scalar_tile([](auto x) { return std::sinh(x); }, t); }),
       .jvp = [](const Array& x, const Array&, const Array& dx) { return cosh(x) * dx; }});
}

KAPPA_PRIMITIVE(cosh) {
  return unary_primitive(
      {.name = "cosh",
       .doc = "Hyperbolic cosine.",
       .kernel =
           tile_kernel([](DType t) { return scalar_tile([](auto x) { return std::cosh(x); }, t); }),
       .jvp = [](const Array& x, const Array&, const Array& dx) { return sinh(x) * dx; }});
}

KAPPA_PRIMITIVE(tanh) {
  return unary_primitive(
      {.name = "tanh",
       .doc = "Hyperbolic tangent.",
       .kernel = tile_kernel(tanh_tile),
       .jvp = [](const Array&, const Array& y, const Array& dx) { return (1 - y * y) * dx; }});
}

KAPPA_PRIMITIVE(asinh) {
  return unary_primitive(
      {.name = "asinh",
       .doc = "Inverse hyperbolic sine.",
       .kernel = tile_kernel(
           [](DType t) { return scalar_tile([](auto x) { return std::asinh(x); }, t); }),
       .jvp = [](const Array& x, const Array&, const Array& dx) { return dx / sqrt(x * x + 1); }});
}

KAPPA_PRIMITIVE(acosh) {
  return unary_primitive({.name = "acosh",
                          .doc = "Inverse hyperbolic cosine of x >= 1.",
                          .kernel = tile_kernel([](DType t) {
                            return scalar_tile([](auto x) { return std::acosh(x); }, t);
                          }),
                          .jvp = [](const Array& x, const Array&,
                                    const Array& dx) { return dx / sqrt((x - 1) * (x + 1)); },
                          .range = {1.3, 4}});
}

KAPPA_PRIMITIVE(atanh) {
  return unary_primitive({.name = "atanh",
                          .doc = "Inverse hyperbolic tangent of x in (-1, 1).",
                          .kernel = tile_kernel([](DType t) {
                            return scalar_tile([](auto x) { return std::atanh(x); }, t);
                          }),
                          // 1 - x^2: near 0 the product's own derivative would cancel, near 1 the
                          // square's difference does.
                          .jvp =
                              [](const Array& x, const Array&, const Array& dx) {
                                return dx / where(abs(x) < 0.5, 1 - x * x, (1 - x) * (1 + x));
                              },
                          .range = {-0.8, 0.8}});
}

Array sinh(const Array& x) { return apply_floating(kappa_primitive_sinh(), {{x}}); }
Array cosh(const Array& x) { return apply_floating(kappa_primitive_cosh(), {{x}}); }
Array tanh(const Array& x) { return apply_floating(kappa_primitive_tanh(), {{x}}); }
Array asinh(const Array& x) { return apply_floating(kappa_primitive_asinh(), {{x}}); }
Array acosh(const Array& x) { return apply_floating(kappa_primitive_acosh(), {{x}}); }
Array atanh(const Array& x) { return apply_floating(kappa_primitive_atanh(), {{x}}); }

}  // namespace kappa
