#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "kappa/array.h"
#include "kappa/error.h"
#include "program/program.h"
#include "program/tensor.h"

namespace kappa {

/// A mistake in a formula. The message is one line that quotes the formula and gives the position;
/// `caret_excerpt(text(), offset())` shows it in a terminal.
class FormulaError : public Error {
 public:
  /// `problem` says what is wrong, `remedy` (may be empty) follows the quoted formula.
  FormulaError(ErrorKind kind, std::string_view text, std::size_t offset,
               const std::string& problem, const std::string& remedy = "");
  [[nodiscard]] const std::string& text() const { return text_; }
  /// Byte offset in the text, from 0.
  [[nodiscard]] std::size_t offset() const { return offset_; }

 private:
  std::string text_;
  std::size_t offset_;
};

/// Two lines: the line of the formula that holds `offset` (shortened around it where long), and a
/// caret under that place.
std::string caret_excerpt(std::string_view text, std::size_t offset);

enum class FormulaKind {
  number,     // number
  constant,   // pi, e: number
  name,       // text: a name bound from outside
  reference,  // children[0]: the definition's expression
  negate,     // children[0]
  binary,     // text: + - * / ^ @ < <= > >= == !=; two children
  call,       // text: the function; children: arguments, keywords last
  keyword,    // text = children[0], in a call
  index,      // children[0][children[1], ...]
  slice,      // start:stop:step, -1 where absent; in an index
  new_axis,   // None; in an index
  transpose,  // children[0].T
  array,      // [children, ...]
};

/// One node of a formula's syntax tree. Children stand before their parents in
/// `ParsedFormula::nodes`, so that one loop visits a tree of any depth.
struct FormulaNode {
  FormulaKind kind = FormulaKind::number;
  std::size_t offset = 0;  // of the operator, the name or the bracket: where errors point
  std::size_t begin = 0;   // the whole expression is text[begin, end)
  std::size_t end = 0;
  double number = 0;
  std::string text;
  std::vector<std::int32_t> children;
};

/// Text that follows the grammar, before names have values. See docs/formula.md for the language.
struct ParsedFormula {
  struct Definition {
    std::string name;
    std::int32_t node;
  };
  std::string text;
  std::vector<FormulaNode> nodes;
  std::vector<Definition> definitions;
  /// The last expression: one node, or several for a vector of formulas `(a, b, c)`.
  std::vector<std::int32_t> results;
  bool is_tuple = false;
  /// Names without a definition, in order of first appearance.
  std::vector<std::string> free_names;
};

/// Limits on what is read; larger formulas are refused with these figures.
/// The parser and the binder recurse: this many levels fit the smallest stacks in use, sanitizers
/// included (about 15 kB a level there).
inline constexpr int max_formula_depth = 250;
inline constexpr std::size_t max_formula_nodes = 1'000'000;
inline constexpr std::int64_t max_formula_elements = 100'000'000;  // of range, zeros, ones

/// Reads a formula. Throws FormulaError(parse | name | resource).
ParsedFormula parse_formula(std::string_view text);

/// What the free names of a formula stand for. A name is looked up in this order.
struct FormulaBindings {
  std::map<std::string, Tensor> constants;
  std::vector<std::string> columns;
  std::vector<std::pair<std::string, Shape>> parameters;
  DType dtype = DType::f64;
};

/// f = scale * sum_i residuals_i^2, read off a formula that is a sum of squares.
struct FormulaResiduals {
  Program program;  // the inputs of BoundFormula::program; one output of shape (m)
  double scale = 1;
};

/// A formula as a program over its parameters and one row of a table.
struct BoundFormula {
  /// Inputs: all parameters in their order, then the columns used, as scalars, in order of first
  /// appearance. One output: a scalar, or shape (m) where `is_vector`.
  Program program;
  std::vector<std::string> columns;
  bool is_vector = false;
  /// Text of each component of a vector, e.g. "x*y" or "A@x[3]"; empty for more than 10,000.
  std::vector<std::string> components;
  /// Where the formula is evidently a sum of squares of more than constants.
  std::optional<FormulaResiduals> residuals;
};

/// Gives names their values. Throws FormulaError(name) for a name that is bound to nothing,
/// (shape | type | value) for an operation whose operands do not fit, at that operation;
/// Error(usage) for a parameter that the formula or the bindings take for something else.
BoundFormula bind_formula(const ParsedFormula& formula, const FormulaBindings& bindings);

/// Every function a formula may call, sorted, with how it is written: {"sum", "sum(x, axis=)"}.
std::vector<std::pair<std::string, std::string>> formula_functions();

}  // namespace kappa
