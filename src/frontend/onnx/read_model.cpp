#include <fmt/format.h>

#include <filesystem>
#include <set>

#include "base/file.h"
#include "frontend/onnx/model.h"
#include "frontend/onnx/proto.h"
#include "kappa/error.h"

namespace kappa {
namespace {

constexpr int max_depth = 16;

struct Reader {
  const std::string& path;
  const std::string& folder;

  [[noreturn]] void bad(const std::string& why) const {
    throw Error(ErrorKind::data, fmt::format("{}: {}", path, why));
  }

  OnnxValueInfo value_info(const onnx::ValueInfoProto& proto) const {
    OnnxValueInfo info;
    info.name = proto.name();
    if (!proto.has_type() || !proto.type().has_tensor_type()) return info;
    const onnx::TypeProto_Tensor& type = proto.type().tensor_type();
    info.type = static_cast<OnnxType>(type.elem_type());
    info.has_shape = type.has_shape();
    for (const onnx::TensorShapeProto_Dimension& dim : type.shape().dim()) {
      // Exporters write an unknown extent as nothing, as a name, as 0 and as -1.
      const bool known = dim.has_dim_value() && dim.dim_value() > 0;
      info.dims.push_back({known ? dim.dim_value() : -1, known ? "" : dim.dim_param()});
    }
    return info;
  }

  OnnxAttribute attribute(const onnx::AttributeProto& proto, const std::string& where,
                          int depth) const {
    if (!proto.ref_attr_name().empty()) return OnnxAttributeReference{proto.ref_attr_name()};
    switch (proto.type()) {
      case onnx::AttributeProto::INT: return proto.i();
      case onnx::AttributeProto::FLOAT: return static_cast<double>(proto.f());
      case onnx::AttributeProto::STRING: return proto.s();
      case onnx::AttributeProto::INTS: return Dims(proto.ints().begin(), proto.ints().end());
      case onnx::AttributeProto::FLOATS:
        return std::vector<double>(proto.floats().begin(), proto.floats().end());
      case onnx::AttributeProto::STRINGS:
        return std::vector<std::string>(proto.strings().begin(), proto.strings().end());
      case onnx::AttributeProto::TENSOR: return read_tensor(proto.t(), where, folder);
      case onnx::AttributeProto::SPARSE_TENSOR:
        return read_sparse_tensor(proto.sparse_tensor(), where, folder);
      case onnx::AttributeProto::GRAPH:
        return std::make_shared<const OnnxGraph>(graph(proto.g(), depth + 1));
      default: break;
    }
    // Files of IR version 1 do not say the type; one field is set.
    if (proto.has_f()) return static_cast<double>(proto.f());
    if (proto.has_i()) return proto.i();
    if (proto.has_s()) return proto.s();
    if (proto.has_t()) return read_tensor(proto.t(), where, folder);
    if (proto.ints_size() > 0) return Dims(proto.ints().begin(), proto.ints().end());
    if (proto.floats_size() > 0) {
      return std::vector<double>(proto.floats().begin(), proto.floats().end());
    }
    return OnnxUnknownAttribute{};
  }

  OnnxNode node(const onnx::NodeProto& proto, int depth) const {
    OnnxNode node;
    node.name = shown_name(proto.name());
    node.op = proto.op_type();
    node.domain = proto.domain() == "ai.onnx" ? "" : proto.domain();
    node.inputs.assign(proto.input().begin(), proto.input().end());
    node.outputs.assign(proto.output().begin(), proto.output().end());
    const std::string where = fmt::format("{}: {}", path, node.describe());
    for (const onnx::AttributeProto& a : proto.attribute()) {
      node.attributes.emplace(a.name(), attribute(a, where, depth));
    }
    return node;
  }

  OnnxGraph graph(const onnx::GraphProto& proto, int depth) const {
    if (depth > max_depth) bad(fmt::format("graphs nested deeper than {} levels", max_depth));
    OnnxGraph graph;
    graph.name = proto.name();
    std::set<std::string> given;
    for (const onnx::TensorProto& tensor : proto.initializer()) {
      graph.initialisers.push_back(read_tensor(tensor, path, folder));
    }
    for (const onnx::SparseTensorProto& tensor : proto.sparse_initializer()) {
      graph.initialisers.push_back(read_sparse_tensor(tensor, path, folder));
    }
    for (const OnnxTensor& tensor : graph.initialisers) {
      if (!given.insert(tensor.name).second) {
        bad(fmt::format("two initialisers are called '{}'", shown_name(tensor.name)));
      }
    }
    for (const onnx::ValueInfoProto& input : proto.input()) {
      if (!given.contains(input.name())) graph.inputs.push_back(value_info(input));
    }
    for (const onnx::ValueInfoProto& output : proto.output()) {
      graph.outputs.push_back(value_info(output));
    }
    for (const onnx::NodeProto& n : proto.node()) graph.nodes.push_back(node(n, depth));
    return graph;
  }

  OnnxFunction function(const onnx::FunctionProto& proto) const {
    OnnxFunction function;
    function.name = proto.name();
    function.domain = proto.domain();
    function.inputs.assign(proto.input().begin(), proto.input().end());
    function.outputs.assign(proto.output().begin(), proto.output().end());
    for (const onnx::NodeProto& n : proto.node()) function.body.nodes.push_back(node(n, 0));
    return function;
  }
};

}  // namespace

std::string OnnxNode::describe() const {
  std::string kind = shown_name(domain.empty() ? op : domain + "." + op);
  if (!name.empty()) return fmt::format("node '{}' ({})", name, kind);
  if (!outputs.empty()) return fmt::format("the {} node of '{}'", kind, shown_name(outputs[0]));
  return fmt::format("a {} node", kind);
}

std::string OnnxValueInfo::describe() const {
  if (!has_shape) return to_string(type);
  std::string text = to_string(type) + " (";
  for (std::size_t i = 0; i < dims.size(); ++i) {
    if (i > 0) text += ", ";
    text += dims[i].extent >= 0      ? std::to_string(dims[i].extent)
            : dims[i].symbol.empty() ? "?"
                                     : shown_name(dims[i].symbol);
  }
  return text + (dims.size() == 1 ? ",)" : ")");
}

int OnnxModel::opset(const std::string& domain) const {
  const auto found = opsets.find(domain);
  if (found != opsets.end()) return found->second;
  throw Error(ErrorKind::data, fmt::format("{}: no opset is imported for the domain '{}'", path,
                                           shown_name(domain)));
}

OnnxModel parse_onnx(const std::string& bytes, const std::string& path, const std::string& folder) {
  if (static_cast<std::int64_t>(bytes.size()) > max_onnx_bytes) {
    throw Error(ErrorKind::resource, fmt::format("{}: {} bytes; a model's file holds at most {}",
                                                 path, bytes.size(), max_onnx_bytes));
  }
  auto proto = std::make_shared<onnx::ModelProto>();
  parse_proto(*proto, bytes, path);
  const Reader reader{path, folder};
  if (!proto->has_graph()) reader.bad("no ONNX model: there is no graph in it");
  OnnxModel model;
  model.path = path;
  model.folder = folder;
  model.producer = shown_name(proto->producer_name());
  for (const onnx::OperatorSetIdProto& opset : proto->opset_import()) {
    const std::string domain = opset.domain() == "ai.onnx" ? "" : opset.domain();
    if (opset.version() < 1 || opset.version() > 10'000) {
      reader.bad(fmt::format("opset version {}", opset.version()));
    }
    model.opsets[domain] = static_cast<int>(opset.version());
  }
  if (model.opsets.empty()) model.opsets[""] = 1;  // before IR version 3 there was but one
  model.graph = reader.graph(proto->graph(), 0);
  for (const onnx::FunctionProto& function : proto->functions()) {
    model.functions.push_back(reader.function(function));
    for (const onnx::OperatorSetIdProto& opset : function.opset_import()) {
      model.functions.back().opsets[opset.domain()] = static_cast<int>(opset.version());
    }
  }
  model.file = std::move(proto);
  return model;
}

OnnxModel read_onnx(const std::string& path) {
  const std::string folder = std::filesystem::path(path).parent_path().string();
  return parse_onnx(read_file(path, max_onnx_bytes), path, folder.empty() ? "." : folder);
}

OnnxTensor parse_onnx_tensor(const std::string& bytes, const std::string& path) {
  auto proto = std::make_shared<onnx::TensorProto>();
  parse_proto(*proto, bytes, path);
  OnnxTensor tensor = read_tensor(*proto, path, "");
  if (tensor.owner == nullptr) {  // the elements outlive the parsed file
    tensor.owner = std::make_shared<const std::string>(tensor.bytes);
    tensor.bytes = *tensor.owner;
  }
  return tensor;
}

}  // namespace kappa
