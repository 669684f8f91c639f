#include "transform/cut.h"

#include <algorithm>
#include <array>

#include "program/builder.h"
#include "transform/derivatives.h"
#include "transform/linearize.h"
#include "transform/transpose.h"

namespace kappa {
namespace {

Array vector_of(const Array& x) { return reshape(x, {x.size()}); }

Array or_zeros(const Array& x, const Array& like) { return x.defined() ? x : zeros_like(like); }

bool reads_input(const Program& program, std::size_t input) {
  if (program.outputs[0] == program.inputs[input]) return true;
  return std::any_of(program.nodes.begin(), program.nodes.end(), [&](const Node& node) {
    return std::find(node.operands.begin(), node.operands.end(), program.inputs[input]) !=
           node.operands.end();
  });
}

Program up_to(const Program& program, NodeId node) {
  Program cut = program;
  cut.outputs = {node};
  return prune(cut, std::array<std::size_t, 1>{0});
}

/// u, x -> f: the program with `node` as a further input, first.
Program from(const Program& program, NodeId node) {
  Builder builder;
  std::vector<Array> values(program.nodes.size());
  const auto cut = static_cast<std::size_t>(node);
  values[cut] = builder.input(program.nodes[cut].type, "u");
  values[static_cast<std::size_t>(program.inputs[0])] = builder.input(program.input_type(0), "x");
  for (std::size_t i = 0; i < program.nodes.size(); ++i) {
    if (values[i].defined()) continue;
    std::vector<Array> operands;
    for (const NodeId id : program.nodes[i].operands) {
      operands.push_back(values[static_cast<std::size_t>(id)]);
    }
    values[i] = builder.replay(program.nodes[i], operands);
  }
  return builder.finish(std::array{values[static_cast<std::size_t>(program.outputs[0])]});
}

/// x, λ -> J'λ.
Program pulled(const Program& inner, const Type& type) {
  Builder builder;
  const Array x = builder.input(inner.input_type(0), "x");
  const Array multiplier = builder.input(type, "multiplier");
  const std::vector<Array> cotangents =
      pull_back(builder, inner, std::array{x}, {true}, std::array{multiplier});
  return builder.finish(std::array{or_zeros(cotangents[0], x)});
}

/// x, u -> h_x.
Program direct_gradient(const Program& outer) {
  Builder builder;
  const Array x = builder.input(outer.input_type(1), "x");
  const Array u = builder.input(outer.input_type(0), "u");
  const Array one = builder.scalar(1, outer.output_type(0).dtype);
  const std::vector<Array> cotangents =
      pull_back(builder, outer, std::array{u, x}, {false, true}, std::array{one});
  return builder.finish(std::array{or_zeros(cotangents[1], x)});
}

}  // namespace

std::vector<NodeId> cut_candidates(const Program& scalar) {
  std::vector<bool> varies(scalar.nodes.size(), false);
  varies[static_cast<std::size_t>(scalar.inputs[0])] = true;
  std::vector<NodeId> result;
  for (std::size_t i = 0; i < scalar.nodes.size(); ++i) {
    const Node& node = scalar.nodes[i];
    for (const NodeId id : node.operands) {
      if (varies[static_cast<std::size_t>(id)]) varies[i] = true;
    }
    if (is_input(node) || !varies[i] || node.primitive->kernel.view) continue;
    if (node.type.dtype != DType::f64 || num_elements(node.type.shape) < 2) continue;
    result.push_back(static_cast<NodeId>(i));
  }
  return result;
}

std::optional<Cut> cut_at(const Program& scalar, NodeId node) {
  Cut cut;
  const Program outer = from(scalar, node);
  const Program both = value_and_gradient(outer, {true, false});
  cut.outer_gradient = prune(both, std::array<std::size_t, 1>{1});
  if (reads_input(cut.outer_gradient, 1) || !reads_input(cut.outer_gradient, 0)) {
    return std::nullopt;
  }
  cut.inner = up_to(scalar, node);
  const Type type = cut.inner.output_type(0);
  cut.inner_gradient = pulled(cut.inner, type);
  cut.direct_gradient = direct_gradient(outer);

  Builder builder;
  const Array x = builder.input(scalar.input_type(0), "x");
  const Array v = builder.input(scalar.input_type(0), "v");
  const Array w = builder.input({DType::f64, {num_elements(type.shape)}}, "w");
  const Array z = builder.input(scalar.input_type(0), "z");
  const Linearized u = linearize(builder, cut.inner, std::array{x}, std::array{v});
  const Linearized multiplier = linearize(builder, cut.outer_gradient, std::array{u.outputs[0], x},
                                          std::array{reshape(w, type.shape), Array()});
  const Linearized curved = linearize(builder, cut.inner_gradient,
                                      std::array{x, multiplier.outputs[0]}, std::array{v, Array()});
  const Linearized direct =
      linearize(builder, cut.direct_gradient, std::array{x, u.outputs[0]}, std::array{z, Array()});
  const std::array<Array, 4> outputs{
      vector_of(or_zeros(u.tangents[0], u.outputs[0])), or_zeros(curved.tangents[0], x),
      vector_of(or_zeros(multiplier.tangents[0], u.outputs[0])), or_zeros(direct.tangents[0], x)};
  cut.product = builder.finish(outputs);
  return cut;
}

}  // namespace kappa
