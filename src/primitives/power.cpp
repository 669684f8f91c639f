// pow, sqrt, cbrt, hypot.

#include <cmath>

#include "primitives/elementwise.h"
#include "primitives/vector_math.h"

namespace kappa {
namespace {

// Larger exponents would lose digits by repeated squaring.
constexpr int max_multiplied_exponent = 8;

Array integer_power(const Array& x, int exponent) {
  if (exponent == 1) return x;
  const Array half = integer_power(x, exponent / 2);
  return exponent % 2 == 0 ? half * half : x * (half * half);
}

Array simplify_pow(const Call& call) {
  const Array x = call.operands[0];
  const auto exponent = constant_value(call.operands[1]);
  if (!exponent) return {};
  if (*exponent == 0) return filled(x, 1);
  if (*exponent == 0.5) return sqrt(x);
  if (*exponent == -0.5) return 1 / sqrt(x);
  const double magnitude = std::abs(*exponent);
  if (magnitude > max_multiplied_exponent || magnitude != std::floor(magnitude)) return {};
  const Array power = integer_power(x, static_cast<int>(magnitude));
  return *exponent > 0 ? power : 1 / power;
}

// d x^e = e x^(e-1) dx + x^e log(x) de. With a constant exponent the logarithm never appears; with
// a variable one, what would be 0 * inf (e = 0 or x^e = 0) is 0.
Array pow_jvp(const Call& call, std::span<const Array> tangents) {
  const Array &x = call.operands[0], &e = call.operands[1], &y = call.result;
  Array result;
  if (tangents[0].defined()) {
    Array slope;
    if (const auto c = constant_value(e)) {
      slope = *c * pow(x, *c - 1);
    } else {
      const Array vanishes = equal(e, 0);
      const Array safe = where(vanishes, 1, e);
      slope = where(vanishes, 0, safe * pow(x, safe - 1));
    }
    result = slope * tangents[0];
  }
  if (tangents[1].defined()) {
    const Array change = (y * log(where(equal(y, 0), 1, x))) * tangents[1];
    result = result.defined() ? result + change : change;
  }
  return result;
}

// a / sqrt(a^2 + b^2), 0 at the origin.
Array direction_cosine(const Array& a, const Array& length) {
  return a / where(equal(length, 0), 1, length);
}

}  // namespace

KAPPA_PRIMITIVE(pow) {
  return {
      .name = "pow",
      .doc = "x to the power e; NaN for a negative x and an e that is no integer.",
      .num_operands = 2,
      .infer = infer_floating,
      .jvp = pow_jvp,
      .simplify = simplify_pow,
      .kernel = tile_kernel(
          [](DType t) { return scalar_tile2([](auto x, auto e) { return std::pow(x, e); }, t); },
          transcendental_cost),
      .samples =
          [] {
            return std::vector<Sample>{elementwise_sample(2, {{0.3, 2}, {-2, 3}})};
          },
      .print =
          [](const Attributes&, std::span<const Printed> operands) {
            return Printed{parenthesized(operands[0], 6) + "^" + parenthesized(operands[1], 6), 5};
          },
      .formula_function = true};
}

KAPPA_PRIMITIVE(sqrt) {
  return unary_primitive(
      {.name = "sqrt",
       .doc = "Square root; the derivative at 0 is infinite.",
       .kernel = tile_kernel(sqrt_tile),
       .jvp = [](const Array&, const Array& y, const Array& dx) { return dx / (2 * y); },
       .range = {0.2, 4}});
}

KAPPA_PRIMITIVE(cbrt) {
  Primitive primitive = unary_primitive(
      {.name = "cbrt",
       .doc = "Cube root; the derivative at 0 is infinite.",
       .kernel =
           tile_kernel([](DType t) { return scalar_tile([](auto x) { return std::cbrt(x); }, t); }),
       .jvp = [](const Array&, const Array& y, const Array& dx) { return dx / (3 * (y * y)); }});
  primitive.samples = [] {
    return std::vector<Sample>{elementwise_sample(1, {{0.2, 3}}),
                               elementwise_sample(1, {{-3, -0.2}})};
  };
  return primitive;
}

KAPPA_PRIMITIVE(hypot) {
  return {.name = "hypot",
          .doc = "sqrt(a^2 + b^2) without overflow; the derivative at the origin is taken as 0.",
          .num_operands = 2,
          .infer = infer_floating,
          .jvp =
              [](const Call& call, std::span<const Array> tangents) {
                Array sum;
                for (std::size_t i = 0; i < 2; ++i) {
                  if (!tangents[i].defined()) continue;
                  const Array term = direction_cosine(call.operands[i], call.result) * tangents[i];
                  sum = sum.defined() ? sum + term : term;
                }
                return sum;
              },
          .kernel = tile_kernel([](DType t) {
            return scalar_tile2([](auto a, auto b) { return std::hypot(a, b); }, t);
          }),
          .samples =
              [] {
                return std::vector<Sample>{elementwise_sample(2, {{0.3, 2}, {-2, 2}})};
              },
          .formula_function = true};
}

Array pow(const Array& base, const Array& exponent) {
  return apply_floating(kappa_primitive_pow(), {{base, exponent}});
}
Array sqrt(const Array& x) { return apply_floating(kappa_primitive_sqrt(), {{x}}); }
Array cbrt(const Array& x) { return apply_floating(kappa_primitive_cbrt(), {{x}}); }
Array hypot(const Array& a, const Array& b) {
  return apply_floating(kappa_primitive_hypot(), {{a, b}});
}

}  // namespace kappa
