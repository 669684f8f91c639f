#include "minimize/steihaug.h"

#include <algorithm>

namespace kappa {
namespace {

// step += a direction, then direction = b direction - rest, in one pass over memory.
void advance(double a, double b, std::span<const double> rest, std::span<double> direction,
             std::span<double> step) {
  double* d = direction.data();
  double* s = step.data();
  const double* r = rest.data();
  for (std::size_t i = 0; i < step.size(); ++i) {
    s[i] += a * d[i];
    d[i] = b * d[i] - r[i];
  }
}

}  // namespace

const TruncatedStep& TruncatedConjugateGradients::solve(const Evaluator::Curvature& curvature,
                                                        std::span<const double> gradient,
                                                        double residual, double radius,
                                                        bool through, std::int64_t max_products) {
  const std::size_t n = gradient.size();
  model_ = {.step = std::move(model_.step), .boundary_step = std::move(model_.boundary_step)};
  model_.step.assign(n, 0.0);
  rest_.assign(gradient.begin(), gradient.end());
  direction_.resize(n);
  product_.resize(n);
  for (std::size_t i = 0; i < n; ++i) direction_[i] = -gradient[i];
  double square = dot(rest_, rest_);
  // |s|^2, s'd and |d|^2 by their recurrences (Conn, Gould & Toint 2000, section 7.5.1), which hold
  // because the residual is orthogonal to s and d.
  double step_square = 0, along = 0, length_square = square;
  while (model_.products < max_products) {
    curvature.hessian_product(direction_.data(), product_.data());
    ++model_.products;
    const double bend = dot(direction_, product_);
    if (!std::isfinite(bend)) break;
    model_.lowest = std::min(model_.lowest, bend / length_square);
    model_.convex = bend > 0;
    const double a = bend > 0 ? square / bend : INFINITY;
    const double next_square = step_square + 2 * a * along + a * a * length_square;
    if (!model_.crossed && (!model_.convex || next_square >= radius * radius)) {
      cross(radius, square, bend);
    }
    if (!model_.convex || (model_.crossed && !through)) break;
    model_.decrease += 0.5 * a * square;
    const double new_square = axpy_dot(a, product_, rest_, rest_);
    if (std::sqrt(new_square) <= residual || model_.products == max_products) {
      axpy(a, direction_, model_.step);
      break;
    }
    const double b = new_square / square;
    advance(a, b, rest_, direction_, model_.step);
    step_square = next_square;
    along = b * (along + a * length_square);
    length_square = new_square + b * b * length_square;
    square = new_square;
  }
  return model_;
}

// The boundary step s + t d with |s + t d| = radius, t > 0.
void TruncatedConjugateGradients::cross(double radius, double square, double bend) {
  const double along = dot(model_.step, direction_);
  const double length_square = dot(direction_, direction_);
  const double gap = std::max(radius * radius - dot(model_.step, model_.step), 0.0);
  const double root = std::sqrt(along * along + length_square * gap);
  const double t = along > 0 ? gap / (along + root) : (root - along) / length_square;
  model_.crossed = true;
  model_.boundary_decrease = model_.decrease + t * square - 0.5 * t * t * bend;
  model_.boundary_step = model_.step;
  axpy(t, direction_, model_.boundary_step);
}

}  // namespace kappa
