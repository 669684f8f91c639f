#pragma once

#include <cmath>
#include <cstdint>
#include <string>

#include "kappa/error.h"
#include "kappa/operator.h"

namespace kappa {

/// Throws unless the operator has at least one row.
inline void require_dimension(const char* verb, const SymmetricOperator& a) {
  if (a.dimension() < 1) {
    throw Error(ErrorKind::value, std::string(verb) + ": the operator has dimension 0");
  }
}

/// Throws unless `condition` holds; `rule` says what was expected, e.g. "num_probes must be >= 1".
inline void require(const char* verb, bool condition, const char* rule) {
  if (!condition) throw Error(ErrorKind::value, std::string(verb) + ": " + rule);
}

/// Throws unless a vector has the operator's dimension.
inline void require_length(const char* verb, const char* name, std::size_t length,
                           std::int64_t expected) {
  if (static_cast<std::int64_t>(length) != expected) {
    throw Error(ErrorKind::shape, std::string(verb) + ": " + name + " has " +
                                      std::to_string(length) + " entries, the operator has " +
                                      std::to_string(expected));
  }
}

inline bool all_finite(std::int64_t n, const double* x) {
  for (std::int64_t i = 0; i < n; ++i) {
    if (!std::isfinite(x[i])) return false;
  }
  return true;
}

}  // namespace kappa
