#include "minimize/steihaug.h"

#include <algorithm>

namespace kappa {

TruncatedStep truncated_conjugate_gradients(const Evaluator::Curvature& curvature,
                                            std::span<const double> gradient, double residual,
                                            double radius, bool through,
                                            std::int64_t max_products) {
  const std::size_t n = gradient.size();
  TruncatedStep model;
  model.step.assign(n, 0.0);
  Vector rest(gradient.begin(), gradient.end()), direction(n), product(n);
  for (std::size_t i = 0; i < n; ++i) direction[i] = -rest[i];
  double square = dot(rest, rest), step_square = 0;
  while (model.products < max_products) {
    curvature.hessian_product(direction.data(), product.data());
    ++model.products;
    const double bend = dot(direction, product);
    const double length_square = dot(direction, direction);
    const double along = dot(model.step, direction);
    if (!std::isfinite(bend)) break;
    model.lowest = std::min(model.lowest, bend / length_square);
    model.convex = bend > 0;
    const double a = bend > 0 ? square / bend : INFINITY;
    const double next_square = step_square + 2 * a * along + a * a * length_square;
    if (!model.crossed && (!model.convex || next_square >= radius * radius)) {
      // To the boundary: |s + t d| = radius, t > 0.
      const double gap = radius * radius - step_square;
      const double root = std::sqrt(along * along + length_square * gap);
      const double t = along > 0 ? gap / (along + root) : (root - along) / length_square;
      model.crossed = true;
      model.boundary_decrease = model.decrease + t * square - 0.5 * t * t * bend;
      model.boundary_step = model.step;
      axpy(t, direction, model.boundary_step);
    }
    if (!model.convex || (model.crossed && !through)) return model;
    axpy(a, direction, model.step);
    step_square = next_square;
    model.decrease += 0.5 * a * square;
    const double new_square = axpy_dot(a, product, rest, rest);
    if (std::sqrt(new_square) <= residual) break;
    const double b = new_square / square;
    for (std::size_t i = 0; i < n; ++i) direction[i] = b * direction[i] - rest[i];
    square = new_square;
  }
  return model;
}

}  // namespace kappa
