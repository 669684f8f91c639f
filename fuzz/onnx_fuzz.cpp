// floor: frontend
// Any bytes as an ONNX model: read, and imported with small inputs; a refusal is one printable
// line.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

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
    for (const unsigned char c : std::string_view(error.what())) {
      if (c < 0x20) std::abort();  // what a file holds must not write to a terminal
    }
  }
  return 0;
}
