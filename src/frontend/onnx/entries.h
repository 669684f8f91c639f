#pragma once

#include <cstdint>
#include <vector>

#include "kappa/array.h"

namespace kappa {

/// Entry `index` along an axis, without that axis.
Array entry_along(const Array& x, std::int64_t axis, std::int64_t index);
/// Arrays of one shape as the entries along a new axis.
Array stacked(const std::vector<Array>& entries, std::int64_t axis);

}  // namespace kappa
