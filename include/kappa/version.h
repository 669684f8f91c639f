#pragma once

#include "kappa/export.h"

namespace kappa {

/// The library's version, e.g. "0.1.0".
KAPPA_EXPORT const char* version();

}  // namespace kappa
