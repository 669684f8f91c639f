#include <fmt/format.h>

#include <algorithm>
#include <numbers>
#include <unordered_map>

#include "frontend/formula.h"
#include "frontend/formula_functions.h"
#include "frontend/formula_lexer.h"
#include "frontend/nearest.h"

namespace kappa {
namespace {

using Token = FormulaToken;
using Id = std::int32_t;

constexpr int comparison_level = 1, sum_level = 2, product_level = 3;

// Level of a left-associative operator, 0 for anything else.
int level_of(const Token& token) {
  if (token.kind != Token::Kind::symbol) return 0;
  const std::string_view s = token.text;
  if (s == "<" || s == "<=" || s == ">" || s == ">=" || s == "==" || s == "!=") {
    return comparison_level;
  }
  if (s == "+" || s == "-") return sum_level;
  if (s == "*" || s == "/" || s == "@") return product_level;
  return 0;
}

// Recursive descent with precedence climbing. Grammar in docs/formula.md.
class Parser {
 public:
  explicit Parser(std::string_view text) : tokens_(tokenize_formula(text)) {
    formula_.text = std::string(text);
  }

  ParsedFormula run() {
    skip_separators();
    for (;;) {
      if (peek().kind == Token::Kind::end) {
        if (formula_.definitions.empty()) fail(ErrorKind::parse, peek(), "the formula is empty");
        fail(ErrorKind::parse, peek(), "no expression follows the definitions",
             "end with the one to evaluate");
      }
      if (peek().kind == Token::Kind::name && is_symbol(peek(1), "=")) {
        definition();
        continue;
      }
      break;
    }
    result();
    return std::move(formula_);
  }

 private:
  [[nodiscard]] const Token& peek(std::size_t ahead = 0) const {
    return tokens_[std::min(at_ + ahead, tokens_.size() - 1)];
  }
  static bool is_symbol(const Token& token, std::string_view text) {
    return token.kind == Token::Kind::symbol && token.text == text;
  }
  [[nodiscard]] bool at_symbol(std::string_view text) const { return is_symbol(peek(), text); }
  bool take(std::string_view text) {
    if (!at_symbol(text)) return false;
    ++at_;
    return true;
  }
  void skip_separators() {
    while (peek().kind == Token::Kind::separator) ++at_;
  }
  void skip_line_ends() {
    while (peek().kind == Token::Kind::separator && peek().text == "\n") ++at_;
  }

  [[noreturn]] void fail(ErrorKind kind, const Token& token, const std::string& problem,
                         const std::string& remedy = "") const {
    throw FormulaError(kind, formula_.text, token.offset, problem, remedy);
  }
  static std::string describe(const Token& token) {
    if (token.kind == Token::Kind::end) return "the end";
    if (token.text == "\n") return "the end of the line";
    return fmt::format("'{}'", token.text);
  }
  void expect(std::string_view text, std::string_view after) {
    if (take(text)) return;
    fail(ErrorKind::parse, peek(),
         fmt::format("expected '{}' after {}, found {}", text, after, describe(peek())));
  }

  Id add(FormulaNode node) {
    if (formula_.nodes.size() >= max_formula_nodes) {
      throw FormulaError(ErrorKind::resource, formula_.text, node.offset,
                         fmt::format("more than {} operations and numbers", max_formula_nodes),
                         "bind long arrays with --const NAME=FILE.npy");
    }
    formula_.nodes.push_back(std::move(node));
    return static_cast<Id>(formula_.nodes.size() - 1);
  }
  [[nodiscard]] const FormulaNode& node(Id id) const {
    return formula_.nodes[static_cast<std::size_t>(id)];
  }
  [[nodiscard]] std::size_t last_end() const {
    const Token& token = tokens_[at_ - 1];
    // `**` is stored as `^`, which no expression ends with.
    return token.offset + token.text.size();
  }

  void definition() {
    const Token name = peek();
    const std::string text(name.text);
    if (text == "pi" || text == "e" || text == "None") {
      fail(ErrorKind::name, name, fmt::format("'{}' has a fixed meaning", text),
           "choose another name");
    }
    if (definitions_.contains(text)) {
      fail(ErrorKind::name, name, fmt::format("'{}' is defined twice", text),
           "a name keeps its meaning; choose another");
    }
    if (is_free(text)) {
      fail(ErrorKind::name, name, fmt::format("'{}' is used before this definition", text),
           "define it first");
    }
    at_ += 2;
    const Id value = expression(comparison_level);
    if (peek().kind == Token::Kind::separator) {
      skip_separators();
    } else if (peek().kind != Token::Kind::end) {
      fail(ErrorKind::parse, peek(),
           fmt::format("expected ';' after the definition of '{}', found {}", text,
                       describe(peek())));
    }
    definitions_.emplace(text, value);
    formula_.definitions.push_back({text, value});
  }

  void result() {
    const bool opens = at_symbol("(");
    outer_parenthesis_ = opens ? at_ : tokens_.size();
    const Id value = expression(comparison_level);
    if (!formula_.is_tuple) formula_.results = {value};
    const Token& next = peek();
    if (next.kind == Token::Kind::separator) {
      const Token separator = next;
      skip_separators();
      if (peek().kind == Token::Kind::end) return;
      fail(ErrorKind::parse, separator, "an expression without a name before the last one",
           "write name = ...; the last expression is the formula");
    }
    if (is_symbol(next, "=")) {
      fail(ErrorKind::parse, next, "'=' within an expression", "compare with ==");
    }
    if (is_symbol(next, ",")) {
      fail(ErrorKind::parse, next, "a comma outside brackets",
           "write a vector of formulas in parentheses: (a, b)");
    }
    if (next.kind != Token::Kind::end) {
      fail(ErrorKind::parse, next,
           formula_.is_tuple
               ? fmt::format("{} after a vector of formulas, which stands alone", describe(next))
               : fmt::format("unexpected {}", describe(next)),
           formula_.is_tuple ? "write [a, b] for an array" : "");
    }
  }

  // Operators of at least `level`.
  Id expression(int level) {
    Id left = unary();
    Id compared = -1;  // right side of the comparison before, for a < b < c
    for (;;) {
      if (formula_.is_tuple) return left;
      const Token op = peek();
      const int found = level_of(op);
      if (found == 0 || found < level) return left;
      ++at_;
      const Id right = expression(found + 1);
      if (found == comparison_level && compared >= 0) {
        const Id next = binary(op, compared, right);
        left = binary({Token::Kind::symbol, op.offset, "and"}, left, next);
      } else {
        left = binary(op, left, right);
      }
      if (found == comparison_level) compared = right;
    }
  }

  Id binary(const Token& op, Id left, Id right) {
    return add({FormulaKind::binary,
                op.offset,
                node(left).begin,
                node(right).end,
                0,
                std::string(op.text),
                {left, right}});
  }

  Id unary() {
    skip_line_ends();
    if (++depth_ > max_formula_depth) {
      fail(ErrorKind::resource, peek(),
           fmt::format("nested deeper than {} levels", max_formula_depth),
           "name parts of it with definitions");
    }
    const Token token = peek();
    Id result = -1;
    if (take("-")) {
      const Id operand = unary();
      result = add(
          {FormulaKind::negate, token.offset, token.offset, node(operand).end, 0, "-", {operand}});
    } else if (take("+")) {
      result = unary();
    } else {
      result = postfix();
      const Token op = peek();
      if (!formula_.is_tuple && take("^")) result = binary(op, result, unary());
    }
    --depth_;
    return result;
  }

  Id postfix() {
    Id value = atom();
    if (formula_.is_tuple) return value;
    for (;;) {
      const Token token = peek();
      if (token.kind != Token::Kind::symbol) break;
      if (take("[")) {
        value = index(token, value);
      } else if (take(".")) {
        if (peek().kind != Token::Kind::name || peek().text != "T") {
          fail(ErrorKind::parse, token, "unexpected '.'", "only .T (transpose) follows a dot");
        }
        ++at_;
        value = add({FormulaKind::transpose,
                     token.offset,
                     node(value).begin,
                     last_end(),
                     0,
                     ".T",
                     {value}});
      } else {
        break;
      }
    }
    refuse_implicit_product(value);
    return value;
  }

  void refuse_implicit_product(Id value) const {
    const Token& next = peek();
    if (next.kind != Token::Kind::name && next.kind != Token::Kind::number &&
        !is_symbol(next, "(")) {
      return;
    }
    const std::string left = brief(node(value).begin, node(value).end);
    const std::string right(next.text == "(" ? "(...)" : next.text.substr(0, 20));
    fail(ErrorKind::parse, next, "an operator is missing",
         fmt::format("to multiply, write {}*{}", left, right));
  }
  [[nodiscard]] std::string brief(std::size_t begin, std::size_t end) const {
    if (end - begin > 20) return "...";
    std::string text = formula_.text.substr(begin, end - begin);
    std::replace(text.begin(), text.end(), '\n', ' ');
    return text;
  }

  Id index(const Token& bracket, Id value) {
    FormulaNode result{FormulaKind::index, bracket.offset, node(value).begin, 0, 0, "", {value}};
    do {
      if (at_symbol("]") && result.children.size() > 1) break;
      result.children.push_back(index_item());
    } while (take(","));
    expect("]", "the index");
    result.end = last_end();
    return add(std::move(result));
  }

  Id index_item() {
    const Token first = peek();
    if (first.kind == Token::Kind::name && first.text == "None") {
      ++at_;
      return add({FormulaKind::new_axis, first.offset, first.offset, last_end(), 0, "None", {}});
    }
    std::vector<Id> parts{-1};
    bool sliced = false;
    while (!at_symbol("]") && !at_symbol(",")) {
      if (take(":")) {
        if (parts.size() == 3) fail(ErrorKind::parse, first, "a slice has at most three parts");
        parts.push_back(-1);
        sliced = true;
      } else {
        if (parts.back() >= 0) fail(ErrorKind::parse, peek(), "expected ':' or ']' in the index");
        parts.back() = expression(comparison_level);
      }
    }
    if (!sliced && parts[0] < 0) fail(ErrorKind::parse, peek(), "an index is missing");
    if (!sliced) return parts[0];
    parts.resize(3, -1);
    return add({FormulaKind::slice, first.offset, first.offset, last_end(), 0, ":", parts});
  }

  Id atom() {
    const Token token = peek();
    switch (token.kind) {
      case Token::Kind::number:
        ++at_;
        return add(
            {FormulaKind::number, token.offset, token.offset, last_end(), token.number, "", {}});
      case Token::Kind::name: return name();
      case Token::Kind::symbol:
        if (token.text == "(") return parenthesis();
        if (token.text == "[") return array();
        break;
      default: break;
    }
    const bool follows = at_ > 0 && tokens_[at_ - 1].kind == Token::Kind::symbol;
    fail(ErrorKind::parse, token,
         fmt::format("expected a number, name or '('{}, found {}",
                     follows ? fmt::format(" after '{}'", tokens_[at_ - 1].text) : "",
                     describe(token)));
  }

  Id parenthesis() {
    const bool outermost = at_ == outer_parenthesis_;
    const Token open = peek();
    ++at_;
    const Id first = expression(comparison_level);
    if (at_symbol(",")) {
      if (!outermost) {
        fail(ErrorKind::parse, peek(),
             "a list in parentheses is a vector of formulas, which stands "
             "alone as the last expression",
             "write [a, b] for an array");
      }
      std::vector<Id> parts{first};
      while (take(",")) {
        if (at_symbol(")")) break;
        parts.push_back(expression(comparison_level));
      }
      expect(")", "the vector of formulas");
      formula_.is_tuple = true;
      formula_.results = std::move(parts);
      return first;
    }
    if (!take(")")) {
      fail(ErrorKind::parse, peek(),
           fmt::format("expected ')' for the '(' at position {}, found {}", open.offset + 1,
                       describe(peek())));
    }
    FormulaNode& inside = formula_.nodes[static_cast<std::size_t>(first)];
    inside.begin = open.offset;
    inside.end = last_end();
    return first;
  }

  Id array() {
    const Token open = peek();
    ++at_;
    FormulaNode result{FormulaKind::array, open.offset, open.offset, 0, 0, "", {}};
    if (at_symbol("]")) fail(ErrorKind::parse, open, "an empty array", "zeros(0) has no elements");
    do {
      if (at_symbol("]")) break;
      result.children.push_back(expression(comparison_level));
    } while (take(","));
    expect("]", "the elements of the array");
    result.end = last_end();
    return add(std::move(result));
  }

  Id name() {
    const Token token = peek();
    const std::string text(token.text);
    ++at_;
    if (at_symbol("(")) return call(token);
    FormulaNode result{FormulaKind::name, token.offset, token.offset, last_end(), 0, text, {}};
    if (text == "pi" || text == "e") {
      result.kind = FormulaKind::constant;
      result.number = text == "pi" ? std::numbers::pi : std::numbers::e;
    } else if (text == "None") {
      fail(ErrorKind::parse, token, "'None' outside an index");
    } else if (const auto known = definitions_.find(text); known != definitions_.end()) {
      result.kind = FormulaKind::reference;
      result.children = {known->second};
    } else if (!is_free(text)) {
      free_.emplace(text, true);
      formula_.free_names.push_back(text);
    }
    return add(std::move(result));
  }

  [[nodiscard]] bool is_free(const std::string& text) const { return free_.contains(text); }

  Id call(const Token& token) {
    const std::string text(token.text);
    const FormulaFunction* function = find_formula_function(text);
    if (function == nullptr) {
      if (is_free(text) || definitions_.contains(text) || text == "pi" || text == "e") {
        fail(ErrorKind::name, token, fmt::format("'{}' is not a function", text),
             fmt::format("to multiply, write {}*(...)", text));
      }
      std::vector<std::string> names;
      for (const FormulaFunction& known : all_formula_functions()) names.push_back(known.name);
      fail(ErrorKind::name, token, fmt::format("unknown function '{}'", text),
           did_you_mean(text, names));
    }
    ++at_;  // (
    FormulaNode result{FormulaKind::call, token.offset, token.offset, 0, 0, text, {}};
    int arguments = 0;
    bool has_axis = false;
    while (!at_symbol(")")) {
      const Token first = peek();
      if (first.kind == Token::Kind::name && is_symbol(peek(1), "=")) {
        if (first.text != "axis" || !function->takes_axis || has_axis) {
          fail(ErrorKind::name, first,
               has_axis ? "axis= is given twice"
                        : fmt::format("{} takes no argument '{}='", text, first.text),
               "write " + function->usage);
        }
        at_ += 2;
        const Id value = expression(comparison_level);
        has_axis = true;
        result.children.push_back(add({FormulaKind::keyword,
                                       first.offset,
                                       first.offset,
                                       node(value).end,
                                       0,
                                       "axis",
                                       {value}}));
      } else {
        if (has_axis) fail(ErrorKind::parse, first, "an argument after axis=", "put axis= last");
        result.children.push_back(expression(comparison_level));
        ++arguments;
      }
      if (!take(",")) break;
    }
    expect(")", fmt::format("the arguments of {}", text));
    result.end = last_end();
    if (arguments < function->min_arguments ||
        (function->max_arguments >= 0 && arguments > function->max_arguments)) {
      fail(ErrorKind::parse, token,
           fmt::format("{} is given {} argument{}", text, arguments, arguments == 1 ? "" : "s"),
           "write " + function->usage);
    }
    return add(std::move(result));
  }

  ParsedFormula formula_;
  std::vector<Token> tokens_;
  std::size_t at_ = 0;
  std::size_t outer_parenthesis_ = 0;
  int depth_ = 0;
  std::unordered_map<std::string, Id> definitions_;
  std::unordered_map<std::string, bool> free_;
};

}  // namespace

ParsedFormula parse_formula(std::string_view text) { return Parser(text).run(); }

}  // namespace kappa
