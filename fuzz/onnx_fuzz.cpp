// floor: frontend
// Any bytes as an ONNX model: read, and imported with small inputs.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "../tests/onnx/small_inputs.h"
#include "frontend/onnx/import.h"
#include "kappa/error.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace kappa;
  const std::string bytes(reinterpret_cast<const char*>(data), size);
  try {
    const OnnxModel model = parse_onnx(bytes, "m.onnx", "");
    import_onnx(model, small_inputs(model));
  } catch (const Error& error) {
    if (std::string(error.what()).find('\n') != std::string::npos) std::abort();
  }
  return 0;
}
