// Residuals of a least-squares objective, their Jacobian, and the model's outputs.

#include <algorithm>

#include "function/objective_impl.h"
#include "kappa/error.h"
#include "transform/derivatives.h"

namespace kappa {
namespace {

// Runs a plan over all samples, micro-batch by micro-batch, and calls take(first sample, samples of
// the micro-batch that are not filled up, the plan's outputs). Without data: once, for one sample.
template <class Impl, class Take>
void for_each_batch(const Impl& impl, const Plan& plan, std::int64_t batch, const double* w,
                    Take take) {
  const Batches batches(impl.parts.samples.get(), {}, std::max<std::int64_t>(batch, 1),
                        impl.dtype());
  const Program& program = plan.program();
  const Block parameters = typed_parameters(impl.parts.parameters, impl.dtype(), w);
  const std::size_t data_inputs = program.inputs.size() - parameters.size();  // no weights
  const Block data(batches.types());
  std::vector<Type> types;
  for (std::size_t i = 0; i < program.outputs.size(); ++i) types.push_back(program.output_type(i));
  const Block output(types);
  std::vector<const void*> inputs;
  for (std::size_t i = 0; i < parameters.size(); ++i) inputs.push_back(parameters[i]);
  for (std::size_t i = 0; i < data_inputs; ++i) inputs.push_back(data[i]);
  std::vector<void*> outputs;
  for (std::size_t i = 0; i < types.size(); ++i) outputs.push_back(output[i]);
  Worker worker;
  for (std::int64_t b = 0; b < batches.count(); ++b) {
    batches.fill(b, data);
    plan.run(inputs.data(), outputs.data(), worker.reserve(plan.workspace_bytes()));
    const std::int64_t first = b * batch;
    take(first, impl.has_data() ? std::min(batch, batches.num_samples() - first) : 1, outputs);
  }
}

void widen(const void* from, DType dtype, std::int64_t count, double* to) {
  if (dtype == DType::f32) {
    std::copy_n(static_cast<const float*>(from), count, to);
  } else {
    std::copy_n(static_cast<const double*>(from), count, to);
  }
}

}  // namespace

std::int64_t Objective::num_residuals() const { return impl_->parts.num_residuals; }
double Objective::residual_scale() const {
  const bool mean = impl_->has_data() && impl_->parts.mean;
  return impl_->parts.residual_scale * (mean ? 1.0 / static_cast<double>(num_samples()) : 1.0);
}

void Objective::residuals(const double* w, double* residuals) const {
  Impl& impl = *impl_;
  if (!impl.parts.residuals) return Problem::residuals(w, residuals);
  const std::int64_t batch = impl.batch_of({});
  const Plan& plan =
      impl.plan(&Compiled::residuals, batch, [&] { return impl.parts.residuals(batch); });
  const Type type = plan.program().output_type(0);
  const std::int64_t each = num_elements(type.shape) / std::max<std::int64_t>(batch, 1);
  for_each_batch(impl, plan, batch, w,
                 [&](std::int64_t first, std::int64_t count, const std::vector<void*>& outputs) {
                   widen(outputs[0], type.dtype, count * each, residuals + first * each);
                 });
}

void Objective::residual_jacobian(const double* w, double* residuals, double* jacobian) const {
  Impl& impl = *impl_;
  if (!impl.parts.residuals) return Problem::residual_jacobian(w, residuals, jacobian);
  const std::int64_t batch = impl.batch_of({});
  const Plan& plan = impl.plan(&Compiled::residual_jacobian, batch, [&] {
    const Program program = impl.parts.residuals(batch);
    return kappa::jacobian(program, impl.flags_for(program));
  });
  this->residuals(w, residuals);
  const std::int64_t n = impl.dimension;
  for_each_batch(impl, plan, batch, w,
                 [&](std::int64_t first, std::int64_t count, const std::vector<void*>& outputs) {
                   const std::int64_t rows = impl.has_data() ? count : num_residuals();
                   std::size_t index = 0;
                   for (const Parameter& p : impl.parts.parameters.list()) {
                     if (!p.varies) continue;
                     const std::int64_t width = num_elements(p.shape);
                     const auto* from = static_cast<const std::byte*>(outputs[index++]);
                     for (std::int64_t r = 0; r < rows; ++r) {
                       widen(from + r * width * size_of(impl.dtype()), impl.dtype(), width,
                             jacobian + (first + r) * n + p.offset);
                     }
                   }
                 });
}

std::vector<double> Objective::outputs(const double* w, std::int64_t& width) const {
  Impl& impl = *impl_;
  if (!impl.parts.model) {
    throw Error(ErrorKind::unsupported, "the objective has no model whose outputs could be given");
  }
  const std::int64_t batch = impl.batch_of({});
  const auto& outputs_of = impl.parts.outputs ? impl.parts.outputs : impl.parts.model;
  const Plan& plan = impl.plan(&Compiled::outputs, batch, [&] { return outputs_of(batch); });
  const Type type = plan.program().output_type(0);
  width = num_elements(type.shape) / std::max<std::int64_t>(batch, 1);
  std::vector<double> result(
      static_cast<std::size_t>(std::max<std::int64_t>(num_samples(), 1) * width));
  for_each_batch(impl, plan, batch, w,
                 [&](std::int64_t first, std::int64_t count, const std::vector<void*>& outputs) {
                   widen(outputs[0], type.dtype, count * width, result.data() + first * width);
                 });
  return result;
}

}  // namespace kappa
