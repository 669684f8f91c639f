#include "transform/linearize.h"

#include <algorithm>
#include <stdexcept>

namespace kappa {
namespace {

bool is_listed(const std::vector<int>& list, std::size_t index) {
  return std::find(list.begin(), list.end(), static_cast<int>(index)) != list.end();
}

}  // namespace

Array tangent_of(Builder& builder, const Node& node, std::span<const Array> operands,
                 const Array& result, std::span<const Array> tangents) {
  const Primitive& primitive = *node.primitive;
  if (!primitive.linear_operands.empty()) {
    std::vector<Array> mixed(operands.begin(), operands.end());
    bool covered = true;
    for (std::size_t i = 0; i < operands.size(); ++i) {
      if (is_listed(primitive.linear_operands, i)) {
        mixed[i] = tangents[i].defined() ? tangents[i] : zeros_like(operands[i]);
      } else if (tangents[i].defined()) {
        covered = false;
      }
    }
    if (covered) return builder.apply(primitive, node.attributes, mixed);
  }
  if (primitive.bilinear) {
    Array sum;
    for (std::size_t i = 0; i < 2; ++i) {
      if (!tangents[i].defined()) continue;
      std::vector<Array> mixed(operands.begin(), operands.end());
      mixed[i] = tangents[i];
      const Array term = builder.apply(primitive, node.attributes, mixed);
      sum = sum.defined() ? sum + term : term;
    }
    return sum;
  }
  if (primitive.jvp) return primitive.jvp({node.attributes, operands, result}, tangents);
  return {};
}

Array zeros_like(const Array& like) {
  return broadcast_to(like.builder()->scalar(0, like.dtype()), like.shape());
}

std::vector<Array> inline_program(Builder& builder, const Program& program,
                                  std::span<const Array> inputs) {
  const std::vector<Array> none(program.inputs.size());
  return linearize(builder, program, inputs, none).outputs;
}

Linearized linearize(Builder& builder, const Program& program, std::span<const Array> inputs,
                     std::span<const Array> input_tangents) {
  if (inputs.size() != program.inputs.size() || input_tangents.size() != program.inputs.size()) {
    throw std::logic_error("linearize: one value and one tangent an input are needed");
  }
  std::vector<Array> values(program.nodes.size());
  std::vector<Array> tangents(program.nodes.size());
  for (std::size_t i = 0; i < program.inputs.size(); ++i) {
    const auto id = static_cast<std::size_t>(program.inputs[i]);
    values[id] = inputs[i];
    if (is_floating(program.nodes[id].type.dtype)) tangents[id] = input_tangents[i];
  }
  std::vector<Array> operands;
  std::vector<Array> operand_tangents;
  for (std::size_t i = 0; i < program.nodes.size(); ++i) {
    const Node& node = program.nodes[i];
    if (is_input(node)) continue;
    operands.clear();
    operand_tangents.clear();
    bool varies = false;
    for (const NodeId id : node.operands) {
      operands.push_back(values[static_cast<std::size_t>(id)]);
      operand_tangents.push_back(tangents[static_cast<std::size_t>(id)]);
      varies = varies || operand_tangents.back().defined();
    }
    values[i] = builder.replay(node, operands);
    if (varies && is_floating(node.type.dtype)) {
      tangents[i] = tangent_of(builder, node, operands, values[i], operand_tangents);
    }
  }
  Linearized result;
  for (const NodeId id : program.outputs) {
    result.outputs.push_back(values[static_cast<std::size_t>(id)]);
    result.tangents.push_back(tangents[static_cast<std::size_t>(id)]);
  }
  return result;
}

}  // namespace kappa
