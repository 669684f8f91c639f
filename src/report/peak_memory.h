#pragma once

#include <sys/resource.h>

#include <cstdint>

namespace kappa {

/// Largest resident set of this process so far, in bytes.
inline std::int64_t peak_resident_bytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<std::int64_t>(usage.ru_maxrss) * 1024;
}

}  // namespace kappa
