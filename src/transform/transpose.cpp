#include "transform/transpose.h"

#include <stdexcept>

#include "transform/linearize.h"

namespace kappa {

std::vector<Array> transpose_linear(Builder& builder, const Program& program,
                                    std::span<const Array> inputs,
                                    std::span<const Array> cotangents) {
  const std::size_t count = program.nodes.size();
  std::vector<bool> linear(count, false);
  std::vector<Array> values(count);
  std::vector<Array> operands;
  for (std::size_t i = 0; i < program.inputs.size(); ++i) {
    const auto id = static_cast<std::size_t>(program.inputs[i]);
    values[id] = inputs[i];
    linear[id] = !inputs[i].defined();
  }
  // Forward: what does not depend on a linear input is replayed; the rest exists by type only.
  for (std::size_t i = 0; i < count; ++i) {
    const Node& node = program.nodes[i];
    if (!is_input(node)) {
      operands.clear();
      for (const NodeId id : node.operands) {
        linear[i] = linear[i] || linear[static_cast<std::size_t>(id)];
        operands.push_back(values[static_cast<std::size_t>(id)]);
      }
      if (!linear[i]) values[i] = builder.replay(node, operands);
    }
    if (linear[i]) values[i] = builder.placeholder(node.type);
  }

  std::vector<Array> sums(count);
  const auto add_to = [&](NodeId id, const Array& term) {
    Array& sum = sums[static_cast<std::size_t>(id)];
    sum = sum.defined() ? sum + term : term;
  };
  for (std::size_t i = 0; i < program.outputs.size(); ++i) {
    if (cotangents[i].defined() && linear[static_cast<std::size_t>(program.outputs[i])]) {
      add_to(program.outputs[i], cotangents[i]);
    }
  }
  for (std::size_t i = count; i-- > 0;) {
    const Node& node = program.nodes[i];
    if (!linear[i] || !sums[i].defined() || is_input(node)) continue;
    if (!node.primitive->transpose) {
      throw std::logic_error("[" + node.primitive->name + "] has no transpose rule");
    }
    operands.clear();
    for (const NodeId id : node.operands) operands.push_back(values[static_cast<std::size_t>(id)]);
    for (std::size_t k = 0; k < node.operands.size(); ++k) {
      if (!linear[static_cast<std::size_t>(node.operands[k])]) continue;
      const Array term = node.primitive->transpose({node.attributes, operands, values[i]},
                                                   static_cast<int>(k), sums[i]);
      if (!term.defined()) continue;
      if (term.shape() != operands[k].shape()) {
        throw std::logic_error("[" + node.primitive->name + "] transpose gives " +
                               to_string(term.shape()) + " for an operand of shape " +
                               to_string(operands[k].shape()));
      }
      add_to(node.operands[k], term);
    }
  }
  std::vector<Array> result;
  for (std::size_t i = 0; i < program.inputs.size(); ++i) {
    const auto id = static_cast<std::size_t>(program.inputs[i]);
    result.push_back(linear[id] ? sums[id] : Array());
  }
  return result;
}

std::vector<Array> pull_back(Builder& builder, const Program& program,
                             std::span<const Array> inputs, const std::vector<bool>& varying,
                             std::span<const Array> cotangents, std::vector<Array>* outputs) {
  // The linearisation as a program of its own: inputs, then the tangents of the varying ones.
  Builder scratch;
  std::vector<Array> primals;
  std::vector<Array> tangents(program.inputs.size());
  for (std::size_t i = 0; i < program.inputs.size(); ++i) {
    primals.push_back(scratch.input(program.input_type(i)));
  }
  for (std::size_t i = 0; i < program.inputs.size(); ++i) {
    if (varying[i] && is_floating(program.input_type(i).dtype)) {
      tangents[i] = scratch.input(program.input_type(i));
    }
  }
  const Linearized linearized = linearize(scratch, program, primals, tangents);
  std::vector<Array> results;
  std::vector<Array> result_cotangents;
  for (std::size_t i = 0; i < linearized.tangents.size(); ++i) {
    if (!linearized.tangents[i].defined() || !cotangents[i].defined()) continue;
    results.push_back(linearized.tangents[i]);
    result_cotangents.push_back(cotangents[i]);
  }
  const Program linear = scratch.finish(results);

  std::vector<Array> linear_inputs(inputs.begin(), inputs.end());
  linear_inputs.resize(linear.inputs.size());
  const std::vector<Array> all =
      transpose_linear(builder, linear, linear_inputs, result_cotangents);

  std::vector<Array> result(program.inputs.size());
  std::size_t next = program.inputs.size();
  for (std::size_t i = 0; i < program.inputs.size(); ++i) {
    if (tangents[i].defined()) result[i] = all[next++];
  }
  if (outputs != nullptr) *outputs = inline_program(builder, program, inputs);
  return result;
}

}  // namespace kappa
