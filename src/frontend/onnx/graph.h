#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "program/tensor.h"

namespace kappa {

/// Element types by their numbers in ONNX (TensorProto.DataType).
enum class OnnxType : int {
  undefined = 0,
  float32 = 1,
  uint8 = 2,
  int8 = 3,
  uint16 = 4,
  int16 = 5,
  int32 = 6,
  int64 = 7,
  string = 8,
  boolean = 9,
  float16 = 10,
  float64 = 11,
  uint32 = 12,
  uint64 = 13,
  bfloat16 = 16,
};
bool is_floating(OnnxType type);
/// "float32"; "type 42" for what has no place here.
std::string to_string(OnnxType type);
/// The type it is computed in: floating types in `floating`, integers in i64. Throws
/// Error(unsupported) for strings, complex numbers and types of less than a byte.
DType computed_type(OnnxType type, DType floating);

/// A stored tensor, undecoded: `bytes` holds its elements, little-endian and row-major.
struct OnnxTensor {
  std::string name;
  OnnxType type = OnnxType::undefined;
  Shape shape;
  std::string_view bytes;
  std::shared_ptr<const std::string> owner;  ///< of `bytes`, where that is not the file itself

  /// The elements in their computed type.
  [[nodiscard]] Tensor read(DType floating) const;
};

struct OnnxGraph;

/// Inside a function's body: the attribute of that name of the node that calls it.
struct OnnxAttributeReference {
  std::string name;
};

/// Of a kind that nothing here reads: types, sequences, lists of graphs.
struct OnnxUnknownAttribute {};

using OnnxAttribute =
    std::variant<std::int64_t, double, std::string, Dims, std::vector<double>,
                 std::vector<std::string>, OnnxTensor, std::shared_ptr<const OnnxGraph>,
                 OnnxAttributeReference, OnnxUnknownAttribute>;

struct OnnxNode {
  std::string name, op, domain;  ///< domain "" is ONNX's own
  std::vector<std::string> inputs, outputs;
  std::map<std::string, OnnxAttribute> attributes;

  /// "node 'conv1' (Conv)", or by the first output where the node has no name.
  [[nodiscard]] std::string describe() const;
};

/// An extent: a number, or unknown (-1), by name where it has one.
struct OnnxDim {
  std::int64_t extent = -1;
  std::string symbol;
};

/// An input or output of a graph as the file declares it.
struct OnnxValueInfo {
  std::string name;
  OnnxType type = OnnxType::undefined;
  bool has_shape = false;
  std::vector<OnnxDim> dims;

  /// "float32 (batch, 1, 28, 28)"
  [[nodiscard]] std::string describe() const;
};

struct OnnxGraph {
  std::string name;
  std::vector<OnnxNode> nodes;
  std::vector<OnnxTensor> initialisers;
  std::vector<OnnxValueInfo> inputs;  ///< without those that initialisers give
  std::vector<OnnxValueInfo> outputs;
};

/// A function of the model's own: nodes called by one node.
struct OnnxFunction {
  std::string name, domain;
  std::vector<std::string> inputs, outputs;
  OnnxGraph body;
  std::map<std::string, int> opsets;
};

}  // namespace kappa
