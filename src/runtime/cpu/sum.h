#pragma once

#include <cstdint>

namespace kappa {

/// The sum of `count` elements in double. Element i goes to running sum i mod 32, and the 32 are
/// added pairwise, so the bits depend on neither alignment nor vector width.
double sum_elements(const double* x, std::int64_t count);
double sum_elements(const float* x, std::int64_t count);

}  // namespace kappa
