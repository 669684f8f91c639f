#pragma once

#include "kappa/curvature.h"

namespace kappa {

/// What a run of lanczos() is to find and the room it works in.
struct LanczosPlan {
  /// Fresh chains of a verification, each one pending column more.
  static constexpr std::int64_t max_verifications = 4;

  /// Throws Error for options that ask for nothing or contradict each other.
  LanczosPlan(std::int64_t dimension, const LanczosOptions& options);

  std::int64_t n;
  std::int64_t top, bottom, wanted;  ///< pairs at either end, and together
  std::int64_t beyond;               ///< pairs below the top ones
  std::int64_t block;
  std::int64_t warm;         ///< warm start vectors
  std::int64_t basis;        ///< columns at most that have been multiplied
  std::int64_t max_pending;  ///< columns that have not
};

}  // namespace kappa
