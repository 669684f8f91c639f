#include <cmath>

#include "primitives/arithmetic.h"

namespace kappa {
namespace {

bool is_neg(const Array& x) { return is(x, kappa_primitive_neg()); }

// A factor that may move through a product without making it over- or underflow in practice.
bool is_moderate(double factor) {
  return std::abs(factor) >= 0x1p-20 && std::abs(factor) <= 0x1p20;
}

struct Term {
  double coefficient;
  Array rest;
};

// x as coefficient * rest: constants stand first in products.
Term split_coefficient(const Array& x) {
  if (is_neg(x)) return {-1, operand(x, 0)};
  if (is(x, kappa_primitive_mul())) {
    if (const auto c = constant_value(operand(x, 0))) return {*c, operand(x, 1)};
  }
  return {1, x};
}

bool same(const Array& a, const Array& b) { return a.id() == b.id(); }

// a*r + b*r = (a + b)*r. A vanishing sum is left alone: r may be infinite.
Array add_like_terms(const Array& a, const Array& b, double sign) {
  if (!is_floating(a.dtype())) return {};
  const Term s = split_coefficient(a), t = split_coefficient(b);
  const double sum = s.coefficient + sign * t.coefficient;
  if (!same(s.rest, t.rest) || sum == 0 || !std::isfinite(sum)) return {};
  return sum * s.rest;
}

}  // namespace

Array simplify_add(const Call& call) {
  const Array a = call.operands[0], b = call.operands[1];
  const auto ca = constant_value(a), cb = constant_value(b);
  if (ca && cb && is_floating(a.dtype())) return filled(a, *ca + *cb);
  if (ca && !cb) return b + a;  // constants stand last
  if (cb) return *cb == 0 ? a : Array{};
  if (is_neg(b)) return a - operand(b, 0);
  if (is_neg(a)) return b - operand(a, 0);
  if (const Array sum = add_like_terms(a, b, 1); sum.defined()) return sum;
  return b.id() < a.id() ? b + a : Array{};
}

Array simplify_sub(const Call& call) {
  const Array a = call.operands[0], b = call.operands[1];
  const auto ca = constant_value(a), cb = constant_value(b);
  if (ca && cb && is_floating(a.dtype())) return filled(a, *ca - *cb);
  if (cb && *cb == 0) return a;
  if (ca && *ca == 0) return -b;
  if (ca || cb) return {};
  if (is_neg(b)) return a + operand(b, 0);
  if (is_neg(a)) return -(operand(a, 0) + b);
  return add_like_terms(a, b, -1);
}

Array simplify_mul(const Call& call) {
  const Array a = call.operands[0], b = call.operands[1];
  const auto ca = constant_value(a), cb = constant_value(b);
  const bool floating = is_floating(a.dtype());
  if (ca && cb && floating) return filled(a, *ca * *cb);
  if (cb && !ca) return b * a;  // constants stand first
  if (ca) {
    if (*ca == 0) return a;
    if (*ca == 1) return b;
    if (*ca == -1) return -b;
    if (!floating) return {};
    const Term t = split_coefficient(b);
    const double product = *ca * t.coefficient;
    return t.coefficient != 1 && std::isnormal(product) ? product * t.rest : Array{};
  }
  if (is_neg(a)) return -(operand(a, 0) * b);
  if (is_neg(b)) return -(a * operand(b, 0));
  if (floating) {
    const Term s = split_coefficient(a), t = split_coefficient(b);
    const double product = s.coefficient * t.coefficient;
    if (product != 1 && is_moderate(s.coefficient) && is_moderate(t.coefficient)) {
      return product * (s.rest * t.rest);
    }
  }
  return b.id() < a.id() ? b * a : Array{};
}

Array simplify_div(const Call& call) {
  const Array a = call.operands[0], b = call.operands[1];
  const auto ca = constant_value(a), cb = constant_value(b);
  if (ca && cb) return filled(a, *ca / *cb);
  if (cb) {
    int exponent = 0;
    const bool power_of_two = std::abs(std::frexp(*cb, &exponent)) == 0.5;
    return power_of_two && is_moderate(*cb) ? (1 / *cb) * a : Array{};  // exact
  }
  if (is_neg(a)) return -(operand(a, 0) / b);
  if (is_neg(b)) return -(a / operand(b, 0));
  if (ca) return {};
  const Term s = split_coefficient(a), t = split_coefficient(b);
  if (s.coefficient * t.coefficient != 1 && is_moderate(s.coefficient) &&
      is_moderate(t.coefficient)) {
    return (s.coefficient / t.coefficient) * (s.rest / t.rest);
  }
  return {};
}

Array simplify_neg(const Call& call) {
  const Array& x = call.operands[0];
  if (const auto c = constant_value(x)) return filled(x, -*c);
  if (is_neg(x)) return operand(x, 0);
  if (is(x, kappa_primitive_sub())) return operand(x, 1) - operand(x, 0);
  const Term t = split_coefficient(x);
  return t.coefficient != 1 ? -t.coefficient * t.rest : Array{};
}

}  // namespace kappa
