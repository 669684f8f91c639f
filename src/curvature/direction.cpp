#include <cmath>
#include <vector>

#include "curvature/checks.h"
#include "curvature/tall.h"
#include "kappa/curvature.h"

namespace kappa {

DirectionAnalysis direction(const SymmetricOperator& a, std::span<const double> d,
                            const KnownSpectrum& spectrum) {
  require_dimension("direction", a);
  const std::int64_t n = a.dimension();
  require_length("direction", "d", d.size(), n);
  if (!all_finite(n, d.data())) throw Error(ErrorKind::value, "direction: d is not finite");
  DirectionAnalysis out;
  out.norm = tall_norm(n, d.data());
  std::vector<double> product(d.size());
  a.apply(1, d.data(), product.data());
  out.quadratic = tall_dot(n, d.data(), product.data());
  out.product_norm = tall_norm(n, product.data());
  out.finite = std::isfinite(out.quadratic) && std::isfinite(out.product_norm);
  if (out.norm == 0) return out;
  out.curvature = out.quadratic / out.norm / out.norm;
  const auto k = static_cast<std::int64_t>(spectrum.vectors.size()) / n;
  if (k == 0) return out;
  out.weights.resize(static_cast<std::size_t>(k));
  tall_gram(n, k, spectrum.vectors.data(), 1, d.data(), out.weights.data(), k);
  double sum = 0;
  for (double& weight : out.weights) {
    weight = (weight / out.norm) * (weight / out.norm);
    sum += weight;
  }
  out.remainder = std::max(0.0, 1 - sum);
  return out;
}

}  // namespace kappa
