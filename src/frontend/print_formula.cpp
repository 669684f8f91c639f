#include "frontend/print_formula.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include "frontend/symbolic.h"
#include "program/builder.h"

namespace kappa {
namespace {

using Id = Expressions::Id;

// Shorter parts are repeated rather than named.
constexpr std::size_t min_named_characters = 10;

// A name that no input has: t1, or t_1, t__1 ... where inputs are called so.
std::string definition_prefix(const Program& program) {
  std::string prefix = "t";
  const auto taken = [&](const std::string& name) {
    const std::size_t n = prefix.size();
    return name.starts_with(prefix) && name.find_first_not_of("0123456789", n) == std::string::npos;
  };
  while (std::any_of(program.input_names.begin(), program.input_names.end(), taken)) prefix += "_";
  return prefix;
}

struct Written {
  FormulaText text;
  double length = 0;
};

Written write(const Expressions& expressions, const Program& program,
              const std::vector<std::vector<Id>>& outputs, bool elementwise,
              const FormulaTextOptions& options) {
  Written written;
  std::vector<Id> roots;
  double inline_length = 0;
  for (const auto& entries : outputs) {
    for (const Id id : entries) {
      if (expressions.is_number(id)) continue;
      // Equal entries (a symmetric matrix) are read as one.
      if (std::find(roots.begin(), roots.end(), id) != roots.end()) continue;
      roots.push_back(id);
      inline_length += expressions.length(id);
    }
  }
  std::map<Id, std::string> names;
  if (inline_length > static_cast<double>(options.max_inline_characters)) {
    const std::string prefix = definition_prefix(program);
    for (const Id id : expressions.shared(roots)) {
      const std::string text = expressions.definition(id, names).text;
      if (text.size() < min_named_characters) continue;
      const std::string name = prefix + std::to_string(names.size() + 1);
      names.emplace(id, name);
      written.text.definitions.emplace_back(name, text);
      written.length += static_cast<double>(name.size() + text.size()) + 3;
    }
  }
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    FormulaText::Output output{program.output_type(i).shape, {}, elementwise};
    for (const Id id : outputs[i]) {
      output.entries.push_back(expressions.text(id, names).text);
      written.length += static_cast<double>(output.entries.back().size()) + 2;
    }
    written.text.outputs.push_back(std::move(output));
  }
  return written;
}

// Every node by itself, for programs with operations that formulas do not have.
FormulaText list_nodes(const Program& program) {
  FormulaText text;
  text.readable = false;
  const std::string prefix = definition_prefix(program);
  std::vector<std::string> names(program.nodes.size());
  for (std::size_t i = 0; i < program.inputs.size(); ++i) {
    names[static_cast<std::size_t>(program.inputs[i])] =
        program.input_names[i].empty() ? fmt::format("input{}", i) : program.input_names[i];
  }
  for (std::size_t i = 0; i < program.nodes.size(); ++i) {
    const Node& node = program.nodes[i];
    if (is_input(node)) continue;
    if (is_constant(node) && node.attributes.tensor("value").size() == 1) {
      names[i] = number_text(node.attributes.tensor("value").at(0));
      continue;
    }
    std::string line = node.primitive->name;
    if (is_constant(node)) {
      line += to_string(node.type.shape);
    } else {
      std::vector<std::string> operands;
      for (const NodeId id : node.operands) operands.push_back(names[static_cast<std::size_t>(id)]);
      if (!node.attributes.empty()) operands.push_back(node.attributes.print());
      line += fmt::format("({})", fmt::join(operands, ", "));
    }
    names[i] = prefix + std::to_string(text.definitions.size() + 1);
    text.definitions.emplace_back(names[i], line);
  }
  for (std::size_t i = 0; i < program.outputs.size(); ++i) {
    text.outputs.push_back({program.output_type(i).shape,
                            {names[static_cast<std::size_t>(program.outputs[i])]},
                            false});
  }
  return text;
}

}  // namespace

FormulaText print_formula(const Program& program, const FormulaTextOptions& options) {
  std::int64_t entries = 0;
  bool scalar = true;
  for (std::size_t i = 0; i < program.outputs.size(); ++i) {
    entries += num_elements(program.output_type(i).shape);
  }
  for (const Node& node : program.nodes) scalar = scalar && node.type.shape.empty();
  std::optional<Written> best;
  if (entries <= options.max_entries) {
    Expressions expressions;
    if (const auto elements = symbolic_elements(expressions, program)) {
      best = write(expressions, program, *elements, true, options);
    }
  }
  if (!scalar) {
    Expressions expressions;
    if (const auto arrays = symbolic_arrays(expressions, program)) {
      std::vector<std::vector<Id>> outputs;
      for (const Id id : *arrays) outputs.push_back({id});
      Written written = write(expressions, program, outputs, false, options);
      if (!best || written.length < best->length) best = std::move(written);
    }
  }
  return best ? std::move(best->text) : list_nodes(program);
}

std::string join_formula(const FormulaText& text, std::size_t output, std::size_t entry) {
  std::string result;
  for (const auto& [name, definition] : text.definitions)
    result += name + " = " + definition + "; ";
  return result + text.outputs[output].entries[entry];
}

}  // namespace kappa
