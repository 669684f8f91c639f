#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "kappa/export.h"
#include "kappa/operator.h"

namespace kappa {

/// What is known of a problem's second derivative at one point. Holds what it needs of the point;
/// valid after the point's memory is gone, not after the problem is.
class KAPPA_EXPORT Linearization {
 public:
  virtual ~Linearization() = default;
  /// n, the number of parameters.
  [[nodiscard]] virtual std::int64_t dimension() const = 0;

  /// f at the point.
  [[nodiscard]] virtual double value() const = 0;
  /// The gradient at the point, n entries.
  [[nodiscard]] virtual std::span<const double> gradient() const = 0;

  /// products(:, j) = H directions(:, j); blocks as in SymmetricOperator::apply.
  virtual void hessian_product(std::int64_t num_directions, const double* directions,
                               double* products) const = 0;

  /// products(:, j) = G directions(:, j), G the Gauss-Newton matrix J' H_loss J (plus the Hessian
  /// of the penalty). Throws Error(unsupported) where has_gauss_newton() is false.
  virtual void gauss_newton_product(std::int64_t num_directions, const double* directions,
                                    double* products) const = 0;
  /// Whether the problem has a Gauss-Newton matrix.
  [[nodiscard]] virtual bool has_gauss_newton() const = 0;
};

/// A function f: R^n -> R that can be minimised: value, gradient and curvature products, on all of
/// its data or on some of the samples. Every method of kappa::minimize sees only this.
///
/// `samples` are indices of samples (a mini-batch: f is then the mean over those samples plus the
/// penalty); empty means all. A problem without data ignores it. Const calls are safe from several
/// threads.
class KAPPA_EXPORT Problem {
 public:
  /// Indices of samples; empty means all.
  using Samples = std::span<const std::int64_t>;
  virtual ~Problem() = default;

  /// n, the number of parameters.
  [[nodiscard]] virtual std::int64_t dimension() const = 0;
  /// N, the number of samples the mean (or sum) runs over; 0 for a problem without data.
  [[nodiscard]] virtual std::int64_t num_samples() const { return 0; }
  /// Name of parameter i for reports, e.g. "b1" or "layers.0.weight[3,17]".
  [[nodiscard]] virtual std::string parameter_name(std::int64_t index) const;

  /// f(w). May be NaN or infinite where the function is; never throws for that.
  [[nodiscard]] virtual double value(const double* w, Samples samples = {}) const = 0;
  /// Returns f(w) and writes its gradient, n entries.
  virtual double gradient(const double* w, double* gradient, Samples samples = {}) const = 0;
  /// Everything that curvature products at w share, done once.
  [[nodiscard]] virtual std::unique_ptr<Linearization> linearize(const double* w,
                                                                 Samples samples = {}) const = 0;

  /// Writes the dense n x n Hessian (symmetric, so the order of storage does not matter).
  /// Default: n Hessian products with unit directions, in blocks.
  virtual void hessian(const double* w, double* hessian) const;

  /// m where f(w) = scale * sum of squares of m residuals; 0 where it is not a least-squares
  /// problem.
  [[nodiscard]] virtual std::int64_t num_residuals() const { return 0; }
  /// scale of the above: 1 for `sum`, 1/N for `mean`.
  [[nodiscard]] virtual double residual_scale() const { return 1; }
  /// Writes r(w), m entries. Throws Error(unsupported) unless num_residuals() > 0.
  virtual void residuals(const double* w, double* residuals) const;
  /// Writes r(w) and its Jacobian, m x n row-major.
  virtual void residual_jacobian(const double* w, double* residuals, double* jacobian) const;
};

/// The Hessian (or Gauss-Newton matrix) of a linearization, as an operator.
class KAPPA_EXPORT CurvatureOperator final : public SymmetricOperator {
 public:
  /// Which matrix.
  enum class Kind { hessian, gauss_newton };
  /// Keeps a reference to the linearization.
  explicit CurvatureOperator(const Linearization& linearization, Kind kind = Kind::hessian)
      : linearization_(linearization), kind_(kind) {}
  [[nodiscard]] std::int64_t dimension() const override { return linearization_.dimension(); }
  void apply(std::int64_t num_directions, const double* directions,
             double* products) const override {
    if (kind_ == Kind::hessian) {
      linearization_.hessian_product(num_directions, directions, products);
    } else {
      linearization_.gauss_newton_product(num_directions, directions, products);
    }
  }

 private:
  const Linearization& linearization_;
  Kind kind_;
};

}  // namespace kappa
