#include "minimize/hutchinson.h"

namespace kappa {

void hutchinson_diagonal(const Evaluator::Curvature& curvature, CurvatureKind kind,
                         std::uint64_t seed, std::uint64_t stream, std::int64_t num_probes,
                         Vector& diagonal) {
  SplitMix random(seed, stream ^ 0xd1a6u);
  const std::size_t n = diagonal.size();
  Vector probe(n), product(n);
  std::fill(diagonal.begin(), diagonal.end(), 0.0);
  for (std::int64_t k = 0; k < num_probes; ++k) {
    for (double& z : probe) z = random.sign();
    if (kind == CurvatureKind::hessian) {
      curvature.hessian_product(probe.data(), product.data());
    } else {
      curvature.gauss_newton_product(probe.data(), product.data());
    }
    for (std::size_t i = 0; i < n; ++i) {
      diagonal[i] += probe[i] * product[i] / static_cast<double>(num_probes);
    }
  }
}

}  // namespace kappa
