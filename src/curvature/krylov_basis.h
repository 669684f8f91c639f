#pragma once

#include <Eigen/Dense>
#include <cstdint>
#include <span>

#include "base/random.h"
#include "curvature/tall_storage.h"
#include "kappa/operator.h"

namespace kappa {

/// Ritz pairs of a KrylovBasis: values ascending, vectors in basis coordinates.
struct RitzPairs {
  Eigen::VectorXd values;
  Eigen::MatrixXd vectors;
  /// |C y|: the part of the residual that further products reduce.
  Eigen::VectorXd reducible;
  /// The part they do not: asymmetry of the operator, and what restarts and deflation left out.
  Eigen::VectorXd irreducible;
  [[nodiscard]] double residual(Eigen::Index i) const {
    return std::hypot(reducible(i), irreducible(i));
  }
  /// Of value i: its residual, or the square of that over the gap where a gap to the other Ritz
  /// values is seen. Values whose intervals overlap are one group (Kahan's bound for a subspace,
  /// Parlett 11.5).
  [[nodiscard]] double error_bound(Eigen::Index i) const;
};

/// An orthonormal basis [V P] of which the first `expanded` columns have been multiplied by A and
/// the `pending` rest have not, with A V = V H + P C exactly as the products came back.
///
/// This one invariant covers block Lanczos (as many pending columns as a block), warm starts (more
/// of them), fresh random directions (one more), thick restart (V replaced by Ritz vectors), and
/// makes the residuals of Ritz pairs true whatever the operator's precision.
class KrylovBasis {
 public:
  KrylovBasis(const SymmetricOperator& a, std::int64_t max_expanded, std::int64_t max_pending,
              std::uint64_t seed);

  [[nodiscard]] std::int64_t expanded() const { return expanded_; }
  [[nodiscard]] std::int64_t pending() const { return pending_; }
  [[nodiscard]] std::int64_t columns() const { return expanded_ + pending_; }
  [[nodiscard]] std::int64_t num_products() const { return num_products_; }
  /// Largest |A q| and |Ritz value| seen, a lower estimate of |A|.
  [[nodiscard]] double norm() const { return norm_; }
  /// Largest column of (H - H')/2 seen: the operator's own rounding.
  [[nodiscard]] double noise() const { return noise_; }

  /// Adds a copy of x, made orthonormal to the basis, to the pending columns; false if it lies in
  /// the span already.
  bool add(std::span<const double> x);
  /// Adds `count` random directions, fewer when the whole space is spanned.
  void add_random(std::int64_t count);
  /// Turns the pending columns so that the first carry most of the residuals of `targets` (Ritz
  /// vectors as columns).
  void aim(const Eigen::MatrixXd& targets);
  /// Makes the last pending column the first.
  void bring_last_forward();

  /// Multiplies the first `count` pending columns by A. New directions join the pending ones;
  /// dependent ones are dropped (deflation). False if a product was not finite; the basis is then
  /// as before.
  bool expand(std::int64_t count);

  [[nodiscard]] RitzPairs ritz();
  /// Replaces the expanded columns by the Ritz vectors `keep`; pending ones stay.
  void restart(const RitzPairs& pairs, std::span<const Eigen::Index> keep);
  /// out (n x k) = V y.
  void combine(const Eigen::MatrixXd& y, double* out) const;

 private:
  double* column(std::int64_t j) const { return storage_.data() + j * n_; }
  /// x -= V V'x until nothing is left to remove; returns |x|, adds the coefficients to `sums`.
  double orthogonalize(std::int64_t against, double* x, double* sums) const;
  [[nodiscard]] double breakdown_tolerance() const;

  const SymmetricOperator& a_;
  std::int64_t n_, max_expanded_, max_pending_;
  std::int64_t expanded_ = 0, pending_ = 0, num_products_ = 0;
  double norm_ = 0, noise_ = 0;
  TallStorage storage_;     // n x (max_expanded + max_pending), touched as used
  Eigen::MatrixXd h_;       // rows: all columns; columns: expanded ones
  Eigen::VectorXd defect_;  // norm of what a column's relation leaves out
  Random random_;
};

}  // namespace kappa
