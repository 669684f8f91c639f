#pragma once

#include "minimize/method.h"
#include "minimize/vectors.h"

namespace kappa {

enum class CurvatureKind {
  hessian,
  gauss_newton,
  gauss_newton_if_any  ///< the Hessian where there is none
};

/// diagonal = mean over probes z of z o (A z), z of random signs: an unbiased estimate of diag(A)
/// whose variance is the squares off the diagonal (Bekas, Kokiopoulou & Saad 2007). A is the
/// Hessian or the Gauss-Newton matrix. Cost: one product a probe. The signs depend on seed and
/// stream alone.
void hutchinson_diagonal(const Evaluator::Curvature& curvature, CurvatureKind kind,
                         std::uint64_t seed, std::uint64_t stream, std::int64_t num_probes,
                         Vector& diagonal);

/// Value and gradient of mini-batch `index` into the iterate and, if `diagonal` is not null, a
/// Hutchinson estimate of its curvature's diagonal from the same linearization. False where
/// something of it is not finite.
bool observe_minibatch(Evaluator& evaluator, Iterate& iterate, std::int64_t index,
                       CurvatureKind kind = CurvatureKind::hessian, std::int64_t num_probes = 1,
                       Vector* diagonal = nullptr);

}  // namespace kappa
