#include "frontend/onnx/scope.h"
#include "program/primitive.h"

namespace kappa {
namespace {

constexpr std::int64_t max_elements = std::int64_t{1} << 23;
constexpr std::int64_t max_elements_in_all = std::int64_t{1} << 25;
constexpr double max_flops = 4e9;

double work_of(const Node& node, std::span<const Tensor> operands) {
  if (!node.primitive->kernel.flops) return static_cast<double>(num_elements(node.type.shape));
  std::vector<Type> types;
  for (const Tensor& x : operands) types.push_back(x.type());
  return node.primitive->kernel.flops(node.attributes, types, node.type);
}

}  // namespace

std::optional<Tensor> KnownValues::find(const Array& x, const Assumption& assumption) {
  std::unordered_map<NodeId, std::optional<Tensor>> assumed;
  auto& memory = assumption ? assumed : found_;
  const Builder& builder = *x.builder();
  std::vector<NodeId> stack{x.id()};
  while (!stack.empty()) {
    const NodeId id = stack.back();
    if (memory.contains(id)) {
      stack.pop_back();
      continue;
    }
    const Node& node = builder.node(id);
    if (is_constant(node)) {
      memory[id] = node.attributes.tensor("value");
      continue;
    }
    if (is_input(node)) {
      memory[id] = assumption ? assumption(id) : std::nullopt;
      continue;
    }
    if (num_elements(node.type.shape) > max_elements) {
      memory[id] = std::nullopt;
      continue;
    }
    // The first operand that is not known settles it: most arrays are found to depend on data
    // without looking further.
    bool ready = true, unknown = false;
    for (const NodeId operand : node.operands) {
      const auto found = memory.find(operand);
      if (found == memory.end()) {
        stack.push_back(operand);
        ready = false;
        break;
      }
      unknown = unknown || !found->second;
      if (unknown) break;
    }
    if (unknown) {
      memory[id] = std::nullopt;
    } else if (ready) {
      std::vector<Tensor> operands;
      for (const NodeId operand : node.operands) operands.push_back(*memory[operand]);
      flops_ += work_of(node, operands);
      elements_ += num_elements(node.type.shape);
      if (flops_ > max_flops || elements_ > max_elements_in_all) {
        memory[id] = std::nullopt;
      } else {
        memory[id] = evaluate(*node.primitive, node.attributes, operands);
      }
    }
  }
  return memory[x.id()];
}

}  // namespace kappa
