#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "frontend/onnx/graph.h"

namespace kappa {

/// A model as it was read: checked, but nothing interpreted.
///
/// Reading trusts nothing. Files are bounded by `max_onnx_bytes`, nested graphs by 16 levels,
/// extents by what 62 bits hold, tensors by the bytes that are there, and external data by the
/// model's folder. Whatever does not hold is Error(data) or Error(resource) in one line.
struct OnnxModel {
  std::string path;    ///< as given; for messages
  std::string folder;  ///< where its external data lie; empty: nowhere
  std::string producer;
  std::map<std::string, int> opsets;  ///< by domain
  OnnxGraph graph;
  std::vector<OnnxFunction> functions;
  std::shared_ptr<const void> file;  ///< the parsed file, which tensors refer into

  /// Version of the operators of a domain; throws Error(data) where the file imports none.
  [[nodiscard]] int opset(const std::string& domain) const;
};

/// Protocol buffers hold at most 2 GiB; larger models keep their tensors in files beside them.
inline constexpr std::int64_t max_onnx_bytes = (std::int64_t{1} << 31) - 1;

OnnxModel read_onnx(const std::string& path);
/// The same from memory; `folder` is where external data lies (empty: refused).
OnnxModel parse_onnx(const std::string& bytes, const std::string& path, const std::string& folder);
/// A TensorProto on its own, as test data are stored.
OnnxTensor parse_onnx_tensor(const std::string& bytes, const std::string& path);

/// Writes the model that was read with the elements of some initialisers replaced; everything else,
/// unknown fields included, stays as it is. Values are converted to the initialiser's stored type.
/// Tensors that were external are written into the file itself. The file appears when complete.
/// Returns how many values the stored types have rounded.
std::int64_t write_onnx(const OnnxModel& model,
                        const std::map<std::string, std::vector<double>>& values,
                        const std::string& path);

}  // namespace kappa
