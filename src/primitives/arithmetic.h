#pragma once

#include "primitives/elementwise.h"

namespace kappa {

/// @name Rewriting of arithmetic
///
/// Keeps programs small and their printed form short: neutral elements vanish, signs move outwards,
/// constant factors are gathered in front, like terms are added, and operands of commutative
/// operations stand in one order, so that a*b and b*a are one node. Values change by rounding at
/// most; a product with a constant zero is zero, even where the other factor is not finite.
/// @{
Array simplify_add(const Call& call);
Array simplify_sub(const Call& call);
Array simplify_mul(const Call& call);
Array simplify_div(const Call& call);
Array simplify_neg(const Call& call);
/// @}

/// @name Infix printing with the fewest parentheses; repeated factors print as powers
/// @{
Printed print_add(const Attributes&, std::span<const Printed> operands);
Printed print_sub(const Attributes&, std::span<const Printed> operands);
Printed print_mul(const Attributes&, std::span<const Printed> operands);
Printed print_div(const Attributes&, std::span<const Printed> operands);
Printed print_neg(const Attributes&, std::span<const Printed> operands);
/// @}

}  // namespace kappa
