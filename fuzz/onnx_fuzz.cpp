// floor: frontend
// Any bytes as an ONNX model: read, and imported with small inputs.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "frontend/onnx/import.h"
#include "kappa/error.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace kappa;
  const std::string bytes(reinterpret_cast<const char*>(data), size);
  try {
    const OnnxModel model = parse_onnx(bytes, "m.onnx", "");
    OnnxImportOptions options;
    for (const OnnxValueInfo& input : model.graph.inputs) {
      Shape shape;
      for (const OnnxDim& dim : input.dims) shape.push_back(dim.extent < 0 ? 2 : dim.extent);
      options.input_shapes[input.name] = shape;
    }
    import_onnx(model, options);
  } catch (const Error& error) {
    if (std::string(error.what()).find('\n') != std::string::npos) std::abort();
  }
  return 0;
}
