// floor: data
#include "bytes_reader.h"
#include "data/idx.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  return kappa::fuzz_reader(data, size, "a-idx1-ubyte", [](const auto& store, const auto& limits) {
    kappa::read_idx(*kappa::content_source(store), limits);
  });
}
