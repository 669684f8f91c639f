#include "minimize/lanczos_region.h"

#include <algorithm>

#include "minimize/dense_algebra.h"
#include "minimize/secular.h"

namespace kappa {

LanczosRegion::Step LanczosRegion::solve(double radius) {
  Step step;
  bool grows = true;
  // The tridiagonal problem costs k^3: it is solved as the space grows by a fifth.
  std::int64_t next = std::max<std::int64_t>(num_products(), 1);
  for (;;) {
    while (grows && num_products() < std::min(next, max_products_)) grows = krylov_.extend();
    if (num_products() == 0 || !std::isfinite(krylov_.off_diagonal().back())) return step;
    const SymmetricEigen eigen = tridiagonal_eigen(krylov_.diagonal(), krylov_.off_diagonal());
    if (!eigen.converged) return step;
    const TrustRegionStep best = solve_trust_region(
        eigen.values, krylov_.start_norm() * eigen.vectors.row(0).transpose(), radius);
    const Eigen::VectorXd y = eigen.vectors * best.y;
    const double residual = krylov_.off_diagonal().back() * std::fabs(y(y.size() - 1));
    grows = grows && krylov_.off_diagonal().back() > 0;
    if (residual <= residual_ || !grows || num_products() >= max_products_) {
      step.s = krylov_.combine({y.data(), static_cast<std::size_t>(y.size())});
      step.length = y.norm();
      step.decrease = best.decrease;
      step.shift = best.shift;
      step.lowest = eigen.values(0);
      step.finite = y.allFinite();
      return step;
    }
    next += std::max<std::int64_t>(1, next / 5);
  }
}

}  // namespace kappa
