#pragma once

#include <string_view>
#include <vector>

namespace kappa {

/// A piece of a formula's text. `separator` is `;` or a line end outside brackets.
struct FormulaToken {
  enum class Kind { number, name, symbol, separator, end };
  Kind kind;
  std::size_t offset;
  std::string_view text;  // `**` is given as `^`
  double number = 0;
  bool spaced = false;  // white space stands before it
};

/// Throws FormulaError(parse) at a character that no formula contains.
std::vector<FormulaToken> tokenize_formula(std::string_view text);

}  // namespace kappa
