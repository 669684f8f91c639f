#pragma once

#include <cstdint>

#include "kappa/export.h"

namespace kappa {

/// A real symmetric linear operator A of order n, known only by its products.
///
/// A user's own operator is these two functions. Vectors are double precision; a block of k
/// directions is stored one direction after another (column-major n x k), so direction j starts at
/// `directions + j * dimension()`.
class KAPPA_EXPORT SymmetricOperator {
 public:
  virtual ~SymmetricOperator() = default;

  /// n, the order of A.
  [[nodiscard]] virtual std::int64_t dimension() const = 0;

  /// products(:, j) = A directions(:, j) for j < num_directions. The two ranges do not overlap.
  virtual void apply(std::int64_t num_directions, const double* directions,
                     double* products) const = 0;
};

}  // namespace kappa
