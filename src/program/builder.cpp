#include "program/builder.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "kappa/error.h"
#include "program/promote.h"

namespace kappa {
namespace {

// Inputs and constants have no rules; they are made here and never looked up by name.
const Primitive& input_primitive() {
  static const Primitive primitive{
      .name = "input", .doc = "A value given at run time.", .num_operands = 0};
  return primitive;
}

const Primitive& constant_primitive() {
  static const Primitive primitive{.name = "constant", .doc = "A known value.", .num_operands = 0};
  return primitive;
}

const Primitive& placeholder_primitive() {
  static const Primitive primitive{
      .name = "placeholder", .doc = "A type without a value.", .num_operands = 0};
  return primitive;
}

std::size_t hash_node(const Node& node) {
  std::size_t seed = std::hash<const void*>{}(node.primitive) ^ (node.attributes.hash() << 1);
  for (const NodeId id : node.operands) {
    seed ^= std::hash<NodeId>{}(id) + 0x9e3779b97f4a7c15ULL + (seed << 6) + (seed >> 2);
  }
  return seed;
}

// Results larger than this stay nodes: a folded constant costs memory for the program's life.
constexpr std::int64_t max_folded_elements = 4096;

}  // namespace

const Node& Array::node() const {
  if (builder_ == nullptr) {
    throw Error(ErrorKind::usage, "a number alone has no shape; combine it with an array first");
  }
  return builder_->node(node_);
}
DType Array::dtype() const { return node().type.dtype; }
const Shape& Array::shape() const { return node().type.shape; }
std::int64_t Array::size() const { return num_elements(shape()); }

Array apply(std::string_view name, std::span<const Array> operands) {
  const Primitive* primitive = find_primitive(name);
  if (primitive == nullptr) {
    throw Error(ErrorKind::name, fmt::format("apply: no primitive is called '{}'", name));
  }
  if (primitive->elementwise()) return apply_elementwise(*primitive, operands);
  return builder_of(operands).apply(*primitive, {}, resolve_literals(operands));
}

const Primitive* find_primitive(std::string_view name) {
  static const auto table = [] {
    std::unordered_map<std::string_view, const Primitive*> map;
    for (const Primitive* primitive : all_primitives()) map.emplace(primitive->name, primitive);
    return map;
  }();
  const auto found = table.find(name);
  return found == table.end() ? nullptr : found->second;
}

bool is_input(const Node& node) { return node.primitive == &input_primitive(); }
bool is_constant(const Node& node) { return node.primitive == &constant_primitive(); }

Array Builder::append(Node node) {
  nodes_.push_back(std::move(node));
  return {this, static_cast<NodeId>(nodes_.size() - 1)};
}

Array Builder::input(Type type, std::string name) {
  const auto index = static_cast<std::int64_t>(inputs_.size());
  const Array array = append({&input_primitive(), {{"index", index}}, {}, std::move(type)});
  inputs_.push_back(array.id());
  input_names_.push_back(std::move(name));
  return array;
}

Array Builder::placeholder(Type type) {
  return append({&placeholder_primitive(), {}, {}, std::move(type)});
}

Array Builder::constant(Tensor value) {
  Node node{&constant_primitive(), {{"value", value}}, {}, value.type()};
  const std::size_t hash = hash_node(node);
  const auto [first, last] = known_.equal_range(hash);
  for (auto it = first; it != last; ++it) {
    const Node& old = this->node(it->second);
    if (old.primitive == node.primitive && old.attributes == node.attributes) {
      return {this, it->second};
    }
  }
  const Array array = append(std::move(node));
  known_.emplace(hash, array.id());
  return array;
}

Array Builder::apply(const Primitive& primitive, Attributes attributes,
                     std::span<const Array> operands) {
  if (primitive.num_operands >= 0 &&
      operands.size() != static_cast<std::size_t>(primitive.num_operands)) {
    throw Error(ErrorKind::usage, fmt::format("[{}] takes {} operands, {} given", primitive.name,
                                              primitive.num_operands, operands.size()));
  }
  std::vector<Type> types;
  std::vector<Array> resolved(operands.begin(), operands.end());
  for (Array& operand : resolved) {
    if (!operand.defined()) {
      throw std::logic_error("[" + primitive.name + "] an operand is undefined");
    }
    if (operand.is_literal()) operand = scalar(operand.literal(), DType::f64);
    if (operand.builder() != this) {
      throw Error(ErrorKind::usage, fmt::format("[{}] operands belong to different programs; trace "
                                                "them together",
                                                primitive.name));
    }
    types.push_back(operand.node().type);
  }
  Type type = primitive.infer(attributes, types);

  const bool all_constant =
      !resolved.empty() && std::all_of(resolved.begin(), resolved.end(),
                                       [](const Array& x) { return is_constant(x.node()); });
  // Views of constants stay views (a broadcast scalar is not worth its elements).
  const bool foldable = !primitive.kernel.view || num_elements(type.shape) <= 1 ||
                        num_elements(type.shape) <= num_elements(types[0].shape);
  if (all_constant && foldable && num_elements(type.shape) <= max_folded_elements) {
    std::vector<Tensor> values;
    for (const Array& x : resolved) values.push_back(x.node().attributes.tensor("value"));
    return constant(evaluate(primitive, attributes, values));
  }

  if (primitive.simplify) {
    const Array simpler = primitive.simplify({attributes, resolved, {}});
    if (simpler.defined()) {
      if (!simpler.is_literal() && simpler.node().type == type) return simpler;
      throw std::logic_error("[" + primitive.name + "] simplify changed the type");
    }
  }

  Node node{&primitive, std::move(attributes), {}, std::move(type)};
  for (const Array& x : resolved) node.operands.push_back(x.id());
  const std::size_t hash = hash_node(node);
  const auto [first, last] = known_.equal_range(hash);
  for (auto it = first; it != last; ++it) {
    const Node& old = this->node(it->second);
    if (old.primitive == node.primitive && old.operands == node.operands &&
        old.attributes == node.attributes) {
      return {this, it->second};
    }
  }
  const Array array = append(std::move(node));
  known_.emplace(hash, array.id());
  return array;
}

Array Builder::replay(const Node& node, std::span<const Array> operands) {
  if (is_constant(node)) return constant(node.attributes.tensor("value"));
  return apply(*node.primitive, node.attributes, operands);
}

Program Builder::finish(std::span<const Array> outputs) {
  std::vector<bool> needed(nodes_.size(), false);
  for (const NodeId id : inputs_) needed[static_cast<std::size_t>(id)] = true;
  std::vector<Array> resolved(outputs.begin(), outputs.end());
  for (Array& output : resolved) {
    if (output.is_literal()) output = scalar(output.literal(), DType::f64);
  }
  needed.resize(nodes_.size(), false);
  for (const Array& output : resolved) needed[static_cast<std::size_t>(output.id())] = true;
  for (std::size_t i = nodes_.size(); i-- > 0;) {
    if (!needed[i]) continue;
    for (const NodeId id : nodes_[i].operands) needed[static_cast<std::size_t>(id)] = true;
  }
  Program program;
  std::vector<NodeId> renamed(nodes_.size(), -1);
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    if (!needed[i]) continue;
    if (nodes_[i].primitive == &placeholder_primitive()) {
      throw std::logic_error("a rule used the value of an operand it is linear in");
    }
    Node node = nodes_[i];
    for (NodeId& id : node.operands) id = renamed[static_cast<std::size_t>(id)];
    renamed[i] = static_cast<NodeId>(program.nodes.size());
    program.nodes.push_back(std::move(node));
  }
  for (const NodeId id : inputs_) program.inputs.push_back(renamed[static_cast<std::size_t>(id)]);
  program.input_names = input_names_;
  for (const Array& output : resolved) {
    program.outputs.push_back(renamed[static_cast<std::size_t>(output.id())]);
  }
  return program;
}

std::optional<double> constant_value(const Array& x) {
  if (!x.defined()) return std::nullopt;
  if (x.is_literal()) return x.literal();
  const Node* node = &x.node();
  while (node->primitive->kernel.view && !node->operands.empty()) {
    // Views that only repeat or reorder elements keep a uniform value; zero padding does not.
    std::vector<Type> types{x.builder()->node(node->operands[0]).type};
    const auto view = node->primitive->kernel.view(node->attributes, types, node->type);
    if (!view || !view->lower.empty()) return std::nullopt;
    node = &x.builder()->node(node->operands[0]);
  }
  if (!is_constant(*node)) return std::nullopt;
  const Tensor& value = node->attributes.tensor("value");
  if (value.size() == 0) return std::nullopt;
  const double first = value.at(0);
  for (std::int64_t i = 1; i < value.size(); ++i) {
    if (value.at(i) != first) return std::nullopt;
  }
  return first;
}

Builder& builder_of(std::span<const Array> operands) {
  for (const Array& x : operands) {
    if (x.builder() != nullptr) return *x.builder();
  }
  throw Error(ErrorKind::usage,
              "an operation on numbers alone; at least one operand must be an "
              "array");
}

std::vector<Array> resolve_literals(std::span<const Array> operands) {
  Builder& builder = builder_of(operands);
  DType common = DType::boolean;
  for (const Array& x : operands) {
    if (!x.is_literal()) common = promote(common, x.dtype());
  }
  for (const Array& x : operands) {
    if (!x.is_literal()) continue;
    if (common == DType::boolean) common = DType::i64;
    if (common == DType::i64 && x.literal() != std::floor(x.literal())) common = DType::f64;
    if (common == DType::i64 && std::abs(x.literal()) > 0x1p53) common = DType::f64;
  }
  std::vector<Array> result;
  for (const Array& x : operands) {
    result.push_back(x.is_literal() ? builder.scalar(x.literal(), common) : x);
  }
  return result;
}

std::vector<Array> unify(std::span<const Array> operands, const char* verb) {
  std::vector<Array> result = resolve_literals(operands);
  DType common = result[0].dtype();
  Shape shape = result[0].shape();
  for (const Array& x : result) {
    common = promote(common, x.dtype());
    shape = broadcast_shapes(shape, x.shape(), verb);
  }
  for (Array& x : result) x = broadcast_to(convert(x, common), shape);
  return result;
}

Array apply_elementwise(const Primitive& primitive, std::span<const Array> operands) {
  const std::vector<Array> unified = unify(operands, primitive.name.c_str());
  return unified[0].builder()->apply(primitive, {}, unified);
}

Type infer_same(const Attributes&, std::span<const Type> operands) {
  for (std::size_t i = 1; i < operands.size(); ++i) {
    if (!(operands[i] == operands[0])) {
      throw Error(ErrorKind::shape,
                  fmt::format("operand {} is {}, operand 0 is {}; they must agree", i,
                              to_string(operands[i]), to_string(operands[0])));
    }
  }
  return operands[0];
}

}  // namespace kappa
