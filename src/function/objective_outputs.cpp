// Residuals of a least-squares objective, their Jacobian, and the model's outputs.

#include <algorithm>

#include "function/objective_impl.h"
#include "kappa/error.h"
#include "transform/derivatives.h"

namespace kappa {
namespace {

std::vector<Type> output_types(const Program& program) {
  std::vector<Type> types;
  for (std::size_t i = 0; i < program.outputs.size(); ++i) types.push_back(program.output_type(i));
  return types;
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
  const Batches batches(impl.parts.samples.get(), {}, std::max<std::int64_t>(batch, 1),
                        impl.dtype());
  const Block parameters = typed_parameters(impl.parts.parameters, impl.dtype(), w);
  Block data(batches.types());
  const Type type = plan.program().output_type(0);
  Block output({type});
  Worker worker;
  const std::int64_t per_sample = impl.has_data() ? num_elements(type.shape) / batch : 0;
  std::int64_t done = 0;
  for (std::int64_t b = 0; b < batches.count(); ++b) {
    batches.fill(b, data);
    std::vector<const void*> inputs;
    for (std::size_t i = 0; i < parameters.size(); ++i) inputs.push_back(parameters[i]);
    for (std::size_t i = 0; i + 1 < data.size(); ++i) inputs.push_back(data[i]);
    void* target = output[0];
    plan.run(inputs.data(), &target, worker.reserve(plan.workspace_bytes()));
    const std::int64_t count = impl.has_data()
                                   ? std::min(batch, num_samples() - b * batch) * per_sample
                                   : num_elements(type.shape);
    for (std::int64_t i = 0; i < count; ++i) {
      residuals[done++] = type.dtype == DType::f32
                              ? static_cast<double>(static_cast<float*>(target)[i])
                              : static_cast<double*>(target)[i];
    }
  }
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
  const Batches batches(impl.parts.samples.get(), {}, std::max<std::int64_t>(batch, 1),
                        impl.dtype());
  const Block parameters = typed_parameters(impl.parts.parameters, impl.dtype(), w);
  Block data(batches.types());
  const std::vector<Type> types = output_types(plan.program());
  Block output(types);
  Worker worker;
  const std::int64_t n = impl.dimension;
  std::int64_t row = 0;
  for (std::int64_t b = 0; b < batches.count(); ++b) {
    batches.fill(b, data);
    std::vector<const void*> inputs;
    for (std::size_t i = 0; i < parameters.size(); ++i) inputs.push_back(parameters[i]);
    for (std::size_t i = 0; i + 1 < data.size(); ++i) inputs.push_back(data[i]);
    std::vector<void*> targets;
    for (std::size_t i = 0; i < types.size(); ++i) targets.push_back(output[i]);
    plan.run(inputs.data(), targets.data(), worker.reserve(plan.workspace_bytes()));
    const std::int64_t rows =
        impl.has_data() ? std::min(batch, num_samples() - b * batch) : num_residuals();
    std::size_t index = 0;
    for (const Parameter& p : impl.parts.parameters.list()) {
      if (!p.varies) continue;
      const std::int64_t width = num_elements(p.shape);
      for (std::int64_t r = 0; r < rows; ++r) {
        for (std::int64_t i = 0; i < width; ++i) {
          const std::int64_t from = r * width + i;
          jacobian[(row + r) * n + p.offset + i] =
              impl.dtype() == DType::f32
                  ? static_cast<double>(static_cast<float*>(targets[index])[from])
                  : static_cast<double*>(targets[index])[from];
        }
      }
      ++index;
    }
    row += rows;
  }
}

std::vector<double> Objective::outputs(const double* w, std::int64_t& width) const {
  Impl& impl = *impl_;
  if (!impl.parts.model) {
    throw Error(ErrorKind::unsupported, "the objective has no model whose outputs could be given");
  }
  const std::int64_t batch = impl.batch_of({});
  const auto& outputs_of = impl.parts.outputs ? impl.parts.outputs : impl.parts.model;
  const Plan& plan = impl.plan(&Compiled::outputs, batch, [&] { return outputs_of(batch); });
  const Batches batches(impl.parts.samples.get(), {}, std::max<std::int64_t>(batch, 1),
                        impl.dtype());
  const Block parameters = typed_parameters(impl.parts.parameters, impl.dtype(), w);
  Block data(batches.types());
  const Type type = plan.program().output_type(0);
  Block output({type});
  Worker worker;
  const std::size_t model_inputs = plan.program().inputs.size() - parameters.size();
  const std::int64_t samples = std::max<std::int64_t>(num_samples(), 1);
  width = num_elements(type.shape) / std::max<std::int64_t>(batch, 1);
  std::vector<double> result;
  result.reserve(static_cast<std::size_t>(samples * width));
  for (std::int64_t b = 0; b < batches.count(); ++b) {
    batches.fill(b, data);
    std::vector<const void*> inputs;
    for (std::size_t i = 0; i < parameters.size(); ++i) inputs.push_back(parameters[i]);
    for (std::size_t i = 0; i < model_inputs; ++i) inputs.push_back(data[i]);
    void* target = output[0];
    plan.run(inputs.data(), &target, worker.reserve(plan.workspace_bytes()));
    const std::int64_t count =
        (impl.has_data() ? std::min(batch, num_samples() - b * batch) : 1) * width;
    for (std::int64_t i = 0; i < count; ++i) {
      result.push_back(type.dtype == DType::f32
                           ? static_cast<double>(static_cast<float*>(target)[i])
                           : static_cast<double*>(target)[i]);
    }
  }
  return result;
}

}  // namespace kappa
