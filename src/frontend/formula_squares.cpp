#include "frontend/formula_squares.h"

#include <algorithm>
#include <cmath>

namespace kappa {
namespace {

using Id = std::int32_t;
using Value = FormulaValue;

// weight * residual^2. Within an array-valued expression that is meant elementwise, the residual
// broadcasting to the expression's shape; `summed`: the expression is the sum over all its
// elements.
struct Square {
  Value residual;
  double weight = 1;
  bool summed = false;
};
using Squares = std::optional<std::vector<Square>>;

class Reader {
 public:
  Reader(const ParsedFormula& formula, const std::vector<Value>& values, FormulaScope& scope)
      : formula_(formula), values_(values), scope_(scope) {}

  Squares read(Id id) {
    constexpr int max_depth = 1000;
    if (++depth_ > max_depth) return std::nullopt;
    Squares result = read_node(id);
    --depth_;
    // A sum over one operand's elements cannot be repeated for each element of another.
    if (result && !shape_of(value(id)).empty()) {
      for (const Square& square : *result) {
        if (square.summed) return std::nullopt;
      }
    }
    return result;
  }

 private:
  [[nodiscard]] const FormulaNode& node(Id id) const {
    return formula_.nodes[static_cast<std::size_t>(id)];
  }
  [[nodiscard]] const Value& value(Id id) const { return values_[static_cast<std::size_t>(id)]; }
  [[nodiscard]] Id resolve(Id id) const {
    while (node(id).kind == FormulaKind::reference) id = node(id).children[0];
    return id;
  }
  [[nodiscard]] bool same(Id a, Id b) const {
    const Array &x = value(a).array, &y = value(b).array;
    return !x.is_literal() && !y.is_literal() && x.id() == y.id();
  }

  Squares read_node(Id id) {
    id = resolve(id);
    const FormulaNode& at = node(id);
    if (!value(id).variable) return constant(value(id));
    if (at.kind == FormulaKind::call) return call(at);
    if (at.kind != FormulaKind::binary) return std::nullopt;
    const Id a = at.children[0], b = at.children[1];
    if (at.text == "+") return sum_of(id);
    if (at.text == "^") return power(a, b);
    if (at.text == "*") {
      if (same(a, b)) return std::vector{Square{value(a)}};
      return value(a).variable ? scaled(a, value(b), false) : scaled(b, value(a), false);
    }
    if (at.text == "/") return scaled(a, value(b), true);
    if (at.text == "@" && same(a, b) && shape_of(value(a)).size() == 1) {
      return std::vector{Square{value(a), 1, true}};
    }
    return std::nullopt;
  }

  // A constant c >= 0 is a residual that never changes.
  Squares constant(const Value& c) {
    const auto elements = known_elements(c);
    if (!elements || !std::all_of(elements->begin(), elements->end(),
                                  [](double x) { return x >= 0 && std::isfinite(x); })) {
      return std::nullopt;
    }
    return std::vector{Square{root(c)}};
  }

  Value root(const Value& x) {
    return scope_.apply(std::vector{x}, [](std::span<const Array> a) { return sqrt(a[0]); });
  }

  // Chains of + lean to the left and may be long.
  Squares sum_of(Id id) {
    std::vector<Square> all;
    for (;;) {
      id = resolve(id);
      const bool is_sum = node(id).kind == FormulaKind::binary && node(id).text == "+";
      const Squares term = read(is_sum ? node(id).children[1] : id);
      if (!term) return std::nullopt;
      all.insert(all.begin(), term->begin(), term->end());
      if (!is_sum) return all;
      id = node(id).children[0];
    }
  }

  Squares power(Id base, Id exponent) {
    const Array& e = value(exponent).array;
    if (value(exponent).variable || !e.is_literal()) return std::nullopt;
    const double half = e.literal() / 2;
    if (half < 1 || half != std::floor(half)) return std::nullopt;
    const FormulaNode& inside = node(resolve(base));
    if (half == 1 && inside.kind == FormulaKind::call && inside.children.size() == 1) {
      // norm(r)^2 and abs(r)^2 have the smooth residual r.
      if (inside.text == "norm") return std::vector{Square{value(inside.children[0]), 1, true}};
      if (inside.text == "abs") return std::vector{Square{value(inside.children[0])}};
    }
    if (half == 1) return std::vector{Square{value(base)}};
    return std::vector{Square{scope_.apply(
        std::vector{value(base)}, [&](std::span<const Array> x) { return pow(x[0], half); })}};
  }

  Squares scaled(Id squares, const Value& factor, bool divide) {
    if (factor.variable) return std::nullopt;
    const auto elements = known_elements(factor);
    if (!elements || !std::all_of(elements->begin(), elements->end(), [&](double x) {
          return (divide ? x > 0 : x >= 0) && std::isfinite(x);
        })) {
      return std::nullopt;
    }
    Squares result = read(squares);
    if (!result) return std::nullopt;
    for (Square& square : *result) {
      if (factor.array.is_literal()) {
        const double c = factor.array.literal();
        square.weight = divide ? square.weight / c : square.weight * c;
      } else if (square.summed) {
        return std::nullopt;
      } else {
        square.residual = scope_.apply(
            std::vector{square.residual, root(factor)},
            [&](std::span<const Array> x) { return divide ? x[0] / x[1] : x[0] * x[1]; });
      }
    }
    return result;
  }

  Squares call(const FormulaNode& at) {
    if (at.text == "dot" && at.children.size() == 2 && same(at.children[0], at.children[1])) {
      return std::vector{Square{value(at.children[0]), 1, true}};
    }
    if ((at.text != "sum" && at.text != "mean") || at.children.size() != 1) return std::nullopt;
    const Id inside = at.children[0];
    Squares result = read(inside);
    const Shape shape = shape_of(value(inside));
    if (!result || shape.empty()) return result;
    for (Square& square : *result) {
      const bool variable = square.residual.variable;
      square.residual = {broadcast_to(scope_.cast(square.residual.array, scope_.dtype()), shape),
                         variable};
      if (at.text == "mean") square.weight /= static_cast<double>(num_elements(shape));
      square.summed = true;
    }
    return result;
  }

  const ParsedFormula& formula_;
  const std::vector<Value>& values_;
  FormulaScope& scope_;
  int depth_ = 0;
};

}  // namespace

std::optional<FormulaResiduals> find_residuals(const ParsedFormula& formula,
                                               const std::vector<FormulaValue>& values,
                                               FormulaScope& scope, std::int32_t node) {
  const Squares squares = Reader(formula, values, scope).read(node);
  if (!squares || std::none_of(squares->begin(), squares->end(),
                               [](const Square& s) { return s.residual.variable; })) {
    return std::nullopt;
  }
  FormulaResiduals result;
  const double common = squares->front().weight;
  const bool shared = std::all_of(squares->begin(), squares->end(),
                                  [&](const Square& s) { return s.weight == common; });
  result.scale = shared ? common : 1;
  std::vector<Array> parts;
  for (const Square& square : *squares) {
    if (square.weight == 0) continue;
    Array residual = scope.cast(square.residual.array, scope.dtype());
    if (!shared) residual = residual * Array(std::sqrt(square.weight));
    parts.push_back(reshape(residual, {residual.size()}));
  }
  if (parts.empty()) return std::nullopt;
  const Array joined = parts.size() == 1 ? parts[0] : concat(parts, 0);
  if (joined.size() == 0) return std::nullopt;
  result.program = scope.builder().finish(std::vector{joined});
  return result;
}

}  // namespace kappa
