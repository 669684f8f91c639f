#pragma once

#include <optional>
#include <vector>

#include "frontend/expression.h"
#include "program/program.h"

namespace kappa {

/// A program's outputs as expressions of its inputs' elements (x, x[0], x[1,2]): one list of
/// row-major elements an output. Nothing where an operation cannot be written so, or the work
/// exceeds a limit.
std::optional<std::vector<std::vector<Expressions::Id>>> symbolic_elements(Expressions& expressions,
                                                                           const Program& program);

/// A program's outputs as expressions of whole arrays. Nothing where an operation has no form in
/// the formula language.
std::optional<std::vector<Expressions::Id>> symbolic_arrays(Expressions& expressions,
                                                            const Program& program);

/// @name Used by both
/// @{

/// Thrown where an operation has no form in the language; caught by the two functions above.
struct Unprintable {};

/// An elementwise operation applied to expressions that stand for one element or a whole array.
Expressions::Id symbolic_elementwise(Expressions& expressions, const Node& node,
                                     std::span<const Expressions::Id> operands);
/// name(a, b, ...) with precedence 9.
Expressions::Id symbolic_call(Expressions& expressions, const std::string& name,
                              std::span<const Expressions::Id> operands, const Shape& shape = {});
/// @}

/// Work after which a formula is too large to be worth printing.
inline constexpr std::int64_t max_symbolic_work = 200'000;
inline constexpr int max_symbolic_depth = 400;

}  // namespace kappa
