#include "curvature/lanczos_plan.h"

#include <fmt/format.h>

#include <algorithm>

#include "kappa/error.h"

namespace kappa {

LanczosPlan::LanczosPlan(std::int64_t dimension, const LanczosOptions& options) : n(dimension) {
  auto refuse = [](const std::string& what) { throw Error(ErrorKind::value, "lanczos: " + what); };
  if (n < 1) refuse("the operator has dimension 0");
  if (options.num_top < 0 || options.num_bottom < 0 || options.num_top + options.num_bottom == 0) {
    refuse(fmt::format("num_top = {} and num_bottom = {} ask for nothing; at least one must be > 0",
                       options.num_top, options.num_bottom));
  }
  if (!(options.tolerance > 0)) {
    refuse(fmt::format("tolerance is {}, it must be > 0", options.tolerance));
  }
  if (!(options.tolerance_floor >= 0)) refuse("tolerance_floor must be >= 0");
  if (options.block_size < 1) {
    refuse(fmt::format("block_size is {}, it must be >= 1", options.block_size));
  }
  if (options.num_beyond < 0 || !(options.beyond_tolerance > 0)) {
    refuse("num_beyond must be >= 0, beyond_tolerance > 0");
  }
  if (options.max_basis < 0 || options.max_products < 1 || options.verification_products < 0) {
    refuse("max_basis and verification_products must be >= 0, max_products >= 1");
  }
  if (static_cast<std::int64_t>(options.warm_start.size()) % n != 0) {
    throw Error(ErrorKind::shape, fmt::format("lanczos: warm_start has {} entries, not a multiple "
                                              "of the dimension {}",
                                              options.warm_start.size(), n));
  }
  top = std::min(options.num_top, n);
  bottom = std::min(options.num_bottom, n);
  wanted = std::min(top + bottom, n);
  beyond = std::min(options.num_beyond, n - wanted);
  block = std::min(options.block_size, n);
  warm = static_cast<std::int64_t>(options.warm_start.size()) / n;
  basis = options.max_basis > 0 ? options.max_basis : std::max<std::int64_t>(2 * wanted + 20, 60);
  // Less than this leaves a restart no room to work in.
  basis = std::min(n, std::max({basis, wanted + beyond + 2 * block + 1}));
  max_pending = block + max_verifications;
}

std::int64_t lanczos_bytes(std::int64_t n, const LanczosOptions& options) {
  const LanczosPlan p(n, options);
  const std::int64_t returned = options.vectors ? p.top + p.bottom : 0;
  return 8 * n * (p.basis + p.max_pending + returned);
}

}  // namespace kappa
