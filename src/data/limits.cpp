#include "data/limits.h"

#include <fmt/format.h>
#include <unistd.h>

#include "data/stored_array.h"
#include "kappa/error.h"

namespace kappa {

std::int64_t default_max_data_bytes() {
  const std::int64_t pages = ::sysconf(_SC_PHYS_PAGES);
  const std::int64_t page = ::sysconf(_SC_PAGESIZE);
  return pages > 0 && page > 0 ? pages / 2 * page : std::int64_t{1} << 32;
}

void check_budget(const std::string& name, const std::string& what, double bytes,
                  const ReadLimits& limits) {
  if (bytes <= static_cast<double>(limits.max_bytes)) return;
  throw Error(ErrorKind::resource,
              fmt::format("{}: {} takes {}, the budget for data is {}; use fewer samples "
                          "(--samples N) or a machine with more memory",
                          name, what, bytes_text(bytes),
                          bytes_text(static_cast<double>(limits.max_bytes))));
}

}  // namespace kappa
