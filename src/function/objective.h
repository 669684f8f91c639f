#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/kronecker.h"
#include "function/parameters.h"
#include "function/samples.h"
#include "kappa/problem.h"
#include "program/program.h"

namespace kappa {

/// What an objective is made of. Programs are given for a micro-batch of `batch` samples; their
/// inputs are the parameters, the data inputs, and last the sample weights (batch), which are 1, or
/// 0 for samples that only fill up a micro-batch. Without data there are neither.
struct ObjectiveParts {
  std::string kind;  ///< "formula", "formula-table", "mlp", "onnx"
  std::string text;
  std::string loss_name;
  DType dtype = DType::f64;
  Parameters parameters;
  std::shared_ptr<const SampleSource> samples;  ///< null: no data
  bool mean = true;                             ///< over samples; else the sum
  /// Above 0: micro-batches are of exactly so many samples, which influence each other (batch
  /// normalisation by the batch's own statistics), so that none may be filled up.
  std::int64_t whole_batch = 0;
  double l2 = 0;  ///< adds l2/2 |w|^2

  /// The weighted sum of the samples' terms, a scalar.
  std::function<Program(std::int64_t batch)> total;
  /// Where total = loss(model(...), ...): z from parameters and the first data inputs, and the
  /// weighted sum from z, the other data inputs and the weights. Gives the Gauss-Newton matrix.
  std::function<Program(std::int64_t batch)> model, loss;
  /// The outputs as the model itself gives them, where z is what comes before their last operation
  /// (the logits of a softmax). Inputs as those of `model`.
  std::function<Program(std::int64_t batch)> outputs;
  /// The loss whose curvature is the Fisher matrix, where that is not `loss` itself.
  bool fisher_is_gauss_newton = false;
  /// Where the objective is scale * sum of squares: the residuals, shape (batch) a sample each or
  /// (m) without data, from parameters and data inputs (no weights).
  std::function<Program(std::int64_t batch)> residuals;
  double residual_scale = 1;
  std::int64_t num_residuals = 0;
};

struct ObjectiveOptions {
  int num_threads = 1;
  std::int64_t batch = 0;           ///< samples a micro-batch; 0: chosen
  std::int64_t memory_bytes = 0;    ///< budget for workspaces and residuals; 0: half of free memory
  std::int64_t reserved_bytes = 0;  ///< of the budget, for what else the process needs
};

/// Predicted before work starts.
struct ObjectiveCost {
  std::int64_t num_parameters = 0, num_samples = 0;
  std::int64_t batch = 0, num_batches = 0;
  std::int64_t budget_bytes = 0;
  std::int64_t reserved_bytes = 0;   ///< of the budget, for the rest of the process
  std::int64_t workspace_bytes = 0;  ///< a worker, products of a block of directions
  std::int64_t residual_bytes = 0;   ///< a micro-batch, with its data
  std::int64_t kept_batches = 0;     ///< whose residuals fit in the budget
  int num_workers = 0;               ///< threads whose workspaces fit
  double gradient_flops = 0;         ///< all samples
  double setup_flops = 0;            ///< forward, backward and residuals, all samples
  double product_flops = 0;          ///< one Hessian product with residuals, all samples
};

/// f(w) = (1/N or 1) sum_i term_i(w) + l2/2 |w|^2 on data, or f(w) of a formula alone.
///
/// Samples go through compiled programs a micro-batch at a time, spread over threads; sums over
/// micro-batches are taken in order and in double, so the result has the same bits for any number
/// of threads and any memory budget. Const calls are safe from several threads.
class Objective final : public Problem, public KroneckerSource {
 public:
  /// Throws Error(resource) with figures where not even one worker fits the budget.
  Objective(ObjectiveParts parts, const ObjectiveOptions& options);
  ~Objective() override;

  [[nodiscard]] const ObjectiveParts& parts() const;
  [[nodiscard]] const Parameters& parameters() const { return parts().parameters; }
  [[nodiscard]] ObjectiveCost cost(std::int64_t block = 1) const;
  /// Most directions that `hessian_product` takes at a time; longer blocks are cut.
  [[nodiscard]] static std::int64_t max_block() { return 8; }

  [[nodiscard]] std::int64_t dimension() const override;
  [[nodiscard]] std::int64_t num_samples() const override;
  [[nodiscard]] std::string parameter_name(std::int64_t index) const override;
  [[nodiscard]] double value(const double* w, Samples samples = {}) const override;
  double gradient(const double* w, double* gradient, Samples samples = {}) const override;
  [[nodiscard]] std::unique_ptr<Linearization> linearize(const double* w,
                                                         Samples samples = {}) const override;
  [[nodiscard]] std::int64_t num_residuals() const override;
  [[nodiscard]] double residual_scale() const override;
  void residuals(const double* w, double* residuals) const override;
  void residual_jacobian(const double* w, double* residuals, double* jacobian) const override;

  [[nodiscard]] std::vector<KroneckerBlock> kronecker_blocks(const double* w, Samples samples,
                                                             std::uint64_t seed,
                                                             std::uint64_t stream) const override;

  /// The model's outputs for all samples, row-major, one row a sample; for objectives with a model.
  /// `width` receives the number of outputs a sample.
  [[nodiscard]] std::vector<double> outputs(const double* w, std::int64_t& width) const;

 private:
  friend class ObjectiveLinearization;
  struct Impl;
  std::unique_ptr<Impl> impl_;
  struct Kronecker;
  static std::shared_ptr<Kronecker> make_kronecker();
  std::shared_ptr<Kronecker> kronecker_ = make_kronecker();
};

/// Half of the memory that is free now.
std::int64_t default_memory_budget();

}  // namespace kappa
