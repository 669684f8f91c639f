#include "primitives/axes.h"

namespace kappa {

// Both are compositions: their derivatives are those of what they are made of.

Array dot(const Array& a, const Array& b) {
  const Array operands[] = {a, b};
  const std::vector<Array> pair = unify(operands, "dot");
  return sum(pair[0] * pair[1]);
}

Array norm(const Array& x) {
  const Array number = is_floating(x.dtype()) ? x : convert(x, DType::f64);
  const Array squares = dot(number, number);
  // sqrt is kept away from 0, where its derivative is infinite and 0 times that no number.
  const Array zero = equal(squares, 0.0);
  return where(zero, 0.0, sqrt(where(zero, 1.0, squares)));
}

}  // namespace kappa
