// floor: data
#include "bytes_reader.h"
#include "data/npz.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  return kappa::fuzz_reader(data, size, "a.npz", [](const auto& store, const auto& limits) {
    kappa::read_npz(kappa::NpzReader(store), limits);
  });
}
