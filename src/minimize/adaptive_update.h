#pragma once

#include <cstddef>

namespace kappa {

/// The numbers of one update of the Adam family, bias corrections included.
struct AdaptiveUpdate {
  double rate = 0;
  double first_decay = 0, second_decay = 0;            ///< b1 (0: no mean is kept) and b2
  double first_correction = 1, second_correction = 1;  ///< c1 and c2
  double epsilon = 0;
  double decoupled_decay = 0;
};

/// m <- b1 m + (1-b1) g,  v <- b2 v + (1-b2) g^2,
/// w <- w - rate (c1 m / (sqrt(c2 v) + epsilon) + decay w), in one pass over memory; m may be null
/// for b1 = 0, where it is g. Returns the square of the step's norm.
double adaptive_update(const AdaptiveUpdate& rule, std::size_t n, const double* g, double* m,
                       double* v, double* w);

}  // namespace kappa
