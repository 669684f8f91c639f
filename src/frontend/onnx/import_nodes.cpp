#include <fmt/format.h>

#include "frontend/nearest.h"
#include "frontend/onnx/proto.h"
#include "frontend/onnx/scope.h"
#include "kappa/error.h"

namespace kappa {
namespace {

constexpr int max_depth = 24;
constexpr std::int64_t max_folded_bytes = std::int64_t{1} << 29;
constexpr std::int64_t max_nodes = 200'000;  // after functions, branches and loops are written out

[[noreturn]] void bad(const OnnxImport& import, const std::string& why) {
  throw Error(ErrorKind::data, fmt::format("{}: {}", import.model.path, why));
}

// The names that a nested graph takes from around it.
void add_free_names(const OnnxGraph& graph, std::vector<std::string>& names) {
  std::set<std::string> own;
  for (const OnnxValueInfo& input : graph.inputs) own.insert(input.name);
  for (const OnnxTensor& tensor : graph.initialisers) own.insert(tensor.name);
  for (const OnnxNode& node : graph.nodes) own.insert(node.outputs.begin(), node.outputs.end());
  std::vector<std::string> used;
  for (const OnnxNode& node : graph.nodes) {
    used.insert(used.end(), node.inputs.begin(), node.inputs.end());
    for (const auto& [key, value] : node.attributes) {
      if (const auto* nested = std::get_if<std::shared_ptr<const OnnxGraph>>(&value)) {
        add_free_names(**nested, used);
      }
    }
  }
  for (const OnnxValueInfo& output : graph.outputs) used.push_back(output.name);
  for (std::string& name : used) {
    if (!name.empty() && !own.contains(name)) names.push_back(std::move(name));
  }
}

int opset_of(const OnnxScope& scope, const std::string& domain) {
  for (const OnnxScope* s = &scope; s != nullptr; s = s->outer) {
    if (s->opsets == nullptr) continue;
    const auto found = s->opsets->find(domain);
    if (found != s->opsets->end()) return found->second;
  }
  return scope.import.model.opset(domain);
}

std::string unknown_operator(const OnnxNode& node, int opset) {
  std::vector<std::string> names;
  for (const OnnxOperator* op : all_onnx_operators()) {
    if (op->domain == node.domain) names.push_back(op->name);
  }
  return fmt::format("the operator is not supported (opset {}){}", opset,
                     did_you_mean(shown_name(node.op), names));
}

std::vector<Array> call_function(OnnxScope& scope, const OnnxNode& node,
                                 const OnnxFunction& function) {
  OnnxScope inner{scope.import, nullptr, {}, &function.opsets, &node, &scope, scope.depth + 1};
  OnnxCall call(scope, node, 0);
  for (std::size_t i = 0; i < function.inputs.size(); ++i) {
    if (call.has(i)) inner.values[function.inputs[i]] = call.input(i);
  }
  std::vector<std::string> wanted;
  for (std::size_t i = 0; i < function.outputs.size(); ++i) {
    if (call.wants(i)) wanted.push_back(function.outputs[i]);
  }
  import_nodes(inner, function.body, wanted);
  std::vector<Array> outputs;
  for (std::size_t i = 0; i < function.outputs.size(); ++i) {
    outputs.push_back(call.wants(i) ? *inner.find(function.outputs[i]) : Array{});
  }
  return outputs;
}

std::vector<Array> call_node(OnnxScope& scope, const OnnxNode& node) {
  for (const OnnxFunction& function : scope.import.model.functions) {
    if (function.name == node.op && function.domain == node.domain) {
      return call_function(scope, node, function);
    }
  }
  const int opset = opset_of(scope, node.domain);
  const OnnxOperator* op = find_onnx_operator(node.domain, node.op);
  if (op == nullptr) throw Error(ErrorKind::unsupported, unknown_operator(node, opset));
  if (opset < op->first || opset > op->last) {
    throw Error(
        ErrorKind::unsupported,
        fmt::format("supported in opsets {} to {}, this is opset {}", op->first, op->last, opset));
  }
  OnnxCall call(scope, node, opset);
  return op->build(call);
}

void import_node(OnnxScope& scope, const OnnxNode& node) {
  OnnxImport& import = scope.import;
  if (++import.num_nodes > max_nodes) {
    throw Error(ErrorKind::resource,
                fmt::format("{}: more than {} nodes, loops and functions written out",
                            import.model.path, max_nodes));
  }
  // A Constant node that is a parameter is an input of the program already.
  if (node.op == "Constant" && node.domain.empty() && !node.outputs.empty()) {
    const auto found = import.constants.find(node.outputs[0]);
    if (found != import.constants.end()) {
      scope.values[node.outputs[0]] = found->second;
      return;
    }
  }
  if (import.folded_bytes > max_folded_bytes) {
    throw Error(ErrorKind::resource,
                fmt::format("{}: its nodes make constants of more than {} bytes together",
                            import.model.path, max_folded_bytes));
  }
  std::vector<Array> outputs;
  try {
    outputs = call_node(scope, node);
  } catch (const Error& error) {
    const std::string begin = import.model.path + ": ";
    if (std::string_view(error.what()).starts_with(begin)) throw;  // said by a node inside
    throw Error(error.kind(), fmt::format("{}{}: {}", begin, node.describe(), error.what()));
  }
  for (std::size_t i = 0; i < node.outputs.size(); ++i) {
    if (node.outputs[i].empty()) continue;
    if (i < outputs.size() && outputs[i].defined()) {
      const Type& type = outputs[i].node().type;
      if (is_constant(outputs[i].node()) && num_elements(type.shape) <= 4096) {
        import.folded_bytes += num_bytes(type);
      }
      scope.values[node.outputs[i]] = outputs[i];
    }
  }
}

}  // namespace

std::vector<std::string> names_read(const OnnxNode& node) {
  std::vector<std::string> names;
  for (const std::string& input : node.inputs) {
    if (!input.empty()) names.push_back(input);
  }
  for (const auto& [key, value] : node.attributes) {
    if (const auto* nested = std::get_if<std::shared_ptr<const OnnxGraph>>(&value)) {
      add_free_names(**nested, names);
    }
  }
  return names;
}

void import_nodes(OnnxScope& scope, const OnnxGraph& graph,
                  const std::vector<std::string>& outputs) {
  OnnxImport& import = scope.import;
  if (scope.depth > max_depth) {
    throw Error(ErrorKind::resource, fmt::format("{}: graphs and functions nested deeper than {}",
                                                 import.model.path, max_depth));
  }
  std::unordered_map<std::string, std::size_t> producer;
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    for (const std::string& name : graph.nodes[i].outputs) {
      if (!name.empty() && !producer.emplace(name, i).second) {
        bad(import, fmt::format("'{}' is made by two nodes", shown_name(name)));
      }
    }
  }
  std::unordered_map<std::string, const OnnxTensor*> stored;
  for (const OnnxTensor& tensor : graph.initialisers) stored.emplace(tensor.name, &tensor);

  // Depth first from the outputs; a node on the path that is met again closes a cycle.
  enum class Mark : std::uint8_t { untouched, on_path, done };
  std::vector<Mark> marks(graph.nodes.size(), Mark::untouched);
  struct Visit {
    std::size_t node;
    std::vector<std::string> names;
    std::size_t next;
  };
  std::vector<Visit> path;
  const auto ask = [&](const std::string& name, const std::string& reader) {
    if (scope.values.contains(name)) return;
    if (const auto found = producer.find(name); found != producer.end()) {
      const std::size_t i = found->second;
      if (marks[i] == Mark::on_path) {
        bad(import, fmt::format("{} and {} wait for each other's results: a cycle",
                                graph.nodes[i].describe(), reader));
      }
      if (marks[i] == Mark::untouched) {
        marks[i] = Mark::on_path;
        path.push_back({i, names_read(graph.nodes[i]), 0});
      }
      return;
    }
    if (const auto found = stored.find(name); found != stored.end()) {
      try {
        scope.values[name] = import.builder.constant(found->second->read(import.options.floating));
      } catch (const Error& error) {
        throw Error(error.kind(), fmt::format("{}: '{}', read by {}: {}", import.model.path,
                                              shown_name(name), reader, error.what()));
      }
      return;
    }
    if (scope.find(name) == nullptr) {
      bad(import, fmt::format("{} reads '{}', which nothing makes", reader, shown_name(name)));
    }
  };
  for (const std::string& output : outputs) {
    ask(output, "the model's output");
    while (!path.empty()) {
      Visit& visit = path.back();
      if (visit.next < visit.names.size()) {
        const std::string name = visit.names[visit.next++];
        ask(name, graph.nodes[visit.node].describe());
        continue;
      }
      const std::size_t i = visit.node;
      path.pop_back();
      import_node(scope, graph.nodes[i]);
      marks[i] = Mark::done;
    }
    if (scope.find(output) == nullptr) {
      bad(import, fmt::format("nothing makes the output '{}'", shown_name(output)));
    }
  }
}

}  // namespace kappa
