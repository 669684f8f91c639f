#include <fmt/format.h>

#include <cmath>

#include "frontend/onnx/proto.h"
#include "frontend/onnx/scope.h"
#include "kappa/error.h"

namespace kappa {

const Array* OnnxScope::find(const std::string& name) const {
  for (const OnnxScope* scope = this; scope != nullptr; scope = scope->outer) {
    const auto found = scope->values.find(name);
    if (found != scope->values.end()) return &found->second;
  }
  return nullptr;
}

// Many reasons quote an attribute, which may be of any length and hold any characters.
void OnnxCall::fail(const std::string& why) const {
  throw Error(ErrorKind::unsupported, shown_name(why, 240));
}

bool OnnxCall::has(std::size_t i) const {
  return i < node_.inputs.size() && !node_.inputs[i].empty();
}

Array OnnxCall::optional_input(std::size_t i) const {
  if (!has(i)) return {};
  const Array* found = scope_.find(node_.inputs[i]);
  if (found == nullptr) {
    throw Error(ErrorKind::data,
                fmt::format("input '{}' is made by nothing", shown_name(node_.inputs[i])));
  }
  return *found;
}

Array OnnxCall::input(std::size_t i) const {
  if (!has(i)) {
    throw Error(ErrorKind::data, fmt::format("input {} is missing", i));
  }
  return optional_input(i);
}

std::vector<Array> OnnxCall::inputs() const {
  std::vector<Array> all;
  for (std::size_t i = 0; i < node_.inputs.size(); ++i) all.push_back(input(i));
  if (all.empty()) throw Error(ErrorKind::data, "no input");
  return all;
}

Tensor OnnxCall::known(std::size_t i) const {
  const Array x = input(i);
  OnnxImport& import = scope_.import;
  if (const auto value = import.known.find(x)) return *value;
  std::set<std::string> read;
  const auto value = import.known.find(x, [&](NodeId id) -> std::optional<Tensor> {
    const auto found = import.parameters.find(id);
    if (found == import.parameters.end()) return std::nullopt;
    read.insert(found->second->name);
    return found->second->read(floating());
  });
  if (!value) {
    fail(fmt::format("input {} ('{}') depends on the data; it must be known when the model is read",
                     i, shown_name(node_.inputs[i])));
  }
  import.frozen.merge(read);
  return *value;
}

Dims OnnxCall::known_integers(std::size_t i) const {
  const Tensor value = known(i);
  Dims result;
  for (std::int64_t k = 0; k < value.size(); ++k) {
    if (value.dtype() == DType::i64) {
      result.push_back(value.as<std::int64_t>()[k]);
      continue;
    }
    const double number = value.at(k);
    if (!(std::abs(number) < 0x1p63) || number != std::trunc(number)) {
      fail(fmt::format("input {} ('{}') is {:.6g} at entry {}, not an integer", i,
                       shown_name(node_.inputs[i]), number, k));
    }
    result.push_back(static_cast<std::int64_t>(number));
  }
  return result;
}

std::vector<double> OnnxCall::known_numbers(std::size_t i) const {
  const Tensor value = known(i);
  std::vector<double> result;
  for (std::int64_t k = 0; k < value.size(); ++k) result.push_back(value.at(k));
  return result;
}

std::int64_t OnnxCall::known_integer(std::size_t i) const {
  const Dims all = known_integers(i);
  if (all.size() != 1) fail(fmt::format("input {} has {} entries, not one", i, all.size()));
  return all[0];
}

double OnnxCall::known_number(std::size_t i) const {
  const std::vector<double> all = known_numbers(i);
  if (all.size() != 1) fail(fmt::format("input {} has {} entries, not one", i, all.size()));
  return all[0];
}

std::optional<Tensor> OnnxCall::try_known(std::size_t i) const { return value_of(input(i)); }

std::optional<Tensor> OnnxCall::value_of(const Array& x) const {
  return scope_.import.known.find(x);
}

Array OnnxCall::buffer(std::size_t i) const {
  const Array x = input(i);
  OnnxImport& import = scope_.import;
  const auto found = import.parameters.find(x.id());
  if (found == import.parameters.end()) return x;
  if (import.options.asked_parameters.contains(found->second->name)) return x;
  import.frozen.insert(found->second->name);
  return constant(found->second->read(floating()));
}

const OnnxAttribute* OnnxCall::find(std::string_view name) const {
  const OnnxNode* node = &node_;
  const OnnxScope* scope = &scope_;
  std::string key(name);
  for (;;) {
    const auto found = node->attributes.find(key);
    if (found == node->attributes.end()) return nullptr;
    const auto* reference = std::get_if<OnnxAttributeReference>(&found->second);
    if (reference == nullptr) return &found->second;
    while (scope != nullptr && scope->caller == nullptr) scope = scope->outer;
    if (scope == nullptr) return nullptr;
    key = reference->name;
    node = scope->caller;
    scope = scope->caller_scope;
  }
}

template <class T>
const T* OnnxCall::find_as(std::string_view name, const char* kind) const {
  const OnnxAttribute* attribute = find(name);
  if (attribute == nullptr) return nullptr;
  if (const T* value = std::get_if<T>(attribute)) return value;
  throw Error(ErrorKind::data, fmt::format("attribute '{}' is not {}", name, kind));
}

bool OnnxCall::has_attribute(std::string_view name) const { return find(name) != nullptr; }

std::int64_t OnnxCall::integer(std::string_view name) const {
  if (const auto* value = find_as<std::int64_t>(name, "an integer")) return *value;
  throw Error(ErrorKind::data, fmt::format("attribute '{}' is missing", name));
}
std::int64_t OnnxCall::integer(std::string_view name, std::int64_t otherwise) const {
  const auto* value = find_as<std::int64_t>(name, "an integer");
  return value == nullptr ? otherwise : *value;
}
double OnnxCall::real(std::string_view name, double otherwise) const {
  const auto* value = find_as<double>(name, "a number");
  return value == nullptr ? otherwise : *value;
}
std::string OnnxCall::text(std::string_view name, std::string_view otherwise) const {
  const auto* value = find_as<std::string>(name, "a text");
  return value == nullptr ? std::string(otherwise) : *value;
}
Dims OnnxCall::integers(std::string_view name, const Dims& otherwise) const {
  const auto* value = find_as<Dims>(name, "a list of integers");
  return value == nullptr ? otherwise : *value;
}
std::vector<double> OnnxCall::reals(std::string_view name) const {
  const auto* value = find_as<std::vector<double>>(name, "a list of numbers");
  return value == nullptr ? std::vector<double>{} : *value;
}
std::vector<std::string> OnnxCall::texts(std::string_view name) const {
  const auto* value = find_as<std::vector<std::string>>(name, "a list of texts");
  return value == nullptr ? std::vector<std::string>{} : *value;
}
const OnnxTensor& OnnxCall::tensor(std::string_view name) const {
  if (const auto* value = find_as<OnnxTensor>(name, "a tensor")) return *value;
  throw Error(ErrorKind::data, fmt::format("attribute '{}' is missing", name));
}
const OnnxGraph& OnnxCall::graph(std::string_view name) const {
  if (const auto* value = find_as<std::shared_ptr<const OnnxGraph>>(name, "a graph")) {
    return **value;
  }
  throw Error(ErrorKind::data, fmt::format("attribute '{}' is missing", name));
}

DType OnnxCall::floating() const { return scope_.import.options.floating; }
DType OnnxCall::computed(std::int64_t type) const {
  return computed_type(static_cast<OnnxType>(type), floating());
}
Array OnnxCall::constant(const Tensor& value) const {
  return scope_.import.builder.constant(value);
}
Array OnnxCall::integers_constant(const Dims& values) const {
  Tensor tensor(Type{DType::i64, {static_cast<std::int64_t>(values.size())}});
  std::copy(values.begin(), values.end(), tensor.as<std::int64_t>());
  return constant(tensor);
}
Array OnnxCall::number(double value, DType dtype) const {
  return scope_.import.builder.scalar(value, dtype);
}
Array OnnxCall::zeros(const Shape& shape, DType dtype) const {
  return broadcast_to(number(0, dtype), shape);
}
bool OnnxCall::train_batch_norm() const { return scope_.import.options.train_batch_norm; }

std::vector<Array> OnnxCall::run(const OnnxGraph& graph, std::span<const Array> inputs) const {
  if (inputs.size() != graph.inputs.size()) {
    throw Error(ErrorKind::data, fmt::format("a nested graph of {} inputs is given {}",
                                             graph.inputs.size(), inputs.size()));
  }
  OnnxScope inner{scope_.import, &scope_, {}, scope_.opsets, nullptr, nullptr, scope_.depth + 1};
  for (std::size_t i = 0; i < inputs.size(); ++i) inner.values[graph.inputs[i].name] = inputs[i];
  std::vector<std::string> names;
  for (const OnnxValueInfo& output : graph.outputs) names.push_back(output.name);
  import_nodes(inner, graph, names);
  std::vector<Array> results;
  for (const std::string& name : names) results.push_back(*inner.find(name));
  return results;
}

OnnxOperator unary_onnx(Array (*function)(const Array&), int last) {
  return {.last = last, .build = [function](OnnxCall& call) {
            return std::vector<Array>{function(call.input(0))};
          }};
}

std::int64_t onnx_axis(std::int64_t axis, std::int64_t rank) {
  if (axis < -rank || axis >= rank) {
    throw Error(ErrorKind::shape, fmt::format("axis {} of an array of {} axes", axis, rank));
  }
  return axis < 0 ? axis + rank : axis;
}

Dims onnx_axes(const Dims& axes, std::int64_t rank) {
  Dims result;
  for (const std::int64_t axis : axes) result.push_back(onnx_axis(axis, rank));
  return result;
}

const OnnxOperator* find_onnx_operator(std::string_view domain, std::string_view name) {
  static const auto table = [] {
    std::map<std::pair<std::string_view, std::string_view>, const OnnxOperator*> map;
    for (const OnnxOperator* op : all_onnx_operators()) map[{op->domain, op->name}] = op;
    return map;
  }();
  const auto found = table.find({domain, name});
  return found == table.end() ? nullptr : found->second;
}

}  // namespace kappa
