#include "kappa/version.h"

namespace kappa {

const char* version() { return KAPPA_VERSION; }

}  // namespace kappa
