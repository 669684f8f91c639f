#include "transform/batch.h"

#include <stdexcept>

namespace kappa {
namespace {

Array with_leading_axis(const Array& x, std::int64_t extent) {
  Shape shape = x.shape();
  shape.insert(shape.begin(), extent);
  return broadcast_to(x, shape);
}

}  // namespace

std::vector<Array> batch(Builder& builder, const Program& program, std::span<const Array> inputs,
                         const std::vector<bool>& batched, std::int64_t extent) {
  std::vector<Array> values(program.nodes.size());
  std::vector<bool> carries(program.nodes.size(), false);
  for (std::size_t i = 0; i < program.inputs.size(); ++i) {
    const auto id = static_cast<std::size_t>(program.inputs[i]);
    values[id] = inputs[i];
    carries[id] = batched[i];
  }
  for (std::size_t i = 0; i < program.nodes.size(); ++i) {
    const Node& node = program.nodes[i];
    if (is_input(node)) continue;
    std::vector<Array> operands;
    std::vector<bool> flags;
    for (const NodeId id : node.operands) {
      operands.push_back(values[static_cast<std::size_t>(id)]);
      flags.push_back(carries[static_cast<std::size_t>(id)]);
      carries[i] = carries[i] || flags.back();
    }
    if (!carries[i]) {
      values[i] = builder.replay(node, operands);
    } else if (node.primitive->elementwise()) {
      for (std::size_t k = 0; k < operands.size(); ++k) {
        if (!flags[k]) operands[k] = with_leading_axis(operands[k], extent);
      }
      values[i] = builder.replay(node, operands);
    } else {
      if (!node.primitive->batch) {
        throw std::logic_error("[" + node.primitive->name + "] has no batch rule");
      }
      values[i] = node.primitive->batch({node.attributes, operands, {}}, flags, extent);
      Shape expected = node.type.shape;
      expected.insert(expected.begin(), extent);
      if (values[i].shape() != expected) {
        throw std::logic_error("[" + node.primitive->name + "] batch gives " +
                               to_string(values[i].shape()) + ", expected " + to_string(expected));
      }
    }
  }
  std::vector<Array> outputs;
  for (const NodeId id : program.outputs) {
    const auto k = static_cast<std::size_t>(id);
    outputs.push_back(carries[k] ? values[k] : with_leading_axis(values[k], extent));
  }
  return outputs;
}

Program batch(const Program& program, const std::vector<bool>& batched, std::int64_t extent) {
  Builder builder;
  std::vector<Array> inputs;
  for (std::size_t i = 0; i < program.inputs.size(); ++i) {
    Type type = program.input_type(i);
    if (batched[i]) type.shape.insert(type.shape.begin(), extent);
    inputs.push_back(builder.input(std::move(type), program.input_names[i]));
  }
  return builder.finish(batch(builder, program, inputs, batched, extent));
}

}  // namespace kappa
