#include "transform/jacobian_entries.h"

#include <algorithm>
#include <array>
#include <map>
#include <numeric>

#include "transform/linearize.h"
#include "transform/transpose.h"

namespace kappa {
namespace {

using Ints = std::vector<std::int32_t>;

// A guard against programs that fan out; what the entries cost is weighed by the caller.
constexpr std::size_t kMaxTerms = 512;

IndexMap share(Ints map) { return std::make_shared<const Ints>(std::move(map)); }

IndexMap identity(std::int64_t count) {
  Ints map(static_cast<std::size_t>(count));
  std::iota(map.begin(), map.end(), 0);
  return share(std::move(map));
}

/// Partial derivatives of an array by elements of x: of element rows[e] by x[columns[e]].
struct Term {
  IndexMap columns;
  IndexMap
      rows;  // null: rows[e] = e, and the values have the array's shape; else they are a vector
  Array values;
};
using Terms = std::vector<Term>;

bool same(const IndexMap& a, const IndexMap& b) { return a == b || (a && b && *a == *b); }

/// Adds a term to those it fits: the same rows, and columns that agree where both have some. A
/// value whose column is -1 is zero, so values add up.
void add_term(Terms& terms, Term term) {
  for (Term& known : terms) {
    if (!same(known.rows, term.rows)) continue;
    if (IndexMap merged = merge(known.columns, term.columns)) {
      known.columns = std::move(merged);
      known.values = known.values + term.values;
      return;
    }
  }
  terms.push_back(std::move(term));
}

Array flat(const Array& x) { return reshape(x, {x.size()}); }

class Accumulation {
 public:
  Accumulation(const Program& program, std::int64_t max_entries)
      : program_(program),
        max_entries_(max_entries),
        rules_(program),
        values_(program.nodes.size()),
        terms_(program.nodes.size()) {}

  std::optional<JacobianEntries> run() {
    for (std::size_t i = 0; i < program_.nodes.size(); ++i) {
      const Node& node = program_.nodes[i];
      if (is_input(node)) {
        values_[i] = builder_.input(node.type, "x");
        terms_[i].push_back({identity(values_[i].size()), nullptr,
                             full(values_[i], 1, node.type.shape, node.type.dtype)});
        continue;
      }
      values_[i] = builder_.replay(node, operands(node));
      if (!differentiate(static_cast<NodeId>(i)) || !within_bounds(terms_[i])) return std::nullopt;
    }
    const auto output = static_cast<std::size_t>(program_.outputs[0]);
    JacobianEntries result;
    std::vector<Array> outputs;
    for (const Term& term : terms_[output]) {
      result.parts.push_back(
          {term.rows ? term.rows : identity(values_[output].size()), term.columns});
      outputs.push_back(flat(term.values));
    }
    result.values = builder_.finish(outputs);
    return result;
  }

 private:
  [[nodiscard]] std::vector<Array> operands(const Node& node) const {
    std::vector<Array> list;
    for (const NodeId id : node.operands) list.push_back(values_[static_cast<std::size_t>(id)]);
    return list;
  }

  [[nodiscard]] bool within_bounds(const Terms& terms) const {
    std::int64_t entries = 0;
    for (const Term& term : terms) entries += term.values.size();
    return terms.size() <= kMaxTerms && entries <= max_entries_;
  }

  /// Makes the terms of a node; false where that cannot be done.
  bool differentiate(NodeId id) {
    const Node& node = program_.nodes[static_cast<std::size_t>(id)];
    const bool constant = std::all_of(node.operands.begin(), node.operands.end(), [&](NodeId k) {
      return terms_[static_cast<std::size_t>(k)].empty();
    });
    if (constant || !is_floating(node.type.dtype)) return true;
    if (node.primitive->elementwise()) {
      elementwise(id);
      return true;
    }
    for (std::size_t k = 0; k < node.operands.size(); ++k) {
      if (terms_[static_cast<std::size_t>(node.operands[k])].empty()) continue;
      const auto groups = rules_.groups(id, k);
      const bool moves = groups && (groups->of_operand.empty() || groups->of_result.empty()) &&
                         groups->within == ElementGroups::Within::all;
      if (!moves || !moved(id, k, *groups)) return false;
    }
    return true;
  }

  /// Terms of the operands that agree in their rows and columns go through the tangent rule
  /// together.
  void elementwise(NodeId id) {
    const Node& node = program_.nodes[static_cast<std::size_t>(id)];
    struct Slot {
      IndexMap columns, rows;
      std::vector<Array> tangents;
    };
    std::vector<Slot> slots;
    for (std::size_t k = 0; k < node.operands.size(); ++k) {
      for (const Term& term : terms_[static_cast<std::size_t>(node.operands[k])]) {
        IndexMap merged;
        auto slot = std::find_if(slots.begin(), slots.end(), [&](const Slot& s) {
          return same(s.rows, term.rows) && (merged = merge(s.columns, term.columns)) != nullptr;
        });
        if (slot == slots.end()) {
          slots.push_back({term.columns, term.rows, std::vector<Array>(node.operands.size())});
          slot = slots.end() - 1;
        } else {
          slot->columns = merged;
        }
        Array& tangent = slot->tangents[k];
        tangent = tangent.defined() ? tangent + term.values : term.values;
      }
    }
    const Array& result = values_[static_cast<std::size_t>(id)];
    for (const Slot& slot : slots) {
      std::vector<Array> primals = operands(node);
      Array value = result;
      if (slot.rows) {
        for (Array& primal : primals) primal = at(primal, slot.rows);
        value = at(result, slot.rows);
      }
      const Array tangent = tangent_of(builder_, node, primals, value, slot.tangents);
      if (tangent.defined()) add_term(terms(id), {slot.columns, slot.rows, tangent});
    }
  }

  /// A step that only moves elements of operand k: each result element depends on one of them, or
  /// each of them goes into one result element.
  bool moved(NodeId id, std::size_t k, const ElementGroups& groups) {
    const Node& node = program_.nodes[static_cast<std::size_t>(id)];
    const auto operand = static_cast<std::size_t>(node.operands[k]);
    const std::int64_t from = values_[operand].size();
    const std::int64_t to = values_[static_cast<std::size_t>(id)].size();
    // Of each other: source of a result element, target of an operand's; null where it is several.
    IndexMap source, target;
    if (!groups.of_operand.empty()) {
      target = share(groups.of_operand);
      source = inverse(*target, to);
    } else if (!groups.of_result.empty()) {
      source = share(groups.of_result);
      target = inverse(*source, from);
    } else {
      source = target = identity(from);
    }
    for (const Term& term : terms_[operand]) {
      if (!term.rows && source) {
        std::vector<Array> tangents(node.operands.size());
        tangents[k] = term.values;
        const Array values = tangent_of(builder_, node, operands(node),
                                        values_[static_cast<std::size_t>(id)], tangents);
        if (values.defined()) {
          add_term(terms(id), {compose(*term.columns, *source), nullptr, values});
        }
      } else if (target) {
        const Array weight = flat(weights(node, k));
        const Array values = flat(term.values);
        add_term(terms(id), {term.columns, term.rows ? compose(*target, *term.rows) : target,
                             values * (term.rows ? at(weight, term.rows) : weight)});
      } else {
        repeat(id, k, term, *source);
      }
      if (!within_bounds(terms(id))) return false;
    }
    return true;
  }

  /// Entries of rows that go to several places: one for each.
  void repeat(NodeId id, std::size_t k, const Term& term, const Ints& source) {
    const Node& node = program_.nodes[static_cast<std::size_t>(id)];
    std::multimap<std::int32_t, std::int32_t> places;
    for (std::size_t e = 0; e < source.size(); ++e) {
      if (source[e] >= 0) places.emplace(source[e], static_cast<std::int32_t>(e));
    }
    Ints rows, columns, entries;
    for (std::size_t e = 0; e < term.rows->size(); ++e) {
      if ((*term.rows)[e] < 0 || (*term.columns)[e] < 0) continue;
      const auto [first, last] = places.equal_range((*term.rows)[e]);
      for (auto it = first; it != last; ++it) {
        rows.push_back(it->second);
        columns.push_back((*term.columns)[e]);
        entries.push_back(static_cast<std::int32_t>(e));
      }
      if (static_cast<std::int64_t>(rows.size()) > max_entries_) break;  // refused by the caller
    }
    if (rows.empty()) return;
    // Linear in an operand of which every result element sees one: the tangent of ones is its
    // weight.
    std::vector<Array> tangents(node.operands.size());
    const Array& x = values_[static_cast<std::size_t>(node.operands[k])];
    tangents[k] = full(x, 1, x.shape(), x.dtype());
    const Array weight =
        tangent_of(builder_, node, operands(node), values_[static_cast<std::size_t>(id)], tangents);
    if (!weight.defined()) return;
    const IndexMap to = share(std::move(rows));
    const Array values = at(term.values, share(std::move(entries))) * at(weight, to);
    add_term(terms(id), {share(std::move(columns)), to, values});
  }

  /// The derivative of the one result element that each element of operand k goes into.
  Array weights(const Node& node, std::size_t k) {
    Builder alone;
    std::vector<Array> inputs;
    std::vector<bool> varying(node.operands.size(), false);
    varying[k] = true;
    for (const NodeId id : node.operands) {
      inputs.push_back(alone.input(program_.nodes[static_cast<std::size_t>(id)].type));
    }
    const std::array<Array, 1> outputs{alone.replay(node, inputs)};
    const Program step = alone.finish(outputs);
    const std::vector<Array> primals = operands(node);
    const std::array<Array, 1> ones{full(primals[k], 1, node.type.shape, node.type.dtype)};
    const Array pulled = pull_back(builder_, step, primals, varying, ones)[k];
    return pulled.defined() ? pulled : zeros_like(primals[k]);
  }

  /// Elements rows[0], rows[1], ... of x as a vector; any element where that is -1.
  Array at(const Array& x, const IndexMap& rows) {
    const auto count = static_cast<std::int64_t>(rows->size());
    if (const auto known = constant_value(x)) return full(x, *known, {count}, x.dtype());
    Array& indices = indices_[rows.get()];
    if (!indices.defined()) {
      Tensor places(Type{DType::i64, {count}});
      auto* place = places.as<std::int64_t>();
      for (std::size_t e = 0; e < rows->size(); ++e) place[e] = std::max((*rows)[e], 0);
      indices = builder_.constant(std::move(places));
      kept_.push_back(rows);  // so that no other map takes its address
    }
    return gather(flat(x), indices);
  }

  static IndexMap compose(const Ints& outer, const Ints& inner) {
    Ints result(inner.size());
    for (std::size_t e = 0; e < inner.size(); ++e) {
      result[e] = inner[e] < 0 ? -1 : outer[static_cast<std::size_t>(inner[e])];
    }
    return share(std::move(result));
  }

  /// Null where two elements have the same number.
  static IndexMap inverse(const Ints& map, std::int64_t count) {
    Ints result(static_cast<std::size_t>(count), -1);
    for (std::size_t e = 0; e < map.size(); ++e) {
      if (map[e] < 0) continue;
      std::int32_t& place = result[static_cast<std::size_t>(map[e])];
      if (place >= 0) return nullptr;
      place = static_cast<std::int32_t>(e);
    }
    return share(std::move(result));
  }

  Terms& terms(NodeId id) { return terms_[static_cast<std::size_t>(id)]; }

  const Program& program_;
  std::int64_t max_entries_;
  Builder builder_;
  ElementDependence rules_;
  std::vector<Array> values_;
  std::vector<Terms> terms_;
  std::map<const Ints*, Array> indices_;
  std::vector<IndexMap> kept_;
};

}  // namespace

std::optional<JacobianEntries> jacobian_entries(const Program& program, std::int64_t max_entries) {
  return Accumulation(program, max_entries).run();
}

}  // namespace kappa
