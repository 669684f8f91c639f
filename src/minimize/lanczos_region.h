#pragma once

#include <cstdint>

#include "minimize/krylov.h"

namespace kappa {

/// The generalised Lanczos trust-region method (Gould, Lucidi, Roma & Toint, SIAM J. Optim. 9(2)
/// 1999): the minimiser of g's + s'Hs/2 over |s| <= radius within the Krylov space of g, exact at
/// every size of the space; where truncated conjugate gradients stop at the boundary, this goes on
/// along it. The space is kept: a smaller radius costs no further product. Memory: n a product.
class LanczosRegion {
 public:
  /// The space grows until |(H + shift) s + g| <= residual, to max_products vectors at most.
  LanczosRegion(Krylov::Apply apply, std::span<const double> gradient, double residual,
                std::int64_t max_products)
      : krylov_(std::move(apply), gradient), residual_(residual), max_products_(max_products) {}

  struct Step {
    Vector s;
    double length = 0;
    double decrease = 0;  ///< of the model
    double shift = 0;     ///< multiplier of the boundary
    double lowest = 0;    ///< smallest Ritz value
    bool finite = false;  ///< false where a product was not
  };
  /// A gradient with nothing along the lowest eigenvector (the hard case) is not seen through: the
  /// step is then the best of the invariant space that holds g.
  Step solve(double radius);

  [[nodiscard]] std::int64_t num_products() const {
    return static_cast<std::int64_t>(krylov_.size());
  }

 private:
  Krylov krylov_;
  double residual_;
  std::int64_t max_products_;
};

}  // namespace kappa
