#include "transform/element_groups.h"

#include <algorithm>
#include <numeric>

namespace kappa {
namespace {

using Ints = std::vector<std::int32_t>;

/// The element that each element of a view of shape `to` is.
Ints view_source(const View& view, const Shape& to) {
  Ints source(static_cast<std::size_t>(num_elements(to)));
  Dims index(to.size(), 0);
  std::int64_t place = view.offset;
  for (std::int32_t& s : source) {
    bool inside = true;
    for (std::size_t d = 0; d < view.lower.size(); ++d) {
      inside = inside && index[d] >= view.lower[d] && index[d] < view.upper[d];
    }
    s = inside ? static_cast<std::int32_t>(place) : -1;
    for (std::size_t d = to.size(); d-- > 0;) {
      place += view.strides[d];
      if (++index[d] < to[d]) break;
      place -= view.strides[d] * to[d];
      index[d] = 0;
    }
  }
  return source;
}

}  // namespace

IndexMap merge(const IndexMap& a, const IndexMap& b) {
  if (a == b) return a;
  const Ints& x = *a;
  const Ints& y = *b;
  bool a_covers = true, b_covers = true;
  for (std::size_t e = 0; e < x.size(); ++e) {
    if (x[e] == y[e]) continue;
    if (x[e] >= 0 && y[e] >= 0) return nullptr;
    a_covers = a_covers && y[e] < 0;
    b_covers = b_covers && x[e] < 0;
  }
  if (a_covers) return a;
  if (b_covers) return b;
  Ints merged = x;
  for (std::size_t e = 0; e < x.size(); ++e) merged[e] = std::max(x[e], y[e]);
  return std::make_shared<const Ints>(std::move(merged));
}

ElementDependence::ElementDependence(const Program& program)
    : program_(program), constants_(program.nodes.size()) {}

std::optional<ElementGroups> ElementDependence::groups(NodeId id, std::size_t operand) {
  const Node& node = program_.nodes[static_cast<std::size_t>(id)];
  const Primitive& p = *node.primitive;
  if (p.elementwise() && !p.sparsity) return ElementGroups{};
  std::vector<Type> types;
  for (const NodeId k : node.operands) {
    types.push_back(program_.nodes[static_cast<std::size_t>(k)].type);
  }
  if (p.sparsity) {
    std::vector<const Tensor*> known;
    for (std::size_t k = 0; k < types.size(); ++k) {
      known.push_back(is_floating(types[k].dtype) ? nullptr : constant_value(node.operands[k]));
    }
    return p.sparsity({node.attributes, types, node.type, known}, static_cast<int>(operand));
  }
  if (!p.kernel.view) return std::nullopt;
  const std::optional<View> view = p.kernel.view(node.attributes, types, node.type);
  if (!view) return std::nullopt;
  if (view->same_order) return ElementGroups{};
  return ElementGroups{.of_result = view_source(*view, node.type.shape)};
}

// Null for a node that depends on an input.
const Tensor* ElementDependence::constant_value(NodeId id) {
  auto& slot = constants_[static_cast<std::size_t>(id)];
  if (slot) return &*slot;
  const Node& node = program_.nodes[static_cast<std::size_t>(id)];
  if (is_input(node)) return nullptr;
  if (is_constant(node)) {
    slot = node.attributes.tensor("value");
    return &*slot;
  }
  std::vector<Tensor> operands;
  for (const NodeId operand : node.operands) {
    const Tensor* known = constant_value(operand);
    if (known == nullptr) return nullptr;
    operands.push_back(*known);
  }
  slot = evaluate(*node.primitive, node.attributes, operands);
  return &*slot;
}

}  // namespace kappa
