#include <fmt/format.h>

#include <cstring>

#include "base/file.h"
#include "frontend/onnx/half.h"
#include "frontend/onnx/model.h"
#include "frontend/onnx/proto.h"
#include "kappa/error.h"

namespace kappa {
namespace {

template <class T, class Store, class Load>
std::string encoded(const std::vector<double>& values, std::int64_t& rounded, Store store,
                    Load load) {
  std::string bytes(values.size() * sizeof(T), 0);
  for (std::size_t i = 0; i < values.size(); ++i) {
    const T stored = store(values[i]);
    rounded += static_cast<double>(load(stored)) != values[i] ? 1 : 0;
    std::memcpy(bytes.data() + i * sizeof(T), &stored, sizeof(T));
  }
  return bytes;
}

std::string encode(const std::vector<double>& values, OnnxType type, std::int64_t& rounded) {
  const auto same = [](auto v) { return v; };
  const auto narrow = [](double v) { return static_cast<float>(v); };
  switch (type) {
    case OnnxType::float64: return encoded<double>(values, rounded, same, same);
    case OnnxType::float16:
      return encoded<std::uint16_t>(
          values, rounded, [&](double v) { return half_of_float(narrow(v)); }, float_of_half);
    case OnnxType::bfloat16:
      return encoded<std::uint16_t>(
          values, rounded, [&](double v) { return bfloat16_of_float(narrow(v)); },
          float_of_bfloat16);
    default: return encoded<float>(values, rounded, narrow, same);
  }
}

// The tensor with other elements, in the file itself.
void set_bytes(onnx::TensorProto& tensor, std::string bytes) {
  tensor.clear_float_data();
  tensor.clear_double_data();
  tensor.clear_int32_data();
  tensor.clear_int64_data();
  tensor.clear_uint64_data();
  tensor.clear_external_data();
  tensor.clear_data_location();
  tensor.set_raw_data(std::move(bytes));
}

struct Writer {
  const OnnxModel& model;
  const std::map<std::string, std::vector<double>>& values;
  std::int64_t rounded = 0;

  // External tensors are named relative to the model's folder, which the new file may leave.
  void bring_inside(onnx::TensorProto& tensor) const {
    if (tensor.data_location() != onnx::TensorProto::EXTERNAL) return;
    set_bytes(tensor, std::string(read_tensor(tensor, model.path, model.folder).bytes));
  }

  void replace(onnx::TensorProto& tensor, const std::string& name) {
    const std::vector<double>& elements = values.at(name);
    std::int64_t count = 1;
    for (const std::int64_t extent : tensor.dims()) count *= extent;
    if (!is_floating(static_cast<OnnxType>(tensor.data_type())) ||
        count != static_cast<std::int64_t>(elements.size())) {
      throw Error(ErrorKind::shape,
                  fmt::format("{}: '{}' is {} of {} elements, no place for {} numbers", model.path,
                              name, to_string(static_cast<OnnxType>(tensor.data_type())), count,
                              elements.size()));
    }
    set_bytes(tensor, encode(elements, static_cast<OnnxType>(tensor.data_type()), rounded));
  }

  void visit(onnx::NodeProto& node) {
    for (onnx::AttributeProto& attribute : *node.mutable_attribute()) {
      if (attribute.has_t()) bring_inside(*attribute.mutable_t());
      for (onnx::TensorProto& tensor : *attribute.mutable_tensors()) bring_inside(tensor);
      if (attribute.has_g()) visit(*attribute.mutable_g(), false);
      for (onnx::GraphProto& graph : *attribute.mutable_graphs()) visit(graph, false);
    }
  }

  // Parameters are those of the outermost graph.
  void visit(onnx::GraphProto& graph, bool outermost) {
    for (onnx::TensorProto& tensor : *graph.mutable_initializer()) {
      if (outermost && values.contains(tensor.name())) {
        replace(tensor, tensor.name());
      } else {
        bring_inside(tensor);
      }
    }
    for (int i = graph.sparse_initializer_size(); outermost && i-- > 0;) {
      const onnx::SparseTensorProto& sparse = graph.sparse_initializer(i);
      const std::string name = sparse.values().name();
      if (!values.contains(name)) continue;
      onnx::TensorProto& dense = *graph.add_initializer();  // training fills zeros in
      dense.set_name(name);
      dense.set_data_type(sparse.values().data_type());
      *dense.mutable_dims() = sparse.dims();
      replace(dense, name);
      graph.mutable_sparse_initializer()->DeleteSubrange(i, 1);
    }
    for (onnx::NodeProto& node : *graph.mutable_node()) {
      visit(node);
      if (!outermost || node.op_type() != "Constant" || node.output_size() == 0) continue;
      if (!values.contains(node.output(0))) continue;
      for (onnx::AttributeProto& attribute : *node.mutable_attribute()) {
        if (attribute.name() == "value" && attribute.has_t()) {
          replace(*attribute.mutable_t(), node.output(0));
        }
      }
    }
  }
};

}  // namespace

std::int64_t write_onnx(const OnnxModel& model,
                        const std::map<std::string, std::vector<double>>& values,
                        const std::string& path) {
  onnx::ModelProto proto = *static_cast<const onnx::ModelProto*>(model.file.get());
  Writer writer{model, values};
  writer.visit(*proto.mutable_graph(), true);
  for (onnx::FunctionProto& function : *proto.mutable_functions()) {
    for (onnx::NodeProto& node : *function.mutable_node()) writer.visit(node);
  }
  std::string bytes;
  if (proto.ByteSizeLong() > static_cast<std::size_t>(max_onnx_bytes) ||
      !proto.SerializeToString(&bytes)) {
    throw Error(ErrorKind::resource,
                fmt::format("{}: {} bytes, more than the {} that one ONNX file holds; write the "
                            "parameters as .npz",
                            path, proto.ByteSizeLong(), max_onnx_bytes));
  }
  write_file(path, bytes);
  return writer.rounded;
}

}  // namespace kappa
