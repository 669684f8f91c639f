#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "kappa/array.h"

namespace kappa {

/// Formula text and how tightly it binds: 1 comparison, 2 sum, 3 product, 4 negation, 5 power, 9 a
/// name, number or call.
struct ExpressionText {
  std::string text;
  int precedence = 9;
};
/// The text, in parentheses where it binds weaker than `precedence`.
std::string parenthesized(const ExpressionText& text, int precedence);
/// The shortest decimal text that reads back to the same double.
std::string number_text(double value);

/// Expressions in the normal form of school algebra: a sum is a constant plus terms with numeric
/// coefficients, a product is bases with numeric exponents, nested sums and products are merged,
/// like terms and equal factors are collected, and everything else is a call. Equal expressions are
/// one id. Terms stand by falling degree, then by the order of the parameters.
class Expressions {
 public:
  using Id = std::int32_t;
  using Term = std::pair<double, Id>;    // coefficient, expression
  using Factor = std::pair<Id, double>;  // base, exponent
  using Render = std::function<ExpressionText(std::span<const ExpressionText>)>;

  Id number(double value);
  /// `order` places the symbol among the others.
  Id symbol(const std::string& text, int order, const Shape& shape = {});
  Id sum(std::span<const Term> terms);
  /// coefficient * product of base^exponent
  Id product(double coefficient, std::span<const Factor> factors);
  /// Anything else. Calls of equal `key` and operands are equal.
  Id call(const std::string& key, std::span<const Id> operands, Render render,
          const Shape& shape = {});

  Id add(Id a, Id b) { return sum(std::vector<Term>{{1, a}, {1, b}}); }
  Id multiply(Id a, Id b) { return product(1, std::vector<Factor>{{a, 1}, {b, 1}}); }
  Id scale(double c, Id a) { return product(c, std::vector<Factor>{{a, 1}}); }

  [[nodiscard]] bool is_number(Id id) const { return at(id).kind == Kind::number; }
  [[nodiscard]] double value(Id id) const { return at(id).value; }
  /// The shape of the expression itself; it may stand for a larger array by broadcasting.
  [[nodiscard]] const Shape& shape(Id id) const { return at(id).shape; }
  /// The operands of a call whose key is `key`, or null.
  [[nodiscard]] const std::vector<Id>* operands_of(Id id, const std::string& key) const;
  [[nodiscard]] const std::string& key(Id id) const { return at(id).text; }
  /// An expression as coefficient * rest.
  std::pair<double, Id> split_coefficient(Id id);

  /// An expression as scalar * rest, where the scalar holds all factors of shape ().
  std::pair<Id, Id> split_scalar(Id id);
  /// A sum or product with `change` applied to its terms or bases, -1 where that gives -1 or `id`
  /// is neither.
  Id rebuild(Id id, const std::function<Id(Id)>& change);

  /// Number of characters the text of `id` has, about.
  [[nodiscard]] double length(Id id) const { return at(id).length; }
  /// Work done so far, to stop before a formula grows without bound.
  [[nodiscard]] std::int64_t work() const { return work_; }
  [[nodiscard]] int depth(Id id) const { return at(id).depth; }

  /// Expressions within `roots` that occur more than once and are worth a name, operands first.
  [[nodiscard]] std::vector<Id> shared(std::span<const Id> roots) const;
  /// The text of `id`; what has a name in `names` is written by it.
  ExpressionText text(Id id, const std::map<Id, std::string>& names) const;
  /// As above, but `id` itself is spelt out.
  ExpressionText definition(Id id, const std::map<Id, std::string>& names) const;

 private:
  enum class Kind { number, symbol, call, product, sum };
  struct Expression {
    Kind kind = Kind::number;
    double value = 0;  // of a number; the constant of a sum
    std::vector<Term> terms;
    std::vector<Factor> factors;
    std::vector<Id> operands;
    std::string text;  // symbol: its name; call: its key
    Render render;
    Shape shape;
    int order = 0;  // of a symbol
    double degree = 0;
    double length = 0;
    int depth = 0;
  };
  [[nodiscard]] const Expression& at(Id id) const { return list_[static_cast<std::size_t>(id)]; }
  Id intern(Expression expression);
  Id sum_of(double constant, std::map<Id, double> collected);
  void collect(double coefficient, Id id, bool distribute, double& constant,
               std::map<Id, double>& collected) const;
  void merge(Id base, double exponent, double& coefficient, std::map<Id, double>& merged);
  [[nodiscard]] bool before(Id a, Id b) const;
  [[nodiscard]] std::vector<Id> children(Id id) const;
  /// `turned` is written in place of factor `turned_factor` (-1: none).
  [[nodiscard]] std::string product_text(double magnitude, std::span<const Factor> factors,
                                         const std::map<Id, std::string>& names, int& precedence,
                                         int turned_factor = -1,
                                         const std::string& turned = "") const;
  [[nodiscard]] ExpressionText sum_text(double constant, const std::vector<Term>& terms,
                                        const std::map<Id, std::string>& names) const;
  /// Sign and unsigned text of coefficient * id.
  [[nodiscard]] std::pair<bool, ExpressionText> term_text(
      double coefficient, Id id, const std::map<Id, std::string>& names) const;

  std::vector<Expression> list_;
  std::map<std::string, Id> known_;
  std::int64_t work_ = 0;
};

}  // namespace kappa
