#include "transform/kronecker.h"

#include <algorithm>
#include <map>
#include <mutex>

#include "base/kronecker.h"
#include "base/random.h"
#include "function/batches.h"
#include "function/objective.h"

namespace kappa {
namespace {

constexpr std::int64_t max_side = 4096;
constexpr std::int64_t preferred_batch = 512;

template <class T>
void add(const void* typed, std::vector<double>& sum) {
  const T* x = static_cast<const T*>(typed);
  for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += static_cast<double>(x[i]);
}

}  // namespace

// Compiled once a micro-batch size.
struct Objective::Kronecker {
  struct Compiled {
    std::vector<DenseLayer> layers;
    std::unique_ptr<Plan> plan;  // null where there is no layer
  };
  std::mutex mutex;
  std::map<std::int64_t, Compiled> compiled;
};

std::shared_ptr<Objective::Kronecker> Objective::make_kronecker() {
  return std::make_shared<Kronecker>();
}

std::vector<KroneckerBlock> Objective::kronecker_blocks(const double* w, Samples samples,
                                                        std::uint64_t seed,
                                                        std::uint64_t stream) const {
  const ObjectiveParts& parts = this->parts();
  // Samples that influence each other have no factors of their own.
  if (!parts.model || parts.samples == nullptr || parts.whole_batch > 0) return {};
  const std::int64_t count =
      samples.empty() ? num_samples() : static_cast<std::int64_t>(samples.size());
  // Of one sample the products over samples would be simplified away.
  const std::int64_t batch = std::max<std::int64_t>(equal_batches(count, preferred_batch), 2);
  const Kronecker::Compiled* compiled = nullptr;
  {
    const std::lock_guard lock(kronecker_->mutex);
    const auto [found, is_new] = kronecker_->compiled.try_emplace(batch);
    if (is_new) {
      const Program model = parts.model(batch);
      std::vector<bool> varying = parts.parameters.varying();
      varying.resize(model.inputs.size(), false);
      KroneckerFactors factors =
          kronecker_factors(model, parts.loss(batch), varying, batch, max_side);
      found->second.layers = std::move(factors.layers);
      if (!found->second.layers.empty()) {
        found->second.plan = std::make_unique<Plan>(std::move(factors.program));
      }
    }
    compiled = &found->second;
  }
  std::vector<KroneckerBlock> blocks;
  if (compiled->plan == nullptr) return blocks;
  const Program& program = compiled->plan->program();
  std::vector<Type> types;
  for (std::size_t i = 0; i < compiled->layers.size(); ++i) {
    const DenseLayer& layer = compiled->layers[i];
    const Parameter& weight = parts.parameters[layer.weight];
    KroneckerBlock block{.weight = weight.offset,
                         .rows = weight.shape[0],
                         .columns = weight.shape[1],
                         .bias = layer.bias ? parts.parameters[*layer.bias].offset : -1,
                         .bias_is_row = layer.bias_is_row};
    for (std::vector<double>* factor : {&block.left, &block.right}) {
      types.push_back(program.output_type(types.size()));
      factor->assign(static_cast<std::size_t>(num_elements(types.back().shape)), 0.0);
    }
    blocks.push_back(std::move(block));
  }

  const bool single = parts.dtype == DType::f32;
  const Batches batches(parts.samples.get(), samples, batch, parts.dtype);
  const Block parameters = typed_parameters(parts.parameters, parts.dtype, w);
  const Block data(batches.types()), results(types);
  const Type z = program.input_type(program.inputs.size() - 1);
  const Block signs({z});
  const auto workspace = allocate_aligned(compiled->plan->workspace_bytes());
  std::vector<const void*> inputs;
  for (std::size_t i = 0; i < parameters.size(); ++i) inputs.push_back(parameters[i]);
  for (std::size_t i = 0; i < data.size(); ++i) inputs.push_back(data[i]);
  inputs.push_back(signs[0]);
  std::vector<void*> outputs;
  for (std::size_t i = 0; i < types.size(); ++i) outputs.push_back(results[i]);
  for (std::int64_t b = 0; b < batches.count(); ++b) {
    batches.fill(b, data);
    const std::uint64_t own =
        stream * static_cast<std::uint64_t>(batches.count()) + static_cast<std::uint64_t>(b);
    Random random(seed, own);
    if (single) {
      random.fill_signs(num_elements(z.shape), static_cast<float*>(signs[0]));
    } else {
      random.fill_signs(num_elements(z.shape), static_cast<double*>(signs[0]));
    }
    compiled->plan->run(inputs.data(), outputs.data(), workspace.get());
    for (std::size_t i = 0; i < blocks.size(); ++i) {
      (single ? add<float> : add<double>)(results[2 * i], blocks[i].left);
      (single ? add<float> : add<double>)(results[2 * i + 1], blocks[i].right);
    }
  }
  // G is the mean over samples of what the factors stand for, or the sum: R takes that up.
  const double mean = 1 / static_cast<double>(count);
  for (KroneckerBlock& block : blocks) {
    for (double& x : block.left) x *= mean;
    for (double& x : block.right) x *= parts.mean ? mean : 1;
  }
  return blocks;
}

}  // namespace kappa
