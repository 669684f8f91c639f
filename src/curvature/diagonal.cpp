#include <algorithm>
#include <cmath>
#include <vector>

#include "base/random.h"
#include "curvature/checks.h"
#include "kappa/curvature.h"

namespace kappa {

DiagonalEstimate diagonal(const SymmetricOperator& a, const DiagonalOptions& options) {
  require_dimension("diagonal", a);
  require("diagonal", options.num_probes >= 1, "num_probes must be >= 1");
  require("diagonal", options.block_size >= 1, "block_size must be >= 1");
  const std::int64_t n = a.dimension();
  const auto size = static_cast<std::size_t>(n);
  DiagonalEstimate out;
  out.value.assign(size, 0);
  std::vector<double> squares(size, 0);  // sums of squared deviations (Welford)
  const std::int64_t block = std::min(options.block_size, options.num_probes);
  std::vector<double> z(size * static_cast<std::size_t>(block)), az(z.size());
  while (out.num_probes < options.num_probes) {
    const std::int64_t k = std::min(block, options.num_probes - out.num_probes);
    for (std::int64_t j = 0; j < k; ++j) {
      Random(options.seed, static_cast<std::uint64_t>(out.num_probes + j))
          .fill_signs(n, z.data() + j * n);
    }
    a.apply(k, z.data(), az.data());
    out.num_products += k;
    if (!all_finite(k * n, az.data())) {
      out.status = CurvatureStatus::non_finite;
      break;
    }
    for (std::int64_t j = 0; j < k; ++j) {
      ++out.num_probes;
      const double share = 1 / static_cast<double>(out.num_probes);
      const double* zj = z.data() + j * n;
      const double* azj = az.data() + j * n;
      for (std::size_t i = 0; i < size; ++i) {
        const double sample = zj[i] * azj[i];
        const double delta = sample - out.value[i];
        out.value[i] += delta * share;
        squares[i] += delta * (sample - out.value[i]);
      }
    }
    if (options.progress &&
        !options.progress({"diagonal", out.num_probes, options.num_probes, ""})) {
      out.status = CurvatureStatus::stopped;
      break;
    }
  }
  if (out.num_probes > 1) {
    const auto count = static_cast<double>(out.num_probes);
    out.standard_error.resize(size);
    for (std::size_t i = 0; i < size; ++i) {
      out.standard_error[i] = std::sqrt(squares[i] / (count - 1) / count);
    }
  }
  return out;
}

}  // namespace kappa
