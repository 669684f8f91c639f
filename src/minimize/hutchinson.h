#pragma once

#include "minimize/evaluator.h"
#include "minimize/random.h"
#include "minimize/vectors.h"

namespace kappa {

enum class CurvatureKind { hessian, gauss_newton };

/// diagonal = mean over probes z of z o (A z), z of random signs: an unbiased estimate of diag(A)
/// whose variance is the squares off the diagonal (Bekas, Kokiopoulou & Saad 2007). A is the
/// Hessian or the Gauss-Newton matrix. Cost: one product a probe. The signs depend on seed and
/// stream alone.
void hutchinson_diagonal(const Evaluator::Curvature& curvature, CurvatureKind kind,
                         std::uint64_t seed, std::uint64_t stream, std::int64_t num_probes,
                         Vector& diagonal);

}  // namespace kappa
