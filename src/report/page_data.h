#pragma once

#include "report/json.h"

namespace kappa {

/// The result as a page carries it: the same, with long lists thinned so that a page stays below
/// 6 MB. Of iterations each stretch keeps its first, last, lowest and highest value; of walks and
/// grids every K-th place and the last stay. What was thinned is said under "page" ("thinned":
/// sentences).
Json page_data(const Json& result);

}  // namespace kappa
