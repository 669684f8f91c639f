// floor: data
#include "bytes_reader.h"
#include "data/csv.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  return kappa::fuzz_reader(data, size, "t.csv", [](const auto& store, const auto& limits) {
    kappa::read_csv(*kappa::content_source(store), limits);
  });
}
