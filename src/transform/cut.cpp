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

/// u, inputs -> outputs: the program with `node` as a further input, first.
Program from(const Program& program, NodeId node) {
  Builder builder;
  std::vector<Array> values(program.nodes.size());
  const auto cut = static_cast<std::size_t>(node);
  values[cut] = builder.input(program.nodes[cut].type, "u");
  for (std::size_t i = 0; i < program.inputs.size(); ++i) {
    values[static_cast<std::size_t>(program.inputs[i])] =
        builder.input(program.input_type(i), program.input_names[i]);
  }
  for (std::size_t i = 0; i < program.nodes.size(); ++i) {
    if (values[i].defined()) continue;
    std::vector<Array> operands;
    for (const NodeId id : program.nodes[i].operands) {
      operands.push_back(values[static_cast<std::size_t>(id)]);
    }
    values[i] = builder.replay(program.nodes[i], operands);
  }
  std::vector<Array> outputs;
  for (const NodeId id : program.outputs) outputs.push_back(values[static_cast<std::size_t>(id)]);
  return builder.finish(outputs);
}

std::vector<Array> inputs_of(Builder& builder, const Program& program) {
  std::vector<Array> inputs;
  for (std::size_t i = 0; i < program.inputs.size(); ++i) {
    inputs.push_back(builder.input(program.input_type(i), program.input_names[i]));
  }
  return inputs;
}

/// One of the inputs alone varies.
std::vector<bool> flag(const Program& program, std::size_t input) {
  std::vector<bool> flags(program.inputs.size(), false);
  flags[input] = true;
  return flags;
}

/// x ..., λ -> J'λ.
Program pulled(const Program& inner) {
  Builder builder;
  const std::vector<Array> inputs = inputs_of(builder, inner);
  const Array multiplier = builder.input(inner.output_type(0), "multiplier");
  const std::vector<Array> cotangents =
      pull_back(builder, inner, inputs, flag(inner, 0), std::array{multiplier});
  return builder.finish(std::array{or_zeros(cotangents[0], inputs[0])});
}

/// The inputs of `program` with the first two changed: x, u ... for u, x ...
std::vector<Array> exchanged_inputs(Builder& builder, const Program& program) {
  const Array x = builder.input(program.input_type(1), "x");
  std::vector<Array> inputs{builder.input(program.input_type(0), "u"), x};
  for (std::size_t i = 2; i < program.inputs.size(); ++i) {
    inputs.push_back(builder.input(program.input_type(i), program.input_names[i]));
  }
  return inputs;
}

/// x, u ... -> h_x.
Program direct_gradient(const Program& outer) {
  Builder builder;
  const std::vector<Array> inputs = exchanged_inputs(builder, outer);
  const Array one = builder.scalar(1, outer.output_type(0).dtype);
  const std::vector<Array> cotangents =
      pull_back(builder, outer, inputs, flag(outer, 1), std::array{one});
  return builder.finish(std::array{or_zeros(cotangents[1], inputs[1])});
}

/// What a cut adds to H, and on the way to it.
struct Products {
  Array jacobian, curvature, outer, direct;  // J v, M v, h_uu w, h_xx z
  Array u, multiplier;
};

Products products(Builder& builder, const Cut& cut, const Array& x, std::span<const Array> fixed,
                  const Array& v, const Array& w, const Array& z) {
  const auto inputs = [&](std::vector<Array> first, std::span<const Array> further) {
    first.insert(first.end(), fixed.begin(), fixed.end());
    first.insert(first.end(), further.begin(), further.end());
    return first;
  };
  // Only the first input has a tangent.
  const auto linearized = [&](const Program& program, const std::vector<Array>& at,
                              const Array& tangent) {
    std::vector<Array> tangents(at.size());
    tangents[0] = tangent;
    return linearize(builder, program, at, tangents);
  };
  Products made;
  const Linearized u = linearized(cut.inner, inputs({x}, {}), v);
  made.u = u.outputs[0];
  const Linearized multiplier =
      linearized(cut.outer_gradient, inputs({made.u, x}, {}), reshape(w, made.u.shape()));
  made.multiplier = multiplier.outputs[0];
  const Linearized curved =
      linearized(cut.inner_gradient, inputs({x}, std::array{made.multiplier}), v);
  const Linearized direct = linearized(cut.direct_gradient, inputs({x, made.u}, {}), z);
  made.jacobian = vector_of(or_zeros(u.tangents[0], made.u));
  made.curvature = or_zeros(curved.tangents[0], x);
  made.outer = vector_of(or_zeros(multiplier.tangents[0], made.u));
  made.direct = or_zeros(direct.tangents[0], x);
  return made;
}

Array vector_input(Builder& builder, const Program& of, const char* name) {
  return builder.input({DType::f64, {num_elements(of.output_type(0).shape)}}, name);
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
  const Program outer = from(prune(scalar, std::array<std::size_t, 1>{0}), node);
  const Program both = value_and_gradient(outer, flag(outer, 0));
  cut.outer_gradient = prune(both, std::array<std::size_t, 1>{1});
  if (reads_input(cut.outer_gradient, 1) || !reads_input(cut.outer_gradient, 0)) {
    return std::nullopt;
  }
  cut.inner = up_to(scalar, node);
  cut.inner_gradient = pulled(cut.inner);
  cut.direct_gradient = direct_gradient(outer);
  return cut;
}

Program products_of(const Cut& cut) {
  Builder builder;
  const Array x = builder.input(cut.inner.input_type(0), "x");
  const Array v = builder.input(x.node().type, "v");
  const Array w = vector_input(builder, cut.inner, "w");
  const Array z = builder.input(x.node().type, "z");
  const Products made = products(builder, cut, x, {}, v, w, z);
  return builder.finish(std::array{made.jacobian, made.curvature, made.outer, made.direct});
}

Program multiplied(const Cut& first) {
  Builder builder;
  const Array x = builder.input(first.inner.input_type(0), "x");
  const Array multiplier = builder.input(first.inner.output_type(0), "multiplier");
  const Array u = inline_program(builder, first.inner, std::array{x})[0];
  return builder.finish(std::array{sum(multiplier * u), u});
}

std::optional<NestedCut> nested_cut_at(const Cut& first, const Program& multiplied, NodeId node) {
  std::optional<Cut> second = cut_at(multiplied, node);
  if (!second) return std::nullopt;
  NestedCut nested{first, std::move(*second), {}, {}};
  nested.by_c = prune(from(multiplied, node), std::array<std::size_t, 1>{1});
  Builder builder;
  const std::vector<Array> inputs = exchanged_inputs(builder, nested.by_c);
  nested.by_x = builder.finish(inline_program(builder, nested.by_c, inputs));
  return nested;
}

Program products_of(const NestedCut& cut) {
  Builder builder;
  const Array x = builder.input(cut.first.inner.input_type(0), "x");
  const Array v = builder.input(x.node().type, "v");
  const Array w = vector_input(builder, cut.first.inner, "w");
  const Array z = builder.input(x.node().type, "z");
  const Array t = vector_input(builder, cut.second.inner, "t");
  const Array y = builder.input(x.node().type, "y");
  const Products first = products(builder, cut.first, x, {}, v, w, z);
  const Products second = products(builder, cut.second, x, std::array{first.multiplier}, v, t, z);
  const std::array inputs{second.u, x, first.multiplier};
  const Array by_c = linearize(builder, cut.by_c, inputs,
                               std::array{reshape(t, second.u.shape()), Array(), Array()})
                         .tangents[0];
  const Array by_x =
      linearize(builder, cut.by_c, inputs, std::array{Array(), y, Array()}).tangents[0];
  return builder.finish(std::array{second.jacobian, second.curvature, first.outer,
                                   first.direct + second.direct, vector_of(or_zeros(by_c, first.u)),
                                   second.outer, vector_of(or_zeros(by_x, first.u))});
}

}  // namespace kappa
