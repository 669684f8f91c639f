#include <cmath>
#include <numeric>

#include "base/random.h"
#include "kappa/landscape.h"

namespace kappa {

std::vector<double> random_direction(std::int64_t n, std::uint64_t seed, std::uint64_t stream) {
  std::vector<double> direction(static_cast<std::size_t>(n));
  Random(seed, stream).fill_normal(n, direction.data());
  return direction;
}

void filter_normalize(std::span<const double> w, const std::vector<Filter>& filters,
                      std::span<double> d) {
  const auto length = [](std::span<const double> v) {
    return std::sqrt(std::inner_product(v.begin(), v.end(), v.begin(), 0.0));
  };
  std::vector<double> scaled(d.size(), 0.0);
  for (const Filter& filter : filters) {
    const auto offset = static_cast<std::size_t>(filter.offset);
    const auto size = static_cast<std::size_t>(filter.size);
    const double own = length(d.subspan(offset, size));
    const double scale = own > 0 ? length(w.subspan(offset, size)) / own : 0;
    for (std::size_t i = offset; i < offset + size; ++i) scaled[i] = scale * d[i];
  }
  std::copy(scaled.begin(), scaled.end(), d.begin());
}

}  // namespace kappa
