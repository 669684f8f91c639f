#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>

#include "function/cut_hessian.h"
#include "function/pooled_plan.h"
#include "function/sparse_plan.h"
#include "kappa/function.h"
#include "program/program.h"
#include "transform/split.h"

namespace kappa {

/// A program of one input x (n) and one output, () or (m), and what was compiled from it so far.
struct Function::Impl {
  explicit Impl(Program p);

  Program program;
  std::int64_t dimension = 0;
  std::int64_t num_outputs = 1;
  bool scalar = true;

  [[nodiscard]] const PooledPlan& value() const;
  [[nodiscard]] const PooledPlan& gradient() const;
  [[nodiscard]] const PooledPlan& value_and_gradient() const;
  [[nodiscard]] const PooledPlan& product() const;
  [[nodiscard]] const PooledPlan& jacobian() const;

  /// Directions a run of apply_block() takes: as many as keep what is between in the cache.
  [[nodiscard]] std::int64_t block() const { return block_; }
  /// All of a Hessian in one run. Inputs: x, directions (n, n). Output: (n, n).
  [[nodiscard]] const PooledPlan& hessian_block() const;
  /// A Hessian through a cut of the program, where that is much less work; else null.
  [[nodiscard]] const CutHessian* cut_hessian() const;

  /// The product cut at what depends on the direction, for many products at one point.
  [[nodiscard]] const PooledPlan& setup() const;
  [[nodiscard]] const PooledPlan& apply() const;        ///< one direction
  [[nodiscard]] const PooledPlan& apply_block() const;  ///< block() directions
  [[nodiscard]] const Split& split_product() const;

  [[nodiscard]] const SparseHessianPlan& sparse_hessian() const;
  [[nodiscard]] const SparseJacobianPlan& sparse_jacobian() const;

  /// Throws Error(shape) unless scalar.
  void require_scalar(const char* call) const;

 private:
  std::int64_t block_ = 1;
  Lazy<PooledPlan> value_, gradient_, value_and_gradient_, product_, jacobian_, hessian_block_;
  Lazy<std::optional<CutHessian>> cut_hessian_;
  Lazy<Split> split_;
  Lazy<PooledPlan> setup_, apply_, apply_block_;
  Lazy<SparseHessianPlan> sparse_hessian_;
  Lazy<SparseJacobianPlan> sparse_jacobian_;
};

/// Throws Error(shape) unless `size` is `expected`.
void check_length(const char* call, const char* name, std::size_t size, std::int64_t expected);

/// The gradient alone, and v -> H v alone (inputs x, v), as programs.
Program gradient_program(const Program& scalar);
Program product_program(const Program& scalar);

}  // namespace kappa
