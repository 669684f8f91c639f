// exp, expm1, log, log1p, log2, log10.

#include <cmath>
#include <numbers>

#include "primitives/elementwise.h"
#include "primitives/vector_math.h"

namespace kappa {

KAPPA_PRIMITIVE(exp) {
  return unary_primitive(
      {.name = "exp",
       .doc = "e to the power x.",
       .kernel = tile_kernel(exp_tile),
       .jvp = [](const Array&, const Array& y, const Array& dx) { return y * dx; }});
}

KAPPA_PRIMITIVE(expm1) {
  return unary_primitive(
      {.name = "expm1",
       .doc = "exp(x) - 1, accurate near 0.",
       .kernel = tile_kernel(expm1_tile),
       .jvp = [](const Array& x, const Array&, const Array& dx) { return exp(x) * dx; }});
}

KAPPA_PRIMITIVE(log) {
  return unary_primitive(
      {.name = "log",
       .doc = "Natural logarithm.",
       .kernel = tile_kernel(log_tile),
       .jvp = [](const Array& x, const Array&, const Array& dx) { return dx / x; },
       .range = {0.2, 4}});
}

KAPPA_PRIMITIVE(log1p) {
  return unary_primitive(
      {.name = "log1p",
       .doc = "log(1 + x), accurate near 0.",
       .kernel = tile_kernel(log1p_tile),
       .jvp = [](const Array& x, const Array&, const Array& dx) { return dx / (1 + x); },
       .range = {-0.7, 3}});
}

KAPPA_PRIMITIVE(log2) {
  return unary_primitive({.name = "log2",
                          .doc = "Logarithm to base 2.",
                          .kernel = tile_kernel([](DType t) {
                            return scalar_tile([](auto x) { return std::log2(x); }, t);
                          }),
                          .jvp = [](const Array& x, const Array&,
                                    const Array& dx) { return std::numbers::log2e * (dx / x); },
                          .range = {0.2, 4}});
}

KAPPA_PRIMITIVE(log10) {
  return unary_primitive({.name = "log10",
                          .doc = "Logarithm to base 10.",
                          .kernel = tile_kernel([](DType t) {
                            return scalar_tile([](auto x) { return std::log10(x); }, t);
                          }),
                          .jvp = [](const Array& x, const Array&,
                                    const Array& dx) { return std::numbers::log10e * (dx / x); },
                          .range = {0.2, 4}});
}

Array exp(const Array& x) { return apply_floating(kappa_primitive_exp(), {{x}}); }
Array expm1(const Array& x) { return apply_floating(kappa_primitive_expm1(), {{x}}); }
Array log(const Array& x) { return apply_floating(kappa_primitive_log(), {{x}}); }
Array log1p(const Array& x) { return apply_floating(kappa_primitive_log1p(), {{x}}); }
Array log2(const Array& x) { return apply_floating(kappa_primitive_log2(), {{x}}); }
Array log10(const Array& x) { return apply_floating(kappa_primitive_log10(), {{x}}); }

}  // namespace kappa
