#include "primitives/vector_math.h"

#include <cmath>

#include "primitives/elementwise.h"

namespace kappa {

TileFunction sqrt_tile(DType t) {
  return scalar_tile([](auto x) { return std::sqrt(x); }, t);
}
TileFunction relu_tile(DType t) {
  return scalar_tile([](auto x) { return x < 0 ? 0 : x; }, t);
}
TileFunction exp_tile(DType t) {
  return scalar_tile([](auto x) { return std::exp(x); }, t);
}
TileFunction expm1_tile(DType t) {
  return scalar_tile([](auto x) { return std::expm1(x); }, t);
}
TileFunction log_tile(DType t) {
  return scalar_tile([](auto x) { return std::log(x); }, t);
}
TileFunction log1p_tile(DType t) {
  return scalar_tile([](auto x) { return std::log1p(x); }, t);
}
TileFunction tanh_tile(DType t) {
  return scalar_tile([](auto x) { return std::tanh(x); }, t);
}
TileFunction sigmoid_tile(DType t) {
  return scalar_tile([](auto x) { return 1 / (1 + std::exp(-x)); }, t);
}
TileFunction softplus_tile(DType t) {
  return scalar_tile(
      [](auto x) { return x > 0 ? x + std::log1p(std::exp(-x)) : std::log1p(std::exp(x)); }, t);
}
TileFunction erf_tile(DType t) {
  return scalar_tile([](auto x) { return std::erf(x); }, t);
}

}  // namespace kappa
