#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "program/attributes.h"
#include "program/type.h"

namespace kappa {

struct Primitive;
using NodeId = std::int32_t;

/// One value of a program: a primitive applied to earlier values.
struct Node {
  const Primitive* primitive = nullptr;
  Attributes attributes;
  std::vector<NodeId> operands;
  Type type;
};

/// A function as a list of nodes in static single assignment: operands stand before their users, no
/// two nodes are the same call, and every node but an input is needed by some output.
struct Program {
  std::vector<Node> nodes;
  std::vector<NodeId> inputs;
  std::vector<std::string> input_names;  // for printing and messages; may be empty strings
  std::vector<NodeId> outputs;

  [[nodiscard]] const Type& input_type(std::size_t i) const {
    return nodes[static_cast<std::size_t>(inputs[i])].type;
  }
  [[nodiscard]] const Type& output_type(std::size_t i) const {
    return nodes[static_cast<std::size_t>(outputs[i])].type;
  }
};

/// The program as text, one node a line: `%4 = mul f64(3) %1 %3`.
std::string print(const Program& program);

/// Checks the invariants above and every type against its primitive's rule. A violation is a defect
/// of Kappa, not of its user: throws std::logic_error with the lines around the fault.
void verify(const Program& program);

}  // namespace kappa
