#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "frontend/symbolic.h"
#include "program/builder.h"

namespace kappa {
namespace {

using Id = Expressions::Id;
using Elements = std::vector<Id>;

// Calls `visit(index)` for every multi-index of the shape, in row-major order.
template <class Visit>
void for_each_index(const Shape& shape, Visit visit) {
  Dims index(shape.size(), 0);
  const std::int64_t count = num_elements(shape);
  for (std::int64_t i = 0; i < count; ++i) {
    visit(index);
    for (std::size_t d = shape.size(); d-- > 0;) {
      if (++index[d] < shape[d]) break;
      index[d] = 0;
    }
  }
}

std::int64_t offset_of(const Dims& index, const Dims& strides) {
  return std::inner_product(index.begin(), index.end(), strides.begin(), std::int64_t{0});
}

class Interpreter {
 public:
  Interpreter(Expressions& expressions, const Program& program) : e_(expressions), p_(program) {}

  std::vector<Elements> run() {
    constexpr std::int64_t max_elements = 50'000;
    std::int64_t total = 0;
    for (const Node& node : p_.nodes) {
      total += num_elements(node.type.shape);
      if (total > max_elements) throw Unprintable{};
    }
    int order = 0;
    for (std::size_t i = 0; i < p_.inputs.size(); ++i) {
      order = input(i, order);
    }
    for (std::size_t i = 0; i < p_.nodes.size(); ++i) {
      const Node& node = p_.nodes[i];
      if (!is_input(node)) values_[static_cast<NodeId>(i)] = apply(node);
      for (const Id id : values_[static_cast<NodeId>(i)]) {
        if (e_.depth(id) > max_symbolic_depth) throw Unprintable{};
      }
      if (e_.work() > max_symbolic_work) throw Unprintable{};
    }
    std::vector<Elements> outputs;
    for (const NodeId id : p_.outputs) outputs.push_back(values_[id]);
    return outputs;
  }

 private:
  int input(std::size_t i, int order) {
    const Shape& shape = p_.input_type(i).shape;
    const std::string name =
        p_.input_names[i].empty() ? fmt::format("input{}", i) : p_.input_names[i];
    Elements& elements = values_[p_.inputs[i]];
    for_each_index(shape, [&](const Dims& index) {
      const std::string text =
          index.empty() ? name : fmt::format("{}[{}]", name, fmt::join(index, ","));
      elements.push_back(e_.symbol(text, order++));
    });
    return order;
  }

  Elements apply(const Node& node) {
    if (is_constant(node)) {
      const Tensor& tensor = node.attributes.tensor("value");
      Elements elements;
      for (std::int64_t i = 0; i < tensor.size(); ++i) elements.push_back(e_.number(tensor.at(i)));
      return elements;
    }
    const std::string& name = node.primitive->name;
    if (node.primitive->elementwise()) return elementwise(node);
    if (name == "convert") return operand(node, 0);
    if (name == "pad") return pad(node);
    if (node.primitive->kernel.view) {
      if (auto viewed = view(node)) return *viewed;
    }
    if (name == "reduce_sum" || name == "reduce_prod" || name == "reduce_max" ||
        name == "reduce_min" || name == "logsumexp") {
      return reduction(node);
    }
    if (name == "softmax") return softmax(node);
    if (name == "matmul") return matmul(node);
    if (name == "concat") return concat(node);
    if (name == "cumsum") return cumsum(node);
    if (name == "gather") return gather(node);
    if (name == "scatter_add") return scatter_add(node);
    if (name == "iota") {
      Elements elements;
      for (std::int64_t i = 0; i < node.type.shape[0]; ++i) {
        elements.push_back(e_.number(static_cast<double>(i)));
      }
      return elements;
    }
    throw Unprintable{};
  }

  [[nodiscard]] const Elements& operand(const Node& node, std::size_t i) const {
    return values_.at(node.operands[i]);
  }
  [[nodiscard]] const Type& type(const Node& node, std::size_t i) const {
    return p_.nodes[static_cast<std::size_t>(node.operands[i])].type;
  }

  Elements elementwise(const Node& node) {
    Elements result;
    const std::int64_t count = num_elements(node.type.shape);
    for (std::int64_t i = 0; i < count; ++i) {
      Elements operands;
      for (std::size_t k = 0; k < node.operands.size(); ++k) {
        operands.push_back(operand(node, k)[static_cast<std::size_t>(i)]);
      }
      result.push_back(symbolic_elementwise(e_, node, operands));
    }
    return result;
  }

  std::optional<Elements> view(const Node& node) {
    std::vector<Type> types;
    for (std::size_t k = 0; k < node.operands.size(); ++k) types.push_back(type(node, k));
    const auto view = node.primitive->kernel.view(node.attributes, types, node.type);
    if (!view) return std::nullopt;
    const Elements& source = operand(node, 0);
    if (view->same_order) return source;
    Elements result;
    for_each_index(node.type.shape, [&](const Dims& index) {
      bool inside = true;
      for (std::size_t d = 0; d < index.size() && !view->lower.empty(); ++d) {
        inside = inside && index[d] >= view->lower[d] && index[d] < view->upper[d];
      }
      const std::int64_t at = view->offset + offset_of(index, view->strides);
      result.push_back(inside ? source[static_cast<std::size_t>(at)] : e_.number(0));
    });
    return result;
  }

  Elements pad(const Node& node) {
    const Dims& low = node.attributes.dims("low");
    const Dims& interior = node.attributes.dims("interior");
    const Dims strides = contiguous_strides(node.type.shape);
    Elements result(static_cast<std::size_t>(num_elements(node.type.shape)), e_.number(0));
    std::size_t i = 0;
    for_each_index(type(node, 0).shape, [&](const Dims& index) {
      const Id element = operand(node, 0)[i++];
      std::int64_t at = 0;
      for (std::size_t d = 0; d < index.size(); ++d) {
        const std::int64_t position = low[d] + index[d] * (interior[d] + 1);
        if (position < 0 || position >= node.type.shape[d]) return;  // cut off by a negative low
        at += position * strides[d];
      }
      result[static_cast<std::size_t>(at)] = element;
    });
    return result;
  }

  Elements reduction(const Node& node) {
    const Shape& shape = type(node, 0).shape;
    Dims axes;
    if (node.attributes.contains("axes")) {
      axes = node.attributes.dims("axes");
    } else {
      axes = {static_cast<std::int64_t>(shape.size()) - 1};  // logsumexp: the last axis
    }
    Dims strides(shape.size(), 0);
    std::int64_t stride = 1;
    for (std::size_t d = shape.size(); d-- > 0;) {
      if (std::find(axes.begin(), axes.end(), static_cast<std::int64_t>(d)) != axes.end()) continue;
      strides[d] = stride;
      stride *= shape[d];
    }
    std::vector<Elements> groups(static_cast<std::size_t>(num_elements(node.type.shape)));
    std::size_t i = 0;
    for_each_index(shape, [&](const Dims& index) {
      groups[static_cast<std::size_t>(offset_of(index, strides))].push_back(operand(node, 0)[i++]);
    });
    Elements result;
    for (const Elements& group : groups) result.push_back(reduce(node.primitive->name, group));
    return result;
  }

  Id reduce(const std::string& name, const Elements& group) {
    if (name == "reduce_sum") return sum(group);
    if (name == "reduce_prod") {
      std::vector<Expressions::Factor> factors;
      for (const Id id : group) factors.emplace_back(id, 1);
      return e_.product(1, factors);
    }
    if (group.size() == 1) return group[0];
    if (name == "reduce_max") return symbolic_call(e_, "max", group);
    if (name == "reduce_min") return symbolic_call(e_, "min", group);
    return e_.call(name, group, [](std::span<const ExpressionText> x) {
      std::string list;
      for (const ExpressionText& item : x) list += (list.empty() ? "" : ", ") + item.text;
      return ExpressionText{"logsumexp([" + list + "])", 9};
    });
  }

  Id sum(const Elements& parts) {
    std::vector<Expressions::Term> terms;
    for (const Id id : parts) terms.emplace_back(1, id);
    return e_.sum(terms);
  }

  Elements softmax(const Node& node) {
    const std::int64_t width = node.type.shape.back();
    const Elements& x = operand(node, 0);
    Elements result;
    for (std::size_t begin = 0; begin < x.size(); begin += static_cast<std::size_t>(width)) {
      Elements powers;
      for (std::int64_t i = 0; i < width; ++i) {
        powers.push_back(
            symbolic_call(e_, "exp", std::vector{x[begin + static_cast<std::size_t>(i)]}));
      }
      const Id total = sum(powers);
      for (const Id power : powers) {
        result.push_back(e_.product(1, std::vector<Expressions::Factor>{{power, 1}, {total, -1}}));
      }
    }
    return result;
  }

  Elements matmul(const Node& node) {
    const Shape &a = type(node, 0).shape, &b = type(node, 1).shape;
    const bool ta = node.attributes.integer("transpose_a") != 0;
    const bool tb = node.attributes.integer("transpose_b") != 0;
    const std::int64_t inner = a[a.size() - (ta ? 2 : 1)];
    const Dims stride_a = batch_strides(a, node.type.shape.size());
    const Dims stride_b = batch_strides(b, node.type.shape.size());
    Elements result;
    for_each_index(node.type.shape, [&](const Dims& index) {
      const std::int64_t row = index[index.size() - 2], column = index.back();
      std::int64_t base_a = 0, base_b = 0;
      for (std::size_t d = 0; d + 2 < index.size(); ++d) {
        base_a += index[d] * stride_a[d];
        base_b += index[d] * stride_b[d];
      }
      Elements products;
      for (std::int64_t k = 0; k < inner; ++k) {
        const std::int64_t at_a = base_a + (ta ? k * a.back() + row : row * a.back() + k);
        const std::int64_t at_b = base_b + (tb ? column * b.back() + k : k * b.back() + column);
        products.push_back(e_.multiply(operand(node, 0)[static_cast<std::size_t>(at_a)],
                                       operand(node, 1)[static_cast<std::size_t>(at_b)]));
      }
      result.push_back(sum(products));
    });
    return result;
  }

  // Strides of an operand's leading axes under the result's, 0 where it repeats.
  static Dims batch_strides(const Shape& shape, std::size_t rank) {
    const Dims strides = contiguous_strides(shape);
    Dims result(rank, 0);
    for (std::size_t d = 0; d + 2 < shape.size(); ++d) {
      if (shape[d] != 1) result[rank - shape.size() + d] = strides[d];
    }
    return result;
  }

  Elements concat(const Node& node) {
    const auto axis = static_cast<std::size_t>(node.attributes.integer("axis"));
    Elements result(static_cast<std::size_t>(num_elements(node.type.shape)));
    const Dims strides = contiguous_strides(node.type.shape);
    std::int64_t start = 0;
    for (std::size_t k = 0; k < node.operands.size(); ++k) {
      std::size_t i = 0;
      for_each_index(type(node, k).shape, [&](const Dims& index) {
        const std::int64_t at = offset_of(index, strides) + start * strides[axis];
        result[static_cast<std::size_t>(at)] = operand(node, k)[i++];
      });
      start += type(node, k).shape[axis];
    }
    return result;
  }

  Elements cumsum(const Node& node) {
    const auto axis = static_cast<std::size_t>(node.attributes.integer("axis"));
    const bool reverse = node.attributes.integer("reverse") != 0;
    const Dims strides = contiguous_strides(node.type.shape);
    Elements result = operand(node, 0);
    for_each_index(node.type.shape, [&](const Dims& given) {
      Dims index = given;  // in the order of the running sum
      if (reverse) index[axis] = node.type.shape[axis] - 1 - index[axis];
      if (given[axis] == 0) return;
      const std::int64_t at = offset_of(index, strides);
      const std::int64_t last = at + (reverse ? strides[axis] : -strides[axis]);
      result[static_cast<std::size_t>(at)] =
          e_.add(result[static_cast<std::size_t>(last)], result[static_cast<std::size_t>(at)]);
    });
    return result;
  }

  [[nodiscard]] std::int64_t known_index(Id id) const {
    if (!e_.is_number(id) || !(std::abs(e_.value(id)) < 0x1p53)) throw Unprintable{};
    return static_cast<std::int64_t>(e_.value(id));
  }

  // x.shape[:axis] + indices.shape + x.shape[axis+1:]
  template <class Visit>
  void for_each_gathered(const Node& node, const Shape& dense, const Shape& picked, Visit visit) {
    const auto axis = static_cast<std::size_t>(node.attributes.integer("axis"));
    const auto rank = static_cast<std::size_t>(type(node, 1).shape.size());
    const Dims strides = contiguous_strides(dense);
    const Dims index_strides = contiguous_strides(type(node, 1).shape);
    std::size_t i = 0;
    for_each_index(picked, [&](const Dims& index) {
      std::int64_t at = 0, position = 0;
      for (std::size_t d = 0; d < axis; ++d) at += index[d] * strides[d];
      for (std::size_t d = 0; d < rank; ++d) position += index[axis + d] * index_strides[d];
      for (std::size_t d = axis + rank; d < index.size(); ++d) {
        at += index[d] * strides[d - rank + 1];
      }
      const std::int64_t entry = known_index(operand(node, 1)[static_cast<std::size_t>(position)]);
      visit(i++, static_cast<std::size_t>(at + entry * strides[axis]));
    });
  }

  Elements gather(const Node& node) {
    Elements result(static_cast<std::size_t>(num_elements(node.type.shape)));
    for_each_gathered(
        node, type(node, 0).shape, node.type.shape,
        [&](std::size_t to, std::size_t from) { result[to] = operand(node, 0)[from]; });
    return result;
  }

  Elements scatter_add(const Node& node) {
    std::vector<Elements> parts(static_cast<std::size_t>(num_elements(node.type.shape)));
    for_each_gathered(
        node, node.type.shape, type(node, 0).shape,
        [&](std::size_t from, std::size_t to) { parts[to].push_back(operand(node, 0)[from]); });
    Elements result;
    for (const Elements& part : parts) result.push_back(sum(part));
    return result;
  }

  Expressions& e_;
  const Program& p_;
  std::map<NodeId, Elements> values_;
};

}  // namespace

Id symbolic_call(Expressions& expressions, const std::string& name, std::span<const Id> operands,
                 const Shape& shape) {
  return expressions.call(
      name, operands,
      [name](std::span<const ExpressionText> x) {
        std::string list;
        for (const ExpressionText& item : x) list += (list.empty() ? "" : ", ") + item.text;
        return ExpressionText{name + "(" + list + ")", 9};
      },
      shape);
}

namespace {

Id infix(Expressions& e, const std::string& name, const std::string& sign, int precedence,
         std::span<const Id> operands, const Shape& shape) {
  return e.call(
      name, operands,
      [=](std::span<const ExpressionText> x) {
        return ExpressionText{
            parenthesized(x[0], precedence + 1) + sign + parenthesized(x[1], precedence + 1),
            precedence};
      },
      shape);
}

Shape common_shape(const Expressions& e, std::span<const Id> operands) {
  Shape shape;
  for (const Id id : operands) shape = broadcast_shapes(shape, e.shape(id), "print");
  return shape;
}

// The operation on numbers, in double.
double evaluate_scalar(const Expressions& e, const Node& node, std::span<const Id> operands) {
  std::vector<Tensor> values;
  const bool chooses = node.primitive->name == "where";
  const bool logical = node.primitive->name.starts_with("logical");
  for (std::size_t i = 0; i < operands.size(); ++i) {
    const DType dtype = logical || (chooses && i == 0) ? DType::boolean : DType::f64;
    values.push_back(Tensor::scalar(e.value(operands[i]), dtype));
  }
  return evaluate(*node.primitive, node.attributes, values).at(0);
}

}  // namespace

Id symbolic_elementwise(Expressions& e, const Node& node, std::span<const Id> x) {
  using Term = Expressions::Term;
  using Factor = Expressions::Factor;
  const std::string& name = node.primitive->name;
  if (name == "convert") return x[0];
  if (name == "add") return e.add(x[0], x[1]);
  if (name == "sub") return e.sum(std::vector<Term>{{1, x[0]}, {-1, x[1]}});
  if (name == "mul") return e.multiply(x[0], x[1]);
  if (name == "neg") return e.scale(-1, x[0]);
  const auto all_numbers =
      std::all_of(x.begin(), x.end(), [&](const Id id) { return e.is_number(id); });
  if (all_numbers && !x.empty()) return e.number(evaluate_scalar(e, node, x));
  if (name == "div") return e.product(1, std::vector<Factor>{{x[0], 1}, {x[1], -1}});
  if (name == "pow" && e.is_number(x[1])) {
    return e.product(1, std::vector<Factor>{{x[0], e.value(x[1])}});
  }
  if (name == "where") {
    if (e.is_number(x[0])) return e.value(x[0]) != 0 ? x[1] : x[2];
    if (x[1] == x[2]) return x[1];
  }
  const Shape shape = common_shape(e, x);
  if (name == "logical_and") return infix(e, name, "*", 3, x, shape);
  if (name == "logical_or") return symbolic_call(e, "max", x, shape);
  if (name == "logical_not") {
    return e.call(
        name, x,
        [](std::span<const ExpressionText> t) {
          return ExpressionText{parenthesized(t[0], 2) + " == 0", 1};
        },
        shape);
  }
  if (name == "minimum" || name == "maximum") {
    return symbolic_call(e, name == "minimum" ? "min" : "max", x, shape);
  }
  // Name and attributes make the operation.
  std::string key = name;
  if (!node.attributes.empty()) key += "{" + node.attributes.print() + "}";
  const auto print = node.primitive->print;
  if (!print || name == "where") {
    if (key != name) throw Unprintable{};
    return symbolic_call(e, name, x, shape);
  }
  return e.call(
      key, x,
      [print, attributes = node.attributes](std::span<const ExpressionText> operands) {
        std::vector<std::pair<std::string, int>> texts;
        for (const ExpressionText& t : operands) texts.emplace_back(t.text, t.precedence);
        auto [text, precedence] = print(attributes, texts);
        return ExpressionText{std::move(text), precedence};
      },
      shape);
}

std::optional<std::vector<std::vector<Id>>> symbolic_elements(Expressions& expressions,
                                                              const Program& program) {
  try {
    return Interpreter(expressions, program).run();
  } catch (const Unprintable&) {
    return std::nullopt;
  }
}

}  // namespace kappa
