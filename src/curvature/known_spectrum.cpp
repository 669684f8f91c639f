#include <algorithm>
#include <cmath>
#include <limits>

#include "kappa/curvature.h"

namespace kappa {

KnownSpectrum known(const Spectrum& spectrum) {
  KnownSpectrum k;
  k.dimension = static_cast<std::int64_t>(spectrum.values.size());
  k.complete = k.dimension > 0;
  k.values = spectrum.values;
  k.error_bounds.assign(spectrum.values.size(), spectrum.error_bound);
  k.num_top = k.num_bottom = k.dimension;
  k.vectors = spectrum.vectors;
  for (const double value : k.values) k.norm = std::max(k.norm, std::fabs(value));
  k.rounding = spectrum.error_bound;
  return k;
}

KnownSpectrum known(const LanczosResult& result, std::int64_t dimension) {
  KnownSpectrum k;
  k.dimension = dimension;
  k.norm = result.norm;
  const double eps = std::numeric_limits<double>::epsilon();
  k.rounding =
      std::max(result.noise, 10 * eps * std::sqrt(static_cast<double>(dimension)) * result.norm);
  const auto n = static_cast<std::size_t>(dimension);
  const bool vectors = result.top_vectors.size() == n * result.top.size() &&
                       result.bottom_vectors.size() == n * result.bottom.size();
  auto take = [&](const Eigenvalue& pair, const std::vector<double>& from, std::size_t j) {
    k.values.push_back(pair.value);
    k.error_bounds.push_back(std::max(pair.error_bound, k.rounding));
    if (vectors)
      k.vectors.insert(k.vectors.end(), from.begin() + static_cast<std::ptrdiff_t>(j * n),
                       from.begin() + static_cast<std::ptrdiff_t>((j + 1) * n));
  };
  for (std::size_t j = 0; j < result.bottom.size(); ++j) {
    take(result.bottom[j], result.bottom_vectors, j);
  }
  // Where the lists overlap, the least of `top` are pairs that `bottom` has already.
  const auto distinct = static_cast<std::size_t>(result.num_pairs) - result.bottom.size();
  for (std::size_t j = std::min(distinct, result.top.size()); j-- > 0;) {
    take(result.top[j], result.top_vectors, j);
  }
  k.complete = static_cast<std::int64_t>(k.values.size()) == dimension;
  k.num_bottom = k.complete ? dimension : static_cast<std::int64_t>(result.bottom.size());
  k.num_top = k.complete ? dimension : static_cast<std::int64_t>(result.top.size());
  return k;
}

}  // namespace kappa
