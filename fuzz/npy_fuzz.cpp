// floor: data
#include "bytes_reader.h"
#include "data/npy.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  return kappa::fuzz_reader(data, size, "a.npy", [](const auto& store, const auto& limits) {
    kappa::read_npy(*kappa::content_source(store), limits);
  });
}
