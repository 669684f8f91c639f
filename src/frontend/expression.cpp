#include "frontend/expression.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <optional>

namespace kappa {
namespace {

bool is_whole(double x) { return std::isfinite(x) && x == std::floor(x); }

// value as text numerator/denominator of small whole numbers and pi, where that is exact and
// shorter than the decimal form.
std::pair<std::string, std::string> fraction(double value) {
  const std::string plain = number_text(value);
  if (plain.size() <= 5 || !std::isfinite(value)) return {plain, ""};
  for (int q = 1; q <= 36; ++q) {
    const double p = std::round(value * q);
    if (p != 0 && std::abs(p) <= 1000 && p / q == value) {
      return {number_text(p), q == 1 ? "" : number_text(q)};
    }
    const double k = std::round(value / std::numbers::pi * q);
    if (k != 0 && std::abs(k) <= 36 && k * std::numbers::pi / q == value) {
      return {k == 1 ? "pi" : fmt::format("{}*pi", number_text(k)), q == 1 ? "" : number_text(q)};
    }
  }
  return {plain, ""};
}

Shape broadcast(const Shape& a, const Shape& b) {
  Shape result(std::max(a.size(), b.size()), 1);
  for (const Shape* s : {&a, &b}) {
    for (std::size_t i = 0; i < s->size(); ++i) {
      std::int64_t& extent = result[result.size() - s->size() + i];
      if ((*s)[i] != 1) extent = (*s)[i];
    }
  }
  return result;
}

}  // namespace

std::string parenthesized(const ExpressionText& text, int precedence) {
  return text.precedence < precedence ? "(" + text.text + ")" : text.text;
}

std::string number_text(double value) {
  if (is_whole(value) && std::abs(value) < 1e15) return fmt::format("{:.0f}", value + 0.0);
  return fmt::format("{}", value);
}

// ------------------------------------------------------------------------------- construction

Expressions::Id Expressions::intern(Expression e) {
  std::string key = std::to_string(static_cast<int>(e.kind)) + e.text + "|";
  const auto put = [&key](const void* data, std::size_t size) {
    key.append(static_cast<const char*>(data), size);
  };
  put(&e.value, sizeof e.value);
  for (const auto& [c, id] : e.terms) put(&c, sizeof c), put(&id, sizeof id);
  key += '/';
  for (const auto& [id, p] : e.factors) put(&id, sizeof id), put(&p, sizeof p);
  key += '/';
  for (const Id id : e.operands) put(&id, sizeof id);
  const auto [found, added] = known_.emplace(std::move(key), static_cast<Id>(list_.size()));
  if (!added) return found->second;
  for (const auto& [c, id] : e.terms) e.depth = std::max(e.depth, at(id).depth + 1);
  for (const auto& [id, p] : e.factors) e.depth = std::max(e.depth, at(id).depth + 1);
  for (const Id id : e.operands) e.depth = std::max(e.depth, at(id).depth + 1);
  work_ += 1 + static_cast<std::int64_t>(e.terms.size() + e.factors.size() + e.operands.size());
  list_.push_back(std::move(e));
  return found->second;
}

Expressions::Id Expressions::number(double value) {
  Expression e;
  e.value = value + 0.0;  // -0 is 0 in a formula
  e.length = static_cast<double>(number_text(value).size());
  return intern(std::move(e));
}

Expressions::Id Expressions::symbol(const std::string& text, int order, const Shape& shape) {
  Expression e;
  e.kind = Kind::symbol;
  e.text = text;
  e.order = order;
  e.shape = shape;
  e.degree = 1;
  e.length = static_cast<double>(text.size());
  return intern(std::move(e));
}

Expressions::Id Expressions::call(const std::string& key, std::span<const Id> operands,
                                  Render render, const Shape& shape) {
  Expression e;
  e.kind = Kind::call;
  e.text = key;
  e.operands.assign(operands.begin(), operands.end());
  e.render = std::move(render);
  e.shape = shape;
  e.degree = 0.5;  // between constants and linear terms
  e.length = static_cast<double>(key.size()) + 2;
  for (const Id id : operands) e.length += at(id).length + 2;
  return intern(std::move(e));
}

void Expressions::collect(double coefficient, Id id, bool distribute, double& constant,
                          std::map<Id, double>& collected) const {
  const Expression& e = at(id);
  if (e.kind == Kind::number) {
    constant += coefficient * e.value;
  } else if (e.kind == Kind::sum &&
             (distribute || std::abs(coefficient) == 1 || (e.terms.size() == 1 && e.value == 0))) {
    constant += coefficient * e.value;
    for (const auto& [c, term] : e.terms) {
      collect(coefficient * c, term, distribute, constant, collected);
    }
  } else {
    collected[id] += coefficient;
  }
}

Expressions::Id Expressions::sum(std::span<const Term> terms) {
  // A constant times a sum is multiplied out where the result is shorter.
  Id best = -1;
  for (const bool distribute : {false, true}) {
    double constant = 0;
    std::map<Id, double> collected;
    for (const auto& [c, id] : terms) collect(c, id, distribute, constant, collected);
    work_ += static_cast<std::int64_t>(collected.size());
    const Id found = sum_of(constant, std::move(collected));
    if (best < 0 || length(found) < length(best)) best = found;
  }
  return best;
}

Expressions::Id Expressions::sum_of(double constant, std::map<Id, double> collected) {
  Expression e;
  e.kind = Kind::sum;
  e.value = constant + 0.0;
  for (const auto& [id, c] : collected) {
    if (c != 0) e.terms.emplace_back(c, id);
  }
  if (e.terms.empty()) return number(constant);
  if (e.terms.size() == 1 && constant == 0) {
    if (e.terms[0].first == 1) return e.terms[0].second;
  }
  std::sort(e.terms.begin(), e.terms.end(),
            [this](const Term& a, const Term& b) { return before(a.second, b.second); });
  e.length = constant != 0 ? static_cast<double>(number_text(constant).size()) + 3 : 0;
  for (const auto& [c, id] : e.terms) {
    e.degree = std::max(e.degree, at(id).degree);
    e.shape = broadcast(e.shape, at(id).shape);
    const double magnitude = std::abs(c);
    e.length += at(id).length + 3;
    if (magnitude != 1) e.length += static_cast<double>(number_text(magnitude).size()) + 1;
    if (magnitude != 1 && at(id).kind == Kind::sum) e.length += 2;
  }
  return intern(std::move(e));
}

// Adds base^exponent to a product under construction.
void Expressions::merge(Id base, double exponent, double& coefficient,
                        std::map<Id, double>& merged) {
  if (exponent == 0) return;
  const Expression& e = at(base);
  const bool whole = is_whole(exponent);
  if (e.kind == Kind::number) {
    coefficient *= exponent == 1 ? e.value : std::pow(e.value, exponent);
    return;
  }
  if (e.kind == Kind::product && whole) {
    const std::vector<Factor> factors = e.factors;
    for (const auto& [inner, p] : factors) merge(inner, p * exponent, coefficient, merged);
    return;
  }
  if (e.kind == Kind::sum && whole) {
    if (e.terms.size() == 1 && e.value == 0) {
      const auto [c, id] = e.terms[0];
      coefficient *= std::pow(c, exponent);
      merge(id, exponent, coefficient, merged);
      return;
    }
    if (e.terms[0].first < 0) {  // one sign for a - b and b - a
      const double sign = std::fmod(exponent, 2) == 0 ? 1 : -1;
      std::map<Id, double> negated;
      for (const auto& [c, id] : e.terms) negated[id] = -c;
      const Id opposite = sum_of(-e.value, std::move(negated));
      coefficient *= sign;
      merged[opposite] += exponent;
      return;
    }
  }
  if (whole && std::fmod(exponent, 2) == 0) {
    if (const auto* inside = operands_of(base, "sqrt")) {
      merge(inside->front(), exponent / 2, coefficient, merged);
      return;
    }
    if (const auto* inside = operands_of(base, "abs")) {
      merge(inside->front(), exponent, coefficient, merged);
      return;
    }
  }
  merged[base] += exponent;
}

Expressions::Id Expressions::product(double coefficient, std::span<const Factor> factors) {
  std::map<Id, double> merged;
  for (const auto& [base, exponent] : factors) merge(base, exponent, coefficient, merged);
  if (coefficient == 0) return number(0);
  Expression e;
  e.kind = Kind::product;
  for (const auto& [base, exponent] : merged) {
    if (exponent != 0) e.factors.emplace_back(base, exponent);
  }
  if (e.factors.empty()) return number(coefficient);
  std::sort(e.factors.begin(), e.factors.end(), [this](const Factor& a, const Factor& b) {
    const Expression &x = at(a.first), &y = at(b.first);
    if (x.kind != y.kind) return x.kind < y.kind;
    if (x.order != y.order) return x.order < y.order;
    return a.first < b.first;
  });
  Id result = -1;
  if (e.factors.size() == 1 && e.factors[0].second == 1) {
    result = e.factors[0].first;
  } else {
    for (const auto& [base, exponent] : e.factors) {
      e.degree += exponent * at(base).degree;
      e.shape = broadcast(e.shape, at(base).shape);
      e.length += at(base).length + 1;
      if (at(base).kind == Kind::sum || at(base).kind == Kind::product) e.length += 2;
      if (exponent != 1)
        e.length += static_cast<double>(number_text(std::abs(exponent)).size()) + 1;
    }
    result = intern(std::move(e));
  }
  if (coefficient == 1) return result;
  // A sum keeps its parentheses here; the sum around it decides whether to multiply out.
  if (coefficient == -1 && at(result).kind == Kind::sum) {
    std::map<Id, double> negated;
    for (const auto& [c, id] : at(result).terms) negated[id] = -c;
    return sum_of(-at(result).value, std::move(negated));
  }
  return sum_of(0, {{result, coefficient}});
}

const std::vector<Expressions::Id>* Expressions::operands_of(Id id, const std::string& key) const {
  const Expression& e = at(id);
  return e.kind == Kind::call && e.text == key ? &e.operands : nullptr;
}

std::pair<double, Expressions::Id> Expressions::split_coefficient(Id id) {
  const Expression& e = at(id);
  if (e.kind == Kind::number) return {e.value, number(1)};
  if (e.kind == Kind::sum && e.terms.size() == 1 && e.value == 0) return e.terms[0];
  return {1, id};
}

std::pair<Expressions::Id, Expressions::Id> Expressions::split_scalar(Id id) {
  const auto [coefficient, rest] = split_coefficient(id);
  if (at(rest).kind != Kind::product) return {number(coefficient), rest};
  std::vector<Factor> scalars, arrays;
  for (const Factor& factor : at(rest).factors) {
    (at(factor.first).shape.empty() ? scalars : arrays).push_back(factor);
  }
  const Id scalar = product(coefficient, scalars);
  return {scalar, product(1, arrays)};
}

Expressions::Id Expressions::rebuild(Id id, const std::function<Id(Id)>& change) {
  const Expression e = at(id);  // a copy: the list grows below
  if (e.kind == Kind::sum) {
    std::vector<Term> terms{{e.value, number(1)}};
    for (const auto& [c, term] : e.terms) {
      const Id changed = change(term);
      if (changed < 0) return -1;
      terms.emplace_back(c, changed);
    }
    return sum(terms);
  }
  if (e.kind == Kind::product) {
    std::vector<Factor> factors;
    for (const auto& [base, exponent] : e.factors) {
      const Id changed = change(base);
      if (changed < 0) return -1;
      factors.emplace_back(changed, exponent);
    }
    return product(1, factors);
  }
  return -1;
}

// Falling degree, then the parameters' order (x^2, x*y, y^2), then age.
bool Expressions::before(Id a, Id b) const {
  if (a == b) return false;
  const Expression &x = at(a), &y = at(b);
  if (x.degree != y.degree) return x.degree > y.degree;
  const auto powers = [this](Id id) {
    std::vector<std::pair<int, double>> list;
    const Expression& e = at(id);
    if (e.kind == Kind::symbol) list.emplace_back(e.order, -1.0);
    for (const auto& [base, exponent] : e.factors) {
      if (at(base).kind == Kind::symbol) list.emplace_back(at(base).order, -exponent);
    }
    return list;
  };
  const auto p = powers(a), q = powers(b);
  if (p != q) {
    if (p.empty() || q.empty()) return q.empty();
    return p < q;
  }
  return a < b;
}

// ------------------------------------------------------------------------------- text

std::vector<Expressions::Id> Expressions::children(Id id) const {
  const Expression& e = at(id);
  std::vector<Id> list = e.operands;
  for (const auto& [c, term] : e.terms) list.push_back(term);
  for (const auto& [base, p] : e.factors) list.push_back(base);
  return list;
}

std::vector<Expressions::Id> Expressions::shared(std::span<const Id> roots) const {
  constexpr double worth = 12;
  std::map<Id, int> uses;
  std::vector<Id> pending;
  const auto use = [&](Id id) {
    if (uses[id]++ == 0) pending.push_back(id);
  };
  for (const Id id : roots) use(id);
  while (!pending.empty()) {
    const Id id = pending.back();
    pending.pop_back();
    for (const Id child : children(id)) use(child);
  }
  std::vector<Id> result;
  for (const auto& [id, count] : uses) {
    const bool composite = at(id).kind != Kind::number && at(id).kind != Kind::symbol;
    if (count > 1 && composite && length(id) >= worth) result.push_back(id);
  }
  return result;  // ids rise from operands to users
}

ExpressionText Expressions::text(Id id, const std::map<Id, std::string>& names) const {
  if (const auto named = names.find(id); named != names.end()) return {named->second, 9};
  return definition(id, names);
}

ExpressionText Expressions::definition(Id id, const std::map<Id, std::string>& names) const {
  const Expression& e = at(id);
  switch (e.kind) {
    case Kind::number: {
      const auto [numerator, denominator] = fraction(e.value);
      const int precedence = e.value < 0 ? 4 : numerator.find('*') != std::string::npos ? 3 : 9;
      if (denominator.empty()) return {numerator, precedence};
      return {numerator + "/" + denominator, 3};
    }
    case Kind::symbol: return {e.text, 9};
    case Kind::call: {
      std::vector<ExpressionText> operands;
      for (const Id operand : e.operands) operands.push_back(text(operand, names));
      return e.render(operands);
    }
    case Kind::product: {
      int precedence = 9;
      const std::string body = product_text(1, e.factors, names, precedence);
      return {body, precedence};
    }
    case Kind::sum: return sum_text(e.value, e.terms, names);
  }
  return {};
}

std::string Expressions::product_text(double magnitude, std::span<const Factor> factors,
                                      const std::map<Id, std::string>& names, int& precedence,
                                      int turned_factor, const std::string& turned) const {
  const auto [numerator, denominator] = fraction(magnitude);
  std::vector<std::string> above, below;
  if (magnitude != 1 && numerator != "1") above.push_back(numerator);
  if (!denominator.empty()) below.push_back(denominator);
  bool power = false;
  for (std::size_t i = 0; i < factors.size(); ++i) {
    const auto [base, exponent] = factors[i];
    const ExpressionText inside =
        static_cast<int>(i) == turned_factor ? ExpressionText{turned, 9} : text(base, names);
    const double size = std::abs(exponent);
    std::string piece;
    if (size == 1) {
      piece = parenthesized(inside, 5);
      power = inside.precedence == 5;
    } else {
      const auto [p, q] = fraction(size);
      piece = parenthesized(inside, 9) + "^" +
              (q.empty() && p.find('*') == std::string::npos
                   ? p
                   : "(" + p + (q.empty() ? "" : "/" + q) + ")");
      power = true;
    }
    (exponent > 0 ? above : below).push_back(piece);
  }
  precedence = above.size() + below.size() > 1 || !below.empty() ? 3 : power ? 5 : 9;
  std::string result = above.empty() ? "1" : fmt::format("{}", fmt::join(above, "*"));
  if (below.size() == 1) result += "/" + below[0];
  if (below.size() > 1) result += fmt::format("/({})", fmt::join(below, "*"));
  return result;
}

std::pair<bool, ExpressionText> Expressions::term_text(
    double coefficient, Id id, const std::map<Id, std::string>& names) const {
  bool negative = coefficient < 0;
  const Expression& e = at(id);
  std::vector<Factor> factors{{id, 1}};
  if (e.kind == Kind::product && !names.contains(id)) factors = e.factors;
  if (factors.size() == 1 && factors[0].second == 1 && std::abs(coefficient) == 1 &&
      at(factors[0].first).kind != Kind::sum) {
    return {negative, text(id, names)};
  }
  int precedence = 9;
  if (negative) {
    // -200*(x - y) reads better as 200*(y - x).
    for (std::size_t i = 0; i < factors.size(); ++i) {
      const auto [base, exponent] = factors[i];
      const Expression& inside = at(base);
      if (inside.kind != Kind::sum || names.contains(base) ||
          std::fmod(std::abs(exponent), 2) != 1) {
        continue;
      }
      const bool mixed = inside.value < 0 || std::any_of(inside.terms.begin(), inside.terms.end(),
                                                         [](const Term& t) { return t.first < 0; });
      if (!mixed) continue;
      std::vector<Term> terms = inside.terms;
      for (Term& term : terms) term.first = -term.first;
      const std::string turned = "(" + sum_text(-inside.value, terms, names).text + ")";
      const std::string body = product_text(std::abs(coefficient), factors, names, precedence,
                                            static_cast<int>(i), turned);
      return {false, {body, precedence}};
    }
  }
  const std::string body = product_text(std::abs(coefficient), factors, names, precedence);
  return {negative, {body, precedence}};
}

ExpressionText Expressions::sum_text(double constant, const std::vector<Term>& terms,
                                     const std::map<Id, std::string>& names) const {
  std::vector<std::pair<bool, ExpressionText>> parts;
  for (const auto& [c, id] : terms) parts.push_back(term_text(c, id, names));
  if (constant != 0) {
    const auto [numerator, denominator] = fraction(std::abs(constant));
    parts.push_back({constant < 0,
                     {numerator + (denominator.empty() ? "" : "/" + denominator),
                      denominator.empty() && numerator.find('*') == std::string::npos ? 9 : 3}});
  }
  // Begin with a part that has no sign.
  const auto positive =
      std::find_if(parts.begin(), parts.end(), [](const auto& part) { return !part.first; });
  if (positive != parts.end()) std::rotate(parts.begin(), positive, positive + 1);
  if (parts.size() == 1) {
    const auto& [negative, body] = parts[0];
    // -a*b is (-a)*b to the last bit, so that a product needs no parentheses.
    if (negative) return {"-" + parenthesized(body, 3), 4};
    return body;
  }
  std::string result;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const auto& [negative, body] = parts[i];
    result += i == 0 ? (negative ? "-" : "") : (negative ? " - " : " + ");
    result += parenthesized(body, 3);
  }
  return {result, 2};
}

}  // namespace kappa
