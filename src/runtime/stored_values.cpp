#include "runtime/stored_values.h"

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace kappa {
namespace {

// A value used by several passes is stored if making it again costs more additions than this an
// element: about what a store and a load cost.
constexpr int max_repeated_cost = 12;

}  // namespace

StoredValues::StoredValues(const Program& program, bool fuse) : program_(program), fuse_(fuse) {
  classify();
  find_accumulations();
  decide_stored();
}

void StoredValues::classify() {
  role_.resize(size());
  view_.resize(size());
  users_.resize(size());
  is_output_.assign(size(), false);
  stored_.assign(size(), false);
  fused_sum_.assign(size(), false);
  accumulated_.assign(size(), false);
  for (std::size_t i = 0; i < size(); ++i) {
    const Node& n = program_.nodes[i];
    for (const NodeId id : n.operands) at(users_, id).push_back(static_cast<NodeId>(i));
    if (is_input(n) || is_constant(n)) {
      role_[i] = Role::outer;
    } else if (n.primitive->kernel.tile) {
      role_[i] = Role::elementwise;
    } else {
      role_[i] = Role::library;
      if (n.primitive->kernel.view) {
        const std::vector<Type> types = operand_types(n);
        if (auto view = n.primitive->kernel.view(n.attributes, types, n.type)) {
          role_[i] = Role::view;
          view_[i] = std::move(*view);
        }
      }
      if (role_[i] == Role::library && !n.primitive->kernel.run) {
        throw std::logic_error("[" + n.primitive->name + "] has no kernel");
      }
    }
  }
  for (const NodeId id : program_.outputs) at(is_output_, id) = true;
  // A sum over all elements is the end of an elementwise pass.
  for (std::size_t i = 0; i < size(); ++i) {
    const Node& n = program_.nodes[i];
    if (!fuse_ || n.primitive->kernel.role != Kernel::Role::sum || role_[i] != Role::library) {
      continue;
    }
    if (!is_floating(n.type.dtype) || num_elements(n.type.shape) != 1) continue;
    fused_sum_[i] = true;
  }
}

std::vector<Type> StoredValues::operand_types(const Node& n) const {
  std::vector<Type> types;
  for (const NodeId id : n.operands) types.push_back(node(id).type);
  return types;
}

NodeId StoredValues::sole_product(NodeId id) const {
  while (true) {
    if (at(users_, id).size() != 1 || at(is_output_, id)) return -1;
    if (at(accumulated_, id)) return id;
    if (at(role_, id) == Role::library) {
      // A full sum is the end of a fused pass, which writes its result and adds to nothing.
      return node(id).primitive->kernel.accumulates && !at(fused_sum_, id) ? id : -1;
    }
    if (at(role_, id) != Role::view || !at(view_, id).same_order) return -1;
    id = node(id).operands[0];
  }
}

void StoredValues::find_accumulations() {
  if (!fuse_) return;
  for (std::size_t i = 0; i < size(); ++i) {
    const Node& n = program_.nodes[i];
    if (role_[i] != Role::elementwise || n.primitive->kernel.role != Kernel::Role::add) continue;
    const NodeId a = sole_product(n.operands[0]);
    const NodeId b = sole_product(n.operands[1]);
    if (a < 0 || b < 0 || a == b) continue;
    accumulated_[i] = true;
  }
}

void StoredValues::collect_products(NodeId id, std::vector<NodeId>& products) const {
  if (at(accumulated_, id)) {
    for (const NodeId operand : node(id).operands) collect_products(operand, products);
  } else if (at(role_, id) == Role::view) {
    collect_products(node(id).operands[0], products);
  } else {
    products.push_back(id);
  }
}

Reach StoredValues::reach(NodeId operand) const {
  Reach result{operand, identity_access(node(operand).type.shape)};
  while (at(role_, result.base) == Role::view && !at(stored_, result.base)) {
    const Node& n = node(result.base);
    auto deeper = through_view(result.access, at(view_, result.base), n.type.shape);
    if (!deeper) break;  // the view itself must be stored
    result.access = std::move(*deeper);
    result.base = n.operands[0];
  }
  return result;
}

bool StoredValues::is_shift(const Access& access, std::int64_t count, std::int64_t base_count,
                            std::int64_t& shift) const {
  if (count == 1 && base_count != 1) return false;
  std::int64_t low = 0;
  std::int64_t high = count;
  if (access.extents.empty()) {
    if (count != 1 || base_count != 1) return false;
    shift = access.offset;
    return shift == 0;
  }
  if (access.extents.size() != 1 || access.strides[0] != 1) return false;
  if (access.bounded()) {
    low = access.lower[0];
    high = access.upper[0];
  }
  shift = access.offset;
  return low == std::max<std::int64_t>(0, -shift) && high == std::min(count, base_count - shift);
}

bool StoredValues::contiguous_reach(const Reach& r, std::int64_t count) const {
  if (r.access.bounded()) return false;
  return count <= 1 || r.access.contiguous();
}

void StoredValues::store_for_pointer(NodeId operand) {
  const Reach r = reach(operand);
  if (contiguous_reach(r, num_elements(node(operand).type.shape))) {
    at(stored_, r.base) = true;
  } else {
    at(stored_, operand) = true;
  }
}

void StoredValues::decide_stored() {
  for (std::size_t i = 0; i < size(); ++i) {
    if (role_[i] == Role::outer || role_[i] == Role::library || accumulated_[i]) {
      stored_[i] = true;
    }
    if (role_[i] == Role::elementwise && !fuse_) stored_[i] = true;
  }
  for (const NodeId id : program_.outputs) at(stored_, id) = true;
  for (std::size_t i = 0; i < size(); ++i) {
    if (role_[i] == Role::library && !fused_sum_[i]) {
      for (const NodeId id : program_.nodes[i].operands) store_for_pointer(id);
    }
  }
  // From the last node to the first: which passes use a value, and at which shifts. `sole` is the
  // one (pass, shift) that does, or `many`.
  constexpr std::pair<NodeId, std::int64_t> none{-1, 0};
  constexpr std::pair<NodeId, std::int64_t> many{-2, 0};
  std::vector<std::pair<NodeId, std::int64_t>> sole(size(), none);
  const auto use = [&](NodeId id, std::pair<NodeId, std::int64_t> by) {
    auto& s = at(sole, id);
    if (s == none) {
      s = by;
    } else if (s != by) {
      s = many;
    }
  };
  const std::vector<int> cost = costs();
  for (std::size_t i = size(); i-- > 0;) {
    const auto id = static_cast<NodeId>(i);
    const Node& n = program_.nodes[i];
    if (role_[i] == Role::elementwise && !accumulated_[i] && !stored_[i] && sole[i] == many &&
        cost[i] > max_repeated_cost) {
      stored_[i] = true;
    }
    const bool pass = role_[i] == Role::elementwise && !accumulated_[i];
    const bool copies = role_[i] == Role::view && stored_[i];
    if (!pass && !copies && !fused_sum_[i]) continue;
    std::pair<NodeId, std::int64_t> by = sole[i];
    if (stored_[i] || fused_sum_[i]) by = {id, 0};
    const std::int64_t count =
        num_elements(fused_sum_[i] ? node(n.operands[0]).type.shape : n.type.shape);
    for (const NodeId operand : n.operands) {
      Reach r = copies ? reach_below(id) : reach(operand);
      if (at(stored_, r.base)) continue;
      if (at(role_, r.base) == Role::view) {  // a view that cannot be read in place
        at(stored_, r.base) = true;
        continue;
      }
      std::int64_t shift = 0;
      if (!is_shift(r.access, count, num_elements(node(r.base).type.shape), shift)) {
        at(stored_, r.base) = true;
      } else {
        use(r.base, by == many ? many : std::pair{by.first, by.second + shift});
      }
    }
  }
}

Reach StoredValues::reach_below(NodeId view_id) const {
  const Node& n = node(view_id);
  auto access = through_view(identity_access(n.type.shape), at(view_, view_id), n.type.shape);
  if (!access) throw std::logic_error("[" + n.primitive->name + "] view of itself is no access");
  Reach result{n.operands[0], std::move(*access)};
  while (at(role_, result.base) == Role::view && !at(stored_, result.base)) {
    const Node& below = node(result.base);
    auto deeper = through_view(result.access, at(view_, result.base), below.type.shape);
    if (!deeper) break;
    result.access = std::move(*deeper);
    result.base = below.operands[0];
  }
  return result;
}

std::vector<int> StoredValues::costs() const {
  std::vector<int> cost(size(), 0);
  for (std::size_t i = 0; i < size(); ++i) {
    if (role_[i] == Role::view) cost[i] = at(cost, program_.nodes[i].operands[0]);
    if (role_[i] != Role::elementwise || stored_[i]) continue;
    cost[i] = program_.nodes[i].primitive->kernel.element_cost;
    for (const NodeId id : program_.nodes[i].operands) {
      cost[i] = std::min(cost[i] + at(cost, id), 1 << 20);
    }
  }
  return cost;
}

}  // namespace kappa
