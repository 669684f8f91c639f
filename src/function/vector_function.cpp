#include "function/vector_function.h"

#include "function/batches.h"
#include "runtime/plan.h"
#include "transform/derivatives.h"

namespace kappa {
namespace {

// Runs a program of the parameters once; outputs as doubles.
std::vector<Tensor> run_once(const Program& program, const Parameters& parameters,
                             const double* w) {
  const Plan plan(program);
  const DType dtype = program.output_type(0).dtype;
  const Block typed = typed_parameters(parameters, dtype, w);
  std::vector<const void*> inputs;
  for (std::size_t i = 0; i < typed.size(); ++i) inputs.push_back(typed[i]);
  std::vector<Tensor> results;
  std::vector<void*> outputs;
  for (std::size_t i = 0; i < program.outputs.size(); ++i) {
    results.emplace_back(program.output_type(i));
    outputs.push_back(results.back().data());
  }
  const auto workspace = allocate_aligned(plan.workspace_bytes());
  plan.run(inputs.data(), outputs.data(), workspace.get());
  return results;
}

}  // namespace

VectorFunction::VectorFunction(std::string text, Parameters parameters,
                               std::vector<std::string> components, Program program)
    : text_(std::move(text)),
      parameters_(std::move(parameters)),
      components_(std::move(components)),
      program_(std::move(program)),
      num_outputs_(num_elements(program_.output_type(0).shape)) {}

VectorFunction::~VectorFunction() = default;

std::vector<double> VectorFunction::value(const double* w) const {
  const Tensor result = run_once(program_, parameters_, w)[0];
  std::vector<double> values;
  for (std::int64_t i = 0; i < result.size(); ++i) values.push_back(result.at(i));
  return values;
}

std::vector<double> VectorFunction::jacobian(const double* w) const {
  const std::vector<Tensor> blocks =
      run_once(kappa::jacobian(program_, parameters_.varying()), parameters_, w);
  const std::int64_t n = dimension();
  std::vector<double> result(static_cast<std::size_t>(num_outputs_ * n));
  std::size_t index = 0;
  for (const Parameter& p : parameters_.list()) {
    if (!p.varies) continue;
    const std::int64_t width = num_elements(p.shape);
    for (std::int64_t i = 0; i < num_outputs_; ++i) {
      for (std::int64_t j = 0; j < width; ++j) {
        result[static_cast<std::size_t>(i * n + p.offset + j)] = blocks[index].at(i * width + j);
      }
    }
    ++index;
  }
  return result;
}

}  // namespace kappa
