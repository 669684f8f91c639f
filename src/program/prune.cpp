#include "program/builder.h"

namespace kappa {

Program prune(const Program& program, std::span<const std::size_t> outputs) {
  Builder builder;
  std::vector<Array> values(program.nodes.size());
  for (std::size_t i = 0; i < program.inputs.size(); ++i) {
    values[static_cast<std::size_t>(program.inputs[i])] =
        builder.input(program.input_type(i), program.input_names[i]);
  }
  std::vector<Array> operands;
  for (std::size_t i = 0; i < program.nodes.size(); ++i) {
    const Node& node = program.nodes[i];
    if (is_input(node)) continue;
    operands.clear();
    for (const NodeId id : node.operands) operands.push_back(values[static_cast<std::size_t>(id)]);
    values[i] = builder.replay(node, operands);
  }
  std::vector<Array> results;
  for (const std::size_t k : outputs) {
    results.push_back(values[static_cast<std::size_t>(program.outputs[k])]);
  }
  return builder.finish(results);
}

}  // namespace kappa
