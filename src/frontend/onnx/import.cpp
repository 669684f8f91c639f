#include "frontend/onnx/import.h"

#include <fmt/format.h>

#include <algorithm>

#include "frontend/onnx/proto.h"
#include "frontend/onnx/scope.h"
#include "kappa/error.h"
#include "program/primitive.h"

namespace kappa {
namespace {

const OnnxNode* producer_of(const OnnxGraph& graph, const std::string& name) {
  for (const OnnxNode& node : graph.nodes) {
    if (std::find(node.outputs.begin(), node.outputs.end(), name) != node.outputs.end()) {
      return &node;
    }
  }
  return nullptr;
}

// The node behind `name`, looking through Identity. Bounded: a cycle of identities has no end.
const OnnxNode* head_of(const OnnxGraph& graph, const std::string& name) {
  const OnnxNode* node = producer_of(graph, name);
  for (std::size_t i = 0; node != nullptr && i < graph.nodes.size(); ++i) {
    if (node->op != "Identity" || node->inputs.size() != 1) return node;
    node = producer_of(graph, node->inputs[0]);
  }
  return nullptr;
}

struct Candidate {
  std::string name;
  const OnnxTensor* tensor;
};

// What may be a parameter, in the model's order: float initialisers, then Constant nodes asked for.
std::vector<Candidate> candidates(const OnnxModel& model, const OnnxImportOptions& options) {
  std::vector<Candidate> list;
  if (!options.parameters) return list;
  for (const OnnxTensor& tensor : model.graph.initialisers) {
    if (is_floating(tensor.type)) list.push_back({tensor.name, &tensor});
  }
  for (const OnnxNode& node : model.graph.nodes) {
    if (node.op != "Constant" || node.outputs.empty()) continue;
    if (!options.asked_parameters.contains(node.outputs[0])) continue;
    const auto value = node.attributes.find("value");
    if (value == node.attributes.end()) continue;
    const auto* tensor = std::get_if<OnnxTensor>(&value->second);
    if (tensor != nullptr && is_floating(tensor->type)) list.push_back({node.outputs[0], tensor});
  }
  return list;
}

// Operands through which a derivative passes.
bool passes_derivative(const Node& node, std::size_t operand) {
  const Primitive& primitive = *node.primitive;
  if (!primitive.linear_operands.empty()) {
    const auto& linear = primitive.linear_operands;
    return std::find(linear.begin(), linear.end(), static_cast<int>(operand)) != linear.end() ||
           primitive.num_operands < 0;
  }
  return primitive.bilinear || static_cast<bool>(primitive.jvp);
}

// Inputs of the program that influence an output through operators that have derivatives.
std::set<std::size_t> influential_inputs(const Program& program) {
  std::vector<bool> reached(program.nodes.size(), false);
  for (const NodeId id : program.outputs) {
    reached[static_cast<std::size_t>(id)] =
        is_floating(program.nodes[static_cast<std::size_t>(id)].type.dtype);
  }
  for (std::size_t i = program.nodes.size(); i-- > 0;) {
    if (!reached[i]) continue;
    const Node& node = program.nodes[i];
    for (std::size_t k = 0; k < node.operands.size(); ++k) {
      const auto operand = static_cast<std::size_t>(node.operands[k]);
      if (is_floating(program.nodes[operand].type.dtype) && passes_derivative(node, k)) {
        reached[operand] = true;
      }
    }
  }
  std::set<std::size_t> inputs;
  for (std::size_t i = 0; i < program.inputs.size(); ++i) {
    if (reached[static_cast<std::size_t>(program.inputs[i])]) inputs.insert(i);
  }
  return inputs;
}

struct Pass {
  Program program;
  std::vector<std::string> data_inputs;
  std::set<std::string> frozen;
  std::string head;
};

// One import with the given parameters as inputs of the program, all other values constant.
Pass import_once(const OnnxModel& model, const OnnxImportOptions& options,
                 const std::vector<Candidate>& parameters) {
  Builder builder;
  OnnxImport import{model, options, builder, {}, {}, {}, {}};
  OnnxScope scope{import};
  for (const Candidate& parameter : parameters) {
    const Array input = builder.input({options.floating, parameter.tensor->shape}, parameter.name);
    import.parameters[input.id()] = parameter.tensor;
    if (producer_of(model.graph, parameter.name) != nullptr) {
      import.constants[parameter.name] = input;
    } else {
      scope.values[parameter.name] = input;
    }
  }
  Pass pass;
  for (const OnnxValueInfo& info : model.graph.inputs) {
    if (const auto fixed = options.fixed_inputs.find(info.name);
        fixed != options.fixed_inputs.end()) {
      scope.values[info.name] = builder.constant(fixed->second);
    } else if (const auto shape = options.input_shapes.find(info.name);
               shape != options.input_shapes.end()) {
      const DType dtype = computed_type(info.type, options.floating);
      scope.values[info.name] = builder.input({dtype, shape->second}, info.name);
      pass.data_inputs.push_back(info.name);
    }
  }
  std::vector<std::string> outputs = options.outputs;
  if (outputs.empty() && !model.graph.outputs.empty()) {
    outputs.push_back(model.graph.outputs[0].name);
  }
  if (outputs.empty()) throw Error(ErrorKind::data, model.path + ": the model has no output");
  std::vector<Array> results;
  for (const std::string& name : outputs) {
    const OnnxNode* head = options.left_out_heads.empty() ? nullptr : head_of(model.graph, name);
    if (head != nullptr && head->domain.empty() && !head->inputs.empty() &&
        options.left_out_heads.contains(head->op)) {
      import_nodes(scope, model.graph, {head->inputs[0]});
      const Array x = *scope.find(head->inputs[0]);
      const auto axis = head->attributes.find("axis");
      const auto* given =
          axis == head->attributes.end() ? nullptr : std::get_if<std::int64_t>(&axis->second);
      const std::int64_t along = given != nullptr ? *given : model.opset("") < 13 ? 1 : -1;
      // A softmax is left out where it runs over the last axis alone.
      if (head->op == "Sigmoid" || along == -1 || along == x.rank() - 1) {
        results.push_back(x);
        pass.head = head->op;
        continue;
      }
    }
    import_nodes(scope, model.graph, {name});
    results.push_back(*scope.find(name));
  }
  for (const Array& result : results) {
    if (result.is_literal()) throw Error(ErrorKind::data, model.path + ": the output is a literal");
  }
  pass.program = builder.finish(results);
  pass.frozen = std::move(import.frozen);
  return pass;
}

}  // namespace

std::set<std::string> needed_inputs(const OnnxModel& model, const std::string& output) {
  std::map<std::string, const OnnxNode*> producer;
  for (const OnnxNode& node : model.graph.nodes) {
    for (const std::string& name : node.outputs) producer.emplace(name, &node);
  }
  std::set<std::string> seen, inputs;
  std::vector<std::string> open{output};
  while (!open.empty()) {
    const std::string name = open.back();
    open.pop_back();
    if (!seen.insert(name).second) continue;
    const auto found = producer.find(name);
    if (found == producer.end()) continue;
    for (std::string& read : names_read(*found->second)) open.push_back(std::move(read));
  }
  for (const OnnxValueInfo& input : model.graph.inputs) {
    if (seen.contains(input.name)) inputs.insert(input.name);
  }
  return inputs;
}

OnnxProgram import_onnx(const OnnxModel& model, const OnnxImportOptions& options) {
  std::vector<Candidate> parameters = candidates(model, options);
  // A pass finds which candidates have influence and which were read as constants; with fewer
  // inputs and more constants the next can only find fewer.
  for (;;) {
    Pass pass = import_once(model, options, parameters);
    const std::set<std::size_t> influential = influential_inputs(pass.program);
    std::vector<Candidate> kept;
    for (std::size_t i = 0; i < parameters.size(); ++i) {
      if (influential.contains(i) && !pass.frozen.contains(parameters[i].name)) {
        kept.push_back(parameters[i]);
      }
    }
    if (kept.size() < parameters.size()) {
      parameters = std::move(kept);
      continue;
    }
    OnnxProgram result{
        std::move(pass.program), {}, std::move(pass.data_inputs), std::move(pass.head)};
    for (const Candidate& parameter : parameters) {
      result.parameters.push_back({parameter.name, parameter.tensor->read(options.floating)});
    }
    return result;
  }
}

}  // namespace kappa
