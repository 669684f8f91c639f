#include "transform/split.h"

#include <algorithm>
#include <stdexcept>

#include "program/builder.h"

namespace kappa {
namespace {

// An elementwise value at most this dear is made again from residuals rather than stored.
constexpr int max_recomputed_cost = 4;

}  // namespace

Split split(const Program& program, const std::vector<bool>& varying,
            std::size_t num_apply_outputs) {
  const std::size_t count = program.nodes.size();
  std::vector<bool> varies(count, false);
  for (std::size_t i = 0; i < program.inputs.size(); ++i) {
    varies[static_cast<std::size_t>(program.inputs[i])] = varying[i];
  }
  for (std::size_t i = 0; i < count; ++i) {
    for (const NodeId id : program.nodes[i].operands) {
      if (varies[static_cast<std::size_t>(id)]) varies[i] = true;
    }
  }

  // Fixed values that apply reads. A view passes the need on to what it views.
  std::vector<bool> needed(count, false);
  const auto is_view = [&](std::size_t i) {
    return static_cast<bool>(program.nodes[i].primitive->kernel.view);
  };
  // Fixed values that a kernel of apply wants in memory: making them again, or moving their axes
  // again, would store them in every apply, which costs more than to read them.
  const auto moves_axes = [&](std::size_t i) {
    return program.nodes[i].primitive->name == "transpose";
  };
  std::vector<bool> in_memory(count, false);
  for (std::size_t i = 0; i < count; ++i) {
    if (!varies[i] || is_view(i) || program.nodes[i].primitive->elementwise()) continue;
    for (const NodeId id : program.nodes[i].operands) {
      auto k = static_cast<std::size_t>(id);
      while (!varies[k] && is_view(k) && !moves_axes(k)) {
        k = static_cast<std::size_t>(program.nodes[k].operands[0]);
      }
      in_memory[k] = true;
    }
  }
  const auto is_free_view = [&](std::size_t i) { return is_view(i) && !in_memory[i]; };
  for (std::size_t k = 0; k < program.outputs.size(); ++k) {
    const auto i = static_cast<std::size_t>(program.outputs[k]);
    if (k >= num_apply_outputs && varies[i]) {
      throw std::logic_error("split: an output of setup depends on a varying input");
    }
    if (k < num_apply_outputs && !varies[i]) needed[i] = true;
  }
  for (std::size_t i = count; i-- > 0;) {
    if (varies[i] || (needed[i] && is_free_view(i))) {
      for (const NodeId id : program.nodes[i].operands) {
        if (!varies[static_cast<std::size_t>(id)]) needed[static_cast<std::size_t>(id)] = true;
      }
    }
  }
  const auto is_large = [&](std::size_t i) {
    return num_elements(program.nodes[i].type.shape) > 1;
  };
  // available: at hand in apply without being stored. In node order, so that operands are decided
  // first.
  std::vector<bool> available(count, false);
  std::vector<bool> stored(count, false);
  for (std::size_t i = 0; i < count; ++i) {
    const Node& node = program.nodes[i];
    if (varies[i]) continue;
    if (is_input(node) || is_constant(node)) {
      available[i] = true;
      continue;
    }
    const auto at_hand = [&](NodeId id) {
      const auto k = static_cast<std::size_t>(id);
      return available[k] || stored[k];
    };
    const bool operands_at_hand = std::all_of(node.operands.begin(), node.operands.end(), at_hand);
    const bool free = is_free_view(i) || node.operands.empty() ||
                      (node.primitive->elementwise() && !in_memory[i] &&
                       node.primitive->kernel.element_cost <= max_recomputed_cost);
    // A mask made of something made again is a byte an element to read, and several passes to make.
    const bool mask =
        node.type.dtype == DType::boolean && needed[i] && is_large(i) &&
        std::any_of(node.operands.begin(), node.operands.end(), [&](NodeId id) {
          const auto k = static_cast<std::size_t>(id);
          return available[k] && program.nodes[k].primitive->elementwise() && is_large(k);
        });
    if (free && operands_at_hand && !mask) {
      available[i] = true;
    } else if (needed[i]) {
      stored[i] = true;
    }
  }

  Split result;
  {
    Builder builder;
    std::vector<Array> values(count);
    for (std::size_t i = 0; i < program.inputs.size(); ++i) {
      if (varying[i]) continue;
      values[static_cast<std::size_t>(program.inputs[i])] =
          builder.input(program.input_type(i), program.input_names[i]);
    }
    std::vector<Array> outputs;
    for (std::size_t i = 0; i < count; ++i) {
      const Node& node = program.nodes[i];
      if (varies[i]) continue;
      if (!is_input(node)) {
        std::vector<Array> operands;
        for (const NodeId id : node.operands) {
          operands.push_back(values[static_cast<std::size_t>(id)]);
        }
        values[i] = builder.replay(node, operands);
      }
      if (stored[i]) outputs.push_back(values[i]);
    }
    result.num_residuals = outputs.size();
    for (std::size_t k = num_apply_outputs; k < program.outputs.size(); ++k) {
      outputs.push_back(values[static_cast<std::size_t>(program.outputs[k])]);
    }
    result.setup = builder.finish(outputs);
  }
  {
    Builder builder;
    std::vector<Array> values(count);
    for (std::size_t i = 0; i < program.inputs.size(); ++i) {
      values[static_cast<std::size_t>(program.inputs[i])] =
          builder.input(program.input_type(i), program.input_names[i]);
    }
    for (std::size_t i = 0; i < count; ++i) {
      if (stored[i]) values[i] = builder.input(program.nodes[i].type, "residual");
    }
    for (std::size_t i = 0; i < count; ++i) {
      const Node& node = program.nodes[i];
      if (is_input(node) || stored[i] || !(varies[i] || available[i])) continue;
      std::vector<Array> operands;
      for (const NodeId id : node.operands) {
        operands.push_back(values[static_cast<std::size_t>(id)]);
      }
      values[i] = builder.replay(node, operands);
    }
    std::vector<Array> outputs;
    for (std::size_t k = 0; k < num_apply_outputs; ++k) {
      outputs.push_back(values[static_cast<std::size_t>(program.outputs[k])]);
    }
    result.apply = builder.finish(outputs);
  }
  return result;
}

}  // namespace kappa
