#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "program/builder.h"
#include "program/primitive.h"

namespace kappa {

/// A number for each element of an array, shared by those that have the same; -1: none.
using IndexMap = std::shared_ptr<const std::vector<std::int32_t>>;

/// One map that says what both say: they agree wherever neither is -1. Null where they do not.
IndexMap merge(const IndexMap& a, const IndexMap& b);

/// The sparsity of a program's nodes: each primitive's own rule, and what follows from being
/// elementwise or a view.
class ElementDependence {
 public:
  explicit ElementDependence(const Program& program);
  /// Groups of an operand of a node and its result; nothing: all may depend on all.
  [[nodiscard]] std::optional<ElementGroups> groups(NodeId node, std::size_t operand);

 private:
  const Tensor* constant_value(NodeId id);

  const Program& program_;
  std::vector<std::optional<Tensor>> constants_;
};

}  // namespace kappa
