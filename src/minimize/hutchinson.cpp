#include "minimize/hutchinson.h"

#include "base/random.h"

namespace kappa {

void hutchinson_diagonal(const Evaluator::Curvature& curvature, CurvatureKind kind,
                         std::uint64_t seed, std::uint64_t stream, std::int64_t num_probes,
                         Vector& diagonal) {
  const bool gauss_newton =
      kind == CurvatureKind::gauss_newton ||
      (kind == CurvatureKind::gauss_newton_if_any && curvature.linearization().has_gauss_newton());
  Random random(seed, stream ^ 0xd1a6u);
  const std::size_t n = diagonal.size();
  Vector probe(n), product(n);
  std::fill(diagonal.begin(), diagonal.end(), 0.0);
  for (std::int64_t k = 0; k < num_probes; ++k) {
    random.fill_signs(static_cast<std::int64_t>(n), probe.data());
    if (gauss_newton) {
      curvature.gauss_newton_product(probe.data(), product.data());
    } else {
      curvature.hessian_product(probe.data(), product.data());
    }
    for (std::size_t i = 0; i < n; ++i) {
      diagonal[i] += probe[i] * product[i] / static_cast<double>(num_probes);
    }
  }
}

bool observe_minibatch(Evaluator& evaluator, Iterate& iterate, std::int64_t index,
                       CurvatureKind kind, std::int64_t num_probes, Vector* diagonal) {
  const auto batch = evaluator.minibatches().batch(index);
  if (diagonal == nullptr) {
    iterate.value = evaluator.gradient(iterate.w.data(), iterate.gradient.data(), batch);
    return iterate.finite();
  }
  const auto curvature = evaluator.linearize(iterate.w.data(), batch);
  iterate.value = curvature.value();
  iterate.gradient.assign(curvature.gradient().begin(), curvature.gradient().end());
  diagonal->resize(iterate.w.size());
  hutchinson_diagonal(curvature, kind, evaluator.seed(), static_cast<std::uint64_t>(index),
                      num_probes, *diagonal);
  return iterate.finite() && all_finite(*diagonal);
}

}  // namespace kappa
