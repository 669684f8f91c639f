#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "data/bytes.h"
#include "data/limits.h"
#include "kappa/error.h"

namespace kappa {

/// Calls `parse` with the fuzzer's bytes as a store and with a budget of a megabyte. Any
/// kappa::Error of one line is a right answer; every other exception, crash or leak is a finding.
template <class Parse>
int fuzz_reader(const std::uint8_t* data, std::size_t size, const char* name, Parse&& parse) {
  const ReadLimits limits{size > 0 && data[size - 1] % 4 == 0 ? 2 : 0, 1 << 20, {}};
  try {
    parse(memory_store(std::string(reinterpret_cast<const char*>(data), size), name), limits);
  } catch (const Error& error) {
    if (std::string(error.what()).find('\n') != std::string::npos) __builtin_trap();
  }
  return 0;
}

}  // namespace kappa
