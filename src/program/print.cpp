#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

#include "program/builder.h"
#include "program/primitive.h"

namespace kappa {
namespace {

std::string print_node(const Program& program, std::size_t i) {
  const Node& node = program.nodes[i];
  std::string line = fmt::format("%{} = {} {}", i, node.primitive->name, to_string(node.type));
  for (const NodeId id : node.operands) line += fmt::format(" %{}", id);
  if (!node.attributes.empty()) line += " {" + node.attributes.print() + "}";
  return line;
}

[[noreturn]] void fail(const Program& program, std::size_t i, const std::string& what) {
  std::string text = "program is not well-formed at %" + std::to_string(i) + ": " + what + "\n";
  for (std::size_t k = i < 3 ? 0 : i - 3; k < std::min(i + 4, program.nodes.size()); ++k) {
    text += (k == i ? "> " : "  ") + print_node(program, k) + "\n";
  }
  throw std::logic_error(text);
}

}  // namespace

std::string print(const Program& program) {
  std::string text;
  for (std::size_t i = 0; i < program.nodes.size(); ++i) text += print_node(program, i) + "\n";
  text += "return";
  for (const NodeId id : program.outputs) text += fmt::format(" %{}", id);
  return text + "\n";
}

void verify(const Program& program) {
  const auto count = static_cast<NodeId>(program.nodes.size());
  for (std::size_t i = 0; i < program.nodes.size(); ++i) {
    const Node& node = program.nodes[i];
    if (node.primitive == nullptr) fail(program, i, "no primitive");
    std::vector<Type> types;
    for (const NodeId id : node.operands) {
      if (id < 0 || id >= static_cast<NodeId>(i)) fail(program, i, "operand does not stand before");
      types.push_back(program.nodes[static_cast<std::size_t>(id)].type);
    }
    if (is_input(node) || is_constant(node)) continue;
    if (!(node.primitive->infer(node.attributes, types) == node.type)) {
      fail(program, i, "type differs from the primitive's rule");
    }
  }
  for (const NodeId id : program.outputs) {
    if (id < 0 || id >= count) throw std::logic_error("program output is no node");
  }
  if (program.input_names.size() != program.inputs.size()) {
    throw std::logic_error("program inputs and names differ in number");
  }
}

}  // namespace kappa
