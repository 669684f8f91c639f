// floor: frontend
// Any bytes as a layer string.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "frontend/network.h"
#include "kappa/error.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace kappa;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  try {
    const Network network = parse_network(text);
    std::int64_t total = network.num_inputs;
    for (const LayerParameter& parameter : network.parameters) {
      total += num_elements(parameter.shape);
    }
    if (total < 10'000) {
      build_network(network, 2, DType::f32);
      initial_weights(network.parameters, text.substr(text.find(':') + 1), 1, DType::f32);
    }
  } catch (const Error& error) {
    if (std::string_view(error.what()).find('\n') != std::string_view::npos) std::abort();
  }
  return 0;
}
