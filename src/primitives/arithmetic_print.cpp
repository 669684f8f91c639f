#include <fmt/format.h>

#include "primitives/arithmetic.h"

namespace kappa {
namespace {

// "x^3" as base "x" and exponent 3; anything else as itself to the power 1.
struct Power {
  std::string base;
  int exponent;
};

Power split_power(const Printed& x) {
  const std::size_t caret = x.first.rfind('^');
  if (x.second == 5 && caret != std::string::npos && x.first.size() - caret <= 3) {
    const std::string exponent = x.first.substr(caret + 1);
    if (exponent.find_first_not_of("0123456789") == std::string::npos) {
      return {x.first.substr(0, caret), std::stoi(exponent)};
    }
  }
  return {parenthesized(x, 9), 1};
}

bool is_number(const std::string& text) {
  return text.find_first_not_of("0123456789.e+-") == std::string::npos;
}

bool is_signed(const Printed& x) { return x.first.starts_with('-'); }

}  // namespace

Printed print_add(const Attributes&, std::span<const Printed> operands) {
  const Printed &a = operands[0], &b = operands[1];
  const std::string left = parenthesized(a, 2);
  if (is_signed(b)) return {fmt::format("{} - {}", left, b.first.substr(1)), 2};
  return {fmt::format("{} + {}", left, parenthesized(b, 2)), 2};
}

Printed print_sub(const Attributes&, std::span<const Printed> operands) {
  const Printed &a = operands[0], &b = operands[1];
  const std::string left = parenthesized(a, 2);
  if (is_signed(b) && b.second > 2) return {fmt::format("{} + {}", left, b.first.substr(1)), 2};
  return {fmt::format("{} - {}", left, parenthesized(b, 3)), 2};
}

Printed print_mul(const Attributes&, std::span<const Printed> operands) {
  const Power a = split_power(operands[0]), b = split_power(operands[1]);
  if (a.base == b.base && !is_number(a.base)) {
    return {fmt::format("{}^{}", a.base, a.exponent + b.exponent), 5};
  }
  const Printed& right = operands[1];
  return {fmt::format("{}*{}", parenthesized(operands[0], 3),
                      parenthesized(right, is_signed(right) ? 10 : 3)),
          3};
}

Printed print_div(const Attributes&, std::span<const Printed> operands) {
  return {fmt::format("{}/{}", parenthesized(operands[0], 3), parenthesized(operands[1], 5)), 3};
}

Printed print_neg(const Attributes&, std::span<const Printed> operands) {
  const Printed& x = operands[0];
  // -(a*b) = (-a)*b to the last bit, so a product needs no parentheses.
  if (x.second == 3 && !is_signed(x)) return {fmt::format("-{}", x.first), 3};
  return {fmt::format("-{}", parenthesized(x, 5)), 4};
}

}  // namespace kappa
