#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace kappa {

/// Half of the machine's memory: what data may take unless the caller says otherwise.
std::int64_t default_max_data_bytes();

/// What a reader may bring into memory.
struct ReadLimits {
  std::int64_t max_rows = 0;  ///< only the first rows; 0 means all
  std::int64_t max_bytes = default_max_data_bytes();
  std::vector<std::string> arrays;  ///< of an archive, only these; empty means all
};

/// Throws Error(resource) with both figures and the remedy if `bytes` exceed the limit. `what` says
/// what would take them, e.g. "an array of shape (60000, 784), f64,".
void check_budget(const std::string& name, const std::string& what, double bytes,
                  const ReadLimits& limits);

}  // namespace kappa
