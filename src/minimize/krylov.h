#pragma once

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

}  // namespace kappa
