#pragma once

#include <cstdint>
#include <functional>

#include "minimize/vectors.h"

namespace kappa {

/// The Lanczos process for a symmetric operator: an orthonormal basis Q of the Krylov space of a
/// starting vector and the tridiagonal T = Q' A Q, fully reorthogonalised (twice is enough; Parlett
/// 1998, section 6.9). Memory: one vector of n a step.
class Krylov {
 public:
  using Apply = std::function<void(const double* direction, double* product)>;

  /// Starts from b (not zero); |b| is kept as beta0.
  Krylov(Apply apply, std::span<const double> start);

  /// Adds one basis vector and its row of T; false at breakdown (the space is invariant: T is then
  /// exact and may not grow). Cost: one product and 4 k n flops.
  bool extend();

  [[nodiscard]] std::size_t size() const { return diagonal_.size(); }
  [[nodiscard]] double start_norm() const { return start_norm_; }
  [[nodiscard]] const Vector& diagonal() const { return diagonal_; }
  /// Off-diagonal of T; its last entry (index size() - 1) is the residual norm of the process.
  [[nodiscard]] const Vector& off_diagonal() const { return off_diagonal_; }

  /// Q y
  [[nodiscard]] Vector combine(std::span<const double> y) const;

 private:
  Apply apply_;
  std::vector<Vector> basis_;
  Vector next_, diagonal_, off_diagonal_;
  double start_norm_;
  bool exhausted_ = false;
};

/// Both ends of the spectrum by Lanczos from a random start: Ritz values with their residuals.
struct SpectrumEnds {
  double largest = 0, smallest = 0;
  double largest_residual = 0, smallest_residual = 0;
  Vector smallest_vector;  ///< unit Ritz vector of the smallest
  std::size_t num_products = 0;
};

/// Runs until both residuals are below tolerance * max |Ritz value|, or max_steps products.
SpectrumEnds spectrum_ends(const Krylov::Apply& apply, std::size_t n, std::uint64_t seed,
                           std::size_t max_steps, double tolerance, bool need_smallest = true);

}  // namespace kappa
