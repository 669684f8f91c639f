#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "frontend/symbolic.h"
#include "program/builder.h"

namespace kappa {
namespace {

using Id = Expressions::Id;
using Term = Expressions::Term;
using Text = ExpressionText;

std::int64_t count(const Shape& shape) { return num_elements(shape); }

Shape without_leading_units(const Shape& shape) {
  Shape result = shape;
  while (!result.empty() && result.front() == 1) result.erase(result.begin());
  return result;
}

// An expression stands for a value of its node's shape by broadcasting: `x - 1` for x of shape (3)
// holds for (3) and for (2, 3). Operations that look at positions ask for the whole shape first.
class Interpreter {
 public:
  Interpreter(Expressions& expressions, const Program& program) : e_(expressions), p_(program) {}

  std::vector<Id> run() {
    int order = 0;
    for (std::size_t i = 0; i < p_.inputs.size(); ++i) {
      const std::string name =
          p_.input_names[i].empty() ? fmt::format("input{}", i) : p_.input_names[i];
      values_[p_.inputs[i]] = e_.symbol(name, order++, p_.input_type(i).shape);
    }
    for (std::size_t i = 0; i < p_.nodes.size(); ++i) {
      const Node& node = p_.nodes[i];
      if (is_input(node)) continue;
      const Id id = apply(node);
      if (e_.depth(id) > max_symbolic_depth || e_.work() > max_symbolic_work) throw Unprintable{};
      values_[static_cast<NodeId>(i)] = id;
    }
    std::vector<Id> outputs;
    for (const NodeId id : p_.outputs) {
      outputs.push_back(whole(values_[id], p_.nodes[static_cast<std::size_t>(id)].type.shape));
    }
    return outputs;
  }

 private:
  [[nodiscard]] Id operand(const Node& node, std::size_t i) const {
    return values_.at(node.operands[i]);
  }
  [[nodiscard]] const Shape& shape(const Node& node, std::size_t i) const {
    return p_.nodes[static_cast<std::size_t>(node.operands[i])].type.shape;
  }
  // The operand in its full shape.
  Id whole(const Node& node, std::size_t i) { return whole(operand(node, i), shape(node, i)); }

  Id whole(Id id, const Shape& shape) {
    if (e_.shape(id) == shape) return id;
    const std::string extents = fmt::format("{}", fmt::join(shape, ", "));
    if (e_.is_number(id)) {
      const double value = e_.value(id);
      if (value == 0) return filled("zeros", extents, shape);
      return e_.scale(value, filled("ones", extents, shape));
    }
    if (without_leading_units(e_.shape(id)) == without_leading_units(shape)) {
      return wrap("reshape(" + extents + ")", id, shape, [extents](const Text& x) {
        return Text{"reshape(" + x.text + ", " + extents + ")"};
      });
    }
    return e_.multiply(id, filled("ones", extents, shape));
  }

  Id filled(const char* name, const std::string& extents, const Shape& shape) {
    const std::string text = fmt::format("{}({})", name, extents);
    return e_.call(
        text, {}, [text](std::span<const Text>) { return Text{text}; }, shape);
  }

  template <class Render>
  Id wrap(const std::string& key, Id id, const Shape& shape, Render render) {
    return e_.call(
        key, std::vector{id}, [render](std::span<const Text> x) { return render(x[0]); }, shape);
  }

  Id apply(const Node& node) {
    if (is_constant(node)) return constant(node.attributes.tensor("value"));
    const std::string& name = node.primitive->name;
    if (node.primitive->elementwise()) {
      std::vector<Id> operands;
      for (std::size_t i = 0; i < node.operands.size(); ++i) operands.push_back(operand(node, i));
      return symbolic_elementwise(e_, node, operands);
    }
    if (name == "convert" || name == "broadcast_to") return operand(node, 0);
    if (name == "reshape") return reshape(operand(node, 0), shape(node, 0), node.type.shape);
    if (name == "transpose") return transpose(node);
    if (name == "slice") return slice(node);
    if (name == "pad") return pad(node);
    if (name == "concat") return concat(node);
    if (name == "reduce_sum") return reduce_sum(node);
    if (name == "reduce_prod") return reduce(node, "prod");
    if (name == "reduce_max") return reduce(node, "max");
    if (name == "reduce_min") return reduce(node, "min");
    if (name == "logsumexp") return last_axis(node, "logsumexp");
    if (name == "softmax") return last_axis(node, "softmax");
    if (name == "logsumexp_columns") return last_axis_but_one(node, "logsumexp");
    if (name == "softmax_columns") return last_axis_but_one(node, "softmax");
    if (name == "cumsum") return cumsum(node);
    if (name == "matmul") return matmul(node);
    if (name == "iota") {
      const std::string text = fmt::format("range({})", node.type.shape[0]);
      return e_.call(
          text, {}, [text](std::span<const Text>) { return Text{text}; }, node.type.shape);
    }
    throw Unprintable{};
  }

  Id constant(const Tensor& tensor) {
    constexpr std::int64_t max_listed = 100;
    if (tensor.size() == 0) throw Unprintable{};
    bool uniform = true;
    for (std::int64_t i = 1; i < tensor.size(); ++i)
      uniform = uniform && tensor.at(i) == tensor.at(0);
    if (uniform) return e_.number(tensor.at(0));
    if (tensor.size() > max_listed) throw Unprintable{};
    // One text for an array and its negative.
    double sign = 1;
    for (std::int64_t i = 0; i < tensor.size(); ++i) {
      if (tensor.at(i) == 0) continue;
      sign = tensor.at(i) < 0 ? -1 : 1;
      break;
    }
    std::int64_t at = 0;
    const std::string text = literal(tensor, sign, 0, at);
    const Id list = e_.call(
        text, {}, [text](std::span<const Text>) { return Text{text}; }, tensor.shape());
    return e_.scale(sign, list);
  }

  static std::string literal(const Tensor& tensor, double sign, std::size_t axis,
                             std::int64_t& at) {
    if (axis == tensor.shape().size()) return number_text(sign * tensor.at(at++));
    std::string list;
    for (std::int64_t i = 0; i < tensor.shape()[axis]; ++i) {
      list += (i > 0 ? ", " : "") + literal(tensor, sign, axis + 1, at);
    }
    return "[" + list + "]";
  }

  // ----------------------------------------------------------------------------- structure

  Id reshape(Id given, const Shape& from, const Shape& to) {
    const auto [coefficient, rest] = e_.split_coefficient(given);
    return e_.scale(coefficient, reshape_unscaled(rest, from, to));
  }

  Id reshape_unscaled(Id id, const Shape& from, const Shape& to) {
    if (e_.shape(id).empty()) return id;  // one value for all
    // Axes of one entry in front broadcast by themselves.
    if (e_.shape(id) == to || without_leading_units(to) == e_.shape(id)) return id;
    if (e_.shape(id) == from) {
      if (const Id dropped = drop_unit_slices(id, to); dropped >= 0) return dropped;
    }
    const std::int64_t extent = count(from);
    const Shape column{extent, 1}, vector{extent};
    if (e_.shape(id) == vector && to == column) return as_column(id);
    if (to == vector || without_leading_units(to) == vector) {
      if (const Id standing = uncolumn(id, extent); standing >= 0) return standing;
    }
    id = whole(id, from);
    if (from == to) return id;
    const std::string extents = fmt::format("{}", fmt::join(to, ", "));
    if (to.empty()) {
      return wrap("reshape()", id, to, [n = from.size()](const Text& x) {
        std::string zeros = "0";
        for (std::size_t i = 1; i < n; ++i) zeros += ",0";
        return Text{parenthesized(x, 9) + "[" + zeros + "]"};
      });
    }
    return wrap("reshape(" + extents + ")", id, to, [extents](const Text& x) {
      return Text{"reshape(" + x.text + ", " + extents + ")"};
    });
  }

  // The vector (n) that an expression of shape (n, 1) is the column of, or -1.
  Id uncolumn(Id id, std::int64_t extent) {
    if (e_.shape(id).empty()) return id;
    if (e_.shape(id) != Shape{extent, 1}) return -1;
    if (const auto* inside = e_.operands_of(id, column_key)) return inside->front();
    return e_.rebuild(id, [&](Id part) { return uncolumn(part, extent); });
  }

  static constexpr const char* column_key = "x[..., None]";
  Id as_column(Id given) {
    const auto [coefficient, id] = e_.split_coefficient(given);
    Shape shape = e_.shape(id);
    const std::size_t rank = shape.size();
    shape.push_back(1);
    const Id column = wrap(column_key, id, shape, [rank](const Text& x) {
      std::string all;
      for (std::size_t i = 0; i < rank; ++i) all += ":,";
      return Text{parenthesized(x, 9) + "[" + all + "None]"};
    });
    return e_.scale(coefficient, column);
  }

  struct Sliced {
    Id operand;
    Dims starts, stops, steps;
  };

  // x[1:2] without its axis of one entry is x[1].
  Id drop_unit_slices(Id id, const Shape& to) {
    const auto found = sliced_.find(id);
    if (found == sliced_.end()) return -1;
    const Sliced sliced = found->second;
    const Shape& source = e_.shape(sliced.operand);
    Shape left;
    std::vector<bool> drop;
    for (std::size_t d = 0; d < source.size(); ++d) {
      const std::int64_t extent = e_.shape(id)[d];
      drop.push_back(extent == 1);
      if (extent != 1) left.push_back(extent);
    }
    return left == to ? index(sliced, drop, to) : -1;
  }

  Id slice(const Node& node) {
    if (e_.shape(operand(node, 0)).empty()) return operand(node, 0);
    const auto [coefficient, x] = e_.split_coefficient(whole(node, 0));
    const Sliced sliced{x, node.attributes.dims("starts"), node.attributes.dims("stops"),
                        node.attributes.dims("steps")};
    const Id id = index(sliced, std::vector<bool>(node.type.shape.size(), false), node.type.shape);
    sliced_.emplace(id, sliced);
    return e_.scale(coefficient, id);
  }

  Id index(const Sliced& sliced, const std::vector<bool>& drop, const Shape& result) {
    const Shape source = e_.shape(sliced.operand);
    std::vector<std::string> items;
    for (std::size_t d = 0; d < source.size(); ++d) {
      const std::int64_t start = sliced.starts[d], stop = sliced.stops[d], step = sliced.steps[d];
      if (drop[d]) {
        items.push_back(std::to_string(start));
        continue;
      }
      std::string item;
      if (start != (step > 0 ? 0 : source[d] - 1)) item += std::to_string(start);
      item += ":";
      // Counted from the end where that is shorter to read, and open where it reaches the end.
      const bool reaches_end =
          step > 0 && (stop - start + step - 1) / step == (source[d] - start + step - 1) / step;
      if (step > 0 && !reaches_end) {
        item += std::to_string(stop > source[d] / 2 ? stop - source[d] : stop);
      }
      if (step < 0 && stop >= 0) item += std::to_string(stop);
      if (step != 1) item += ":" + std::to_string(step);
      items.push_back(item);
    }
    while (items.size() > 1 && items.back() == ":") items.pop_back();
    const std::string text = fmt::format("[{}]", fmt::join(items, ","));
    return wrap(text, sliced.operand, result,
                [text](const Text& x) { return Text{parenthesized(x, 9) + text}; });
  }

  Id transpose(const Node& node) {
    const Id x = operand(node, 0);
    if (e_.shape(x).empty()) return x;
    const Dims& permutation = node.attributes.dims("permutation");
    if (!std::is_sorted(permutation.rbegin(), permutation.rend())) throw Unprintable{};
    const auto [coefficient, full] = e_.split_coefficient(whole(node, 0));
    if (const auto* inside = e_.operands_of(full, ".T")) {
      return e_.scale(coefficient, inside->front());
    }
    return e_.scale(coefficient, wrap(".T", full, node.type.shape, [](const Text& text) {
                      return Text{parenthesized(text, 9) + ".T"};
                    }));
  }

  // Zeros around the array, one axis at a time.
  Id pad(const Node& node) {
    const Dims &low = node.attributes.dims("low"), &high = node.attributes.dims("high");
    const Dims& interior = node.attributes.dims("interior");
    const bool scalar = e_.shape(operand(node, 0)).empty() && !e_.is_number(operand(node, 0));
    Id id = whole(node, 0);
    const Id part = scalar ? operand(node, 0) : id;
    Shape current = shape(node, 0);
    for (std::size_t d = 0; d < current.size(); ++d) {
      if (low[d] < 0 || high[d] < 0) throw Unprintable{};
      if (interior[d] != 0 && current[d] > 1) {
        if (current.size() != 1) throw Unprintable{};
        id = spread(id, current[0], interior[0]);
        current[0] += (current[0] - 1) * interior[0];
      }
      if (low[d] == 0 && high[d] == 0) continue;
      std::vector<Id> parts;
      Shape edge = current;
      for (const std::int64_t extent : {low[d], std::int64_t{-1}, high[d]}) {
        if (extent == 0) continue;
        edge[d] = extent;
        // concat takes a scalar for an array of one entry.
        const bool single = extent < 0 && edge.size() == 1 && current[d] == 1 && d == 0;
        parts.push_back(extent >= 0 ? whole(e_.number(0), edge) : single ? part : id);
      }
      current[d] += low[d] + high[d];
      id = joined(parts, d, current);
    }
    return id;
  }

  // `gap` zeros between neighbours: a column of zeros beside each entry, read row by row.
  Id spread(Id id, std::int64_t extent, std::int64_t gap) {
    const Id zeros = whole(e_.number(0), {extent, gap});
    const Id pairs = joined({as_column(id), zeros}, 1, {extent, gap + 1});
    const std::string text = fmt::format(", {})[:-{}]", extent * (gap + 1), gap);
    return wrap("reshape" + text, pairs, {extent * (gap + 1) - gap},
                [text](const Text& x) { return Text{"reshape(" + x.text + text}; });
  }

  Id concat(const Node& node) {
    std::vector<Id> parts;
    for (std::size_t i = 0; i < node.operands.size(); ++i) parts.push_back(whole(node, i));
    return joined(parts, static_cast<std::size_t>(node.attributes.integer("axis")),
                  node.type.shape);
  }

  Id joined(const std::vector<Id>& parts, std::size_t axis, const Shape& result) {
    const std::string key = axis == 0 ? "concat" : fmt::format("concat, axis={}", axis);
    return e_.call(
        key, parts,
        [axis](std::span<const Text> x) {
          std::string list;
          for (const Text& part : x) list += (list.empty() ? "" : ", ") + part.text;
          return Text{"concat(" + list + (axis > 0 ? fmt::format(", axis={}", axis) : "") + ")"};
        },
        result);
  }

  // ----------------------------------------------------------------------------- reductions

  static std::string axis_text(const Dims& axes, std::size_t rank) {
    if (axes.size() == rank) return "";
    if (axes.size() == 1) return fmt::format(", axis={}", axes[0]);
    return fmt::format(", axis=[{}]", fmt::join(axes, ", "));
  }

  Id reduction(const std::string& name, const std::string& axes, Id id, const Shape& result) {
    return wrap(name + axes, id, result,
                [name, axes](const Text& x) { return Text{name + "(" + x.text + axes + ")"}; });
  }

  Id reduce_sum(const Node& node) {
    const Dims& axes = node.attributes.dims("axes");
    const Shape& from = shape(node, 0);
    const double copies = static_cast<double>(count(from)) /
                          static_cast<double>(std::max<std::int64_t>(1, count(node.type.shape)));
    if (e_.shape(operand(node, 0)).empty()) return e_.scale(copies, operand(node, 0));
    const auto [scalar, rest] = e_.split_scalar(operand(node, 0));
    const Id total =
        reduction("sum", axis_text(axes, from.size()), whole(rest, from), node.type.shape);
    return e_.multiply(scalar, total);
  }

  Id reduce(const Node& node, const char* name) {
    return reduction(name, axis_text(node.attributes.dims("axes"), shape(node, 0).size()),
                     whole(node, 0), node.type.shape);
  }

  Id last_axis(const Node& node, const char* name) {
    const auto rank = shape(node, 0).size();
    const bool reduces = std::string(name) == "logsumexp";
    return reduction(name, reduces && rank > 1 ? fmt::format(", axis={}", rank - 1) : "",
                     whole(node, 0), node.type.shape);
  }

  Id last_axis_but_one(const Node& node, const char* name) {
    return reduction(name, fmt::format(", axis={}", shape(node, 0).size() - 2), whole(node, 0),
                     node.type.shape);
  }

  Id cumsum(const Node& node) {
    const std::int64_t axis = node.attributes.integer("axis");
    const std::string axes = axis == 0 ? "" : fmt::format(", axis={}", axis);
    Id x = whole(node, 0);
    if (node.attributes.integer("reverse") == 0) {
      return reduction("cumsum", axes, x, node.type.shape);
    }
    std::string flip = "[";
    for (std::int64_t d = 0; d < axis; ++d) flip += ":,";
    flip += "::-1]";
    const auto flipped = [&](Id id) {
      return wrap(flip, id, node.type.shape,
                  [flip](const Text& t) { return Text{parenthesized(t, 9) + flip}; });
    };
    return flipped(reduction("cumsum", axes, flipped(x), node.type.shape));
  }

  // Rows and columns that were vectors become vectors again: A@x, x@y.
  Id matmul(const Node& node) {
    const Id a = operand(node, 0), b = operand(node, 1);
    const bool transpose_a = node.attributes.integer("transpose_a") != 0;
    const bool transpose_b = node.attributes.integer("transpose_b") != 0;
    const Shape from_a = shape(node, 0), from_b = shape(node, 1);
    if (from_a.size() != 2 || from_b.size() != 2) {
      if (transpose_a || transpose_b) throw Unprintable{};
      return product(whole(a, from_a), whole(b, from_b), false, false, node.type.shape);
    }
    if (!transpose_a && !transpose_b && from_a[1] == 1) return e_.multiply(a, b);
    const bool one_row = from_a[transpose_a ? 1 : 0] == 1;
    const bool one_column = from_b[transpose_b ? 0 : 1] == 1;
    const Id row = one_row ? as_vector(a, transpose_a) : -1;
    const Id column = one_column ? as_vector(b, !transpose_b) : -1;
    if (row >= 0 && column >= 0) return product(row, column, false, false, {});
    if (row >= 0) {
      return product(row, whole(b, from_b), false, transpose_b, {node.type.shape[1]});
    }
    if (column >= 0) {
      const Id vector = product(whole(a, from_a), column, transpose_a, false, {node.type.shape[0]});
      return as_column(vector);
    }
    return product(whole(a, from_a), whole(b, from_b), transpose_a, transpose_b, node.type.shape);
  }

  // The vector that a row (1, n), or a column (n, 1) where `standing`, is made of; -1 for others.
  Id as_vector(Id id, bool standing) {
    if (standing) {
      return e_.shape(id).size() == 2 ? uncolumn(id, e_.shape(id)[0]) : -1;
    }
    return e_.shape(id).size() == 1 ? id : -1;
  }

  Id product(Id a, Id b, bool transpose_a, bool transpose_b, const Shape& result) {
    const auto [ca, left] = e_.split_coefficient(a);
    const auto [cb, right] = e_.split_coefficient(b);
    const std::string key = fmt::format("@{}{}", transpose_a ? "t" : "", transpose_b ? "T" : "");
    const Id id = e_.call(
        key, std::vector{left, right},
        [transpose_a, transpose_b](std::span<const Text> x) {
          const std::string first =
              transpose_a ? parenthesized(x[0], 9) + ".T" : parenthesized(x[0], 3);
          const std::string second =
              transpose_b ? parenthesized(x[1], 9) + ".T" : parenthesized(x[1], 4);
          return Text{first + "@" + second, 3};
        },
        result);
    return e_.scale(ca * cb, id);
  }

  Expressions& e_;
  const Program& p_;
  std::map<NodeId, Id> values_;
  std::map<Id, Sliced> sliced_;
};

}  // namespace

std::optional<std::vector<Id>> symbolic_arrays(Expressions& expressions, const Program& program) {
  try {
    return Interpreter(expressions, program).run();
  } catch (const Unprintable&) {
    return std::nullopt;
  }
}

}  // namespace kappa
