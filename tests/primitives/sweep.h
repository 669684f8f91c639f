#pragma once

#include <string>
#include <vector>

#include "program/primitive.h"

namespace kappa {

/// What a sweep found: one line a failure, and how many comparisons were made.
struct SweepReport {
  std::vector<std::string> failures;
  int num_checks = 0;

  [[nodiscard]] bool ok() const { return failures.empty(); }
  [[nodiscard]] std::string text() const;
};

/// The property tests of one primitive on its samples: derivatives against difference quotients and
/// Taylor remainders, identities between derivatives, batching against a loop, single against
/// double precision, fused against unfused.
SweepReport sweep(const Primitive& primitive);

}  // namespace kappa
