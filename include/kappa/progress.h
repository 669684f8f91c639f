#pragma once

#include <cstdint>
#include <functional>
#include <string>

namespace kappa {

/// A report of a long call's progress. `total` is 0 when it is not known.
struct Progress {
  std::string task;        ///< e.g. "eigenvalues"
  std::int64_t done = 0;   ///< units done so far
  std::int64_t total = 0;  ///< units expected in all (an estimate may grow)
  std::string detail;      ///< one short phrase, e.g. "7 of 10 converged"
};

/// Called now and then by every long call; returning false stops the call, which then returns its
/// best result so far with a status that says so. An empty function means: never stop.
using ProgressCallback = std::function<bool(const Progress&)>;

}  // namespace kappa
