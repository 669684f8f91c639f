// Which programs an objective compiles, and the sizes of micro-batches, blocks and memory.

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "function/objective_impl.h"
#include "kappa/error.h"
#include "transform/batch.h"
#include "transform/derivatives.h"
#include "transform/layout.h"

namespace kappa {
namespace {

// A micro-batch is as large as keeps its working set about the size of a shared cache; beyond this
// the gain is nothing and residuals come in coarser lumps.
constexpr std::int64_t target_batch_bytes = 24 << 20;
// Convolutions with the samples innermost are as fast for few samples, and their images then stay
// in the caches of one core; but a micro-batch is to be worth several passes over the parameters.
constexpr std::int64_t image_batch_bytes = 3 << 20;
constexpr std::int64_t parameter_passes = 8;
constexpr std::int64_t max_batch = 4096;
// Of a block of directions; beyond the first size, only while a step does no more than this.
constexpr std::int64_t block_bytes = 6 << 20;
constexpr std::int64_t large_block_bytes = 64 << 20;
constexpr double step_flops = 80e6;
constexpr std::int64_t min_batch = 16;
// Of results of micro-batches that wait to be added up, beyond `results_kept` a thread.
constexpr std::int64_t most_shared_bytes = 64 << 20;

}  // namespace

std::int64_t Objective::Impl::batch_of(Samples samples) const {
  if (!has_data()) return 0;
  const auto count =
      samples.empty() ? parts.samples->num_samples() : static_cast<std::int64_t>(samples.size());
  if (parts.whole_batch > 0) {
    const std::int64_t batch = std::min(parts.whole_batch, count);
    if (count % batch == 0) return batch;
    throw Error(ErrorKind::usage,
                fmt::format("{} samples in batches of {} leave {} over, which would have "
                            "statistics of their own; choose --batch (or --samples, --minibatch) "
                            "so that it divides",
                            count, batch, count % batch));
  }
  return equal_batches(count, preferred_batch);
}

const Plan& Objective::Impl::value_plan(std::int64_t batch) {
  return plan(&Compiled::value, batch, [&] { return parts.total(batch); });
}

const Plan& Objective::Impl::gradient_plan(std::int64_t batch) {
  return plan(&Compiled::gradient, batch, [&] {
    const Program total = parts.total(batch);
    return value_and_gradient(total, flags_for(total));
  });
}

SplitPlans& Objective::Impl::split_plans(Curvature kind, std::int64_t batch) {
  const std::lock_guard lock(mutex);
  SplitPlans& plans = compiled_for(batch).curvature[kind];
  if (plans.setup) return plans;
  Program product;
  if (kind == Curvature::hessian) {
    const Program total = parts.total(batch);
    product = hessian_product(total, flags_for(total));
  } else {
    const Program model = parts.model(batch);
    product = gauss_newton_product(model, parts.loss(batch), flags_for(model));
  }
  std::vector<bool> is_direction(product.inputs.size(), false);
  const auto directions =
      static_cast<std::size_t>(std::count(varying.begin(), varying.end(), true));
  for (std::size_t i = 0; i < directions; ++i) {
    is_direction[product.inputs.size() - 1 - i] = true;
  }
  plans.split = split(product, is_direction, directions);
  for (std::size_t i = 0; i < plans.split.num_residuals; ++i) {
    plans.residual_types.push_back(plans.split.setup.output_type(i));
  }
  plans.setup = std::make_unique<Plan>(plans.split.setup);
  std::vector<std::size_t> residuals_only(plans.split.num_residuals);
  std::iota(residuals_only.begin(), residuals_only.end(), std::size_t{0});
  plans.recompute = std::make_unique<Plan>(prune(plans.split.setup, residuals_only));
  return plans;
}

const Plan& Objective::Impl::apply_plan(Curvature kind, std::int64_t batch, std::int64_t k) {
  SplitPlans& plans = split_plans(kind, batch);
  const std::lock_guard lock(mutex);
  auto& slot = plans.apply[k];
  if (!slot) {
    if (k == 0) {
      slot = std::make_unique<Plan>(plans.split.apply);
    } else {
      std::vector<bool> batched(plans.split.apply.inputs.size(), false);
      const std::size_t directions =
          static_cast<std::size_t>(std::count(varying.begin(), varying.end(), true));
      const std::size_t first = batched.size() - plans.split.num_residuals - directions;
      for (std::size_t i = 0; i < directions; ++i) batched[first + i] = true;
      slot = std::make_unique<Plan>(kappa::batch(plans.split.apply, batched, k));
    }
  }
  return *slot;
}

std::int64_t Objective::Impl::block_of(Curvature kind, std::int64_t batch) {
  const Plan& plan = apply_plan(kind, batch, 0);
  const std::int64_t one = plan.workspace_bytes();
  const double step =
      plan.flops() / static_cast<double>(std::max<std::size_t>(plan.num_steps(), 1));
  const std::int64_t most = std::min(Objective::max_block(), dimension);
  const auto worth = [&](std::int64_t k) {
    const std::int64_t bytes = k * one;
    return bytes <= block_bytes ||
           (bytes <= large_block_bytes && static_cast<double>(k) * step <= step_flops);
  };
  std::int64_t block = 1;
  while (2 * block <= most && worth(2 * block)) block *= 2;
  return block;
}

std::int64_t Objective::Impl::bytes_of_large_block(Curvature kind, std::int64_t batch) {
  const std::int64_t one = apply_plan(kind, batch, 0).workspace_bytes();
  const std::int64_t block = block_of(kind, batch);
  return block * one > block_bytes ? (block - 1) * one : 0;
}

std::int64_t Objective::Impl::worker_bytes(Curvature kind, std::int64_t batch, std::int64_t k) {
  SplitPlans& plans = split_plans(kind, batch);
  const std::int64_t work = std::max(plans.setup->workspace_bytes(),
                                     apply_plan(kind, batch, k == 1 ? 0 : k).workspace_bytes());
  const Batches batches(parts.samples.get(), {}, std::max<std::int64_t>(batch, 1), dtype());
  const std::int64_t kept = std::min(results_kept, batches.count());
  return work + (kept + 1) * Block::bytes(direction_types(parts.parameters, dtype(), k)) +
         Block::bytes(plans.residual_types) + Block::bytes(batches.types());
}

void Objective::Impl::choose_batch(std::int64_t wanted) {
  if (!has_data()) return;
  const std::int64_t count = parts.samples->num_samples();
  if (parts.whole_batch > 0) wanted = parts.whole_batch;
  if (wanted > 0) {
    preferred_batch = std::min(wanted, count);
    return;
  }
  // Bytes a sample from a trial compilation; the value and gradient working set stands for all.
  constexpr std::int64_t trial = 32;
  const Program total = parts.total(trial);
  const Plan plan(value_and_gradient(total, flags_for(total)));
  std::int64_t data_bytes = 0;
  for (const Type& type : parts.samples->types(trial)) data_bytes += num_bytes(type);
  const std::int64_t each =
      std::max<std::int64_t>((plan.workspace_bytes() + data_bytes) / trial, 1);
  std::int64_t target = target_batch_bytes;
  if (has_samples_last(total)) {
    const std::int64_t parameters = dimension * size_of(dtype());
    target = std::clamp(parameter_passes * parameters, image_batch_bytes, target_batch_bytes);
  }
  preferred_batch = min_batch;
  while (preferred_batch < max_batch && 2 * preferred_batch * each <= target) {
    preferred_batch *= 2;
  }
}

int Objective::Impl::workers_within(std::int64_t bytes_each, std::int64_t batches) const {
  const std::int64_t fit =
      std::max<std::int64_t>(budget / std::max<std::int64_t>(bytes_each, 1), 1);
  return static_cast<int>(
      std::min<std::int64_t>({num_threads, fit, std::max<std::int64_t>(batches, 1)}));
}

Slots Objective::Impl::slots_of(std::int64_t tasks, std::int64_t block, int width,
                                std::int64_t room) const {
  const std::int64_t bytes =
      std::max<std::int64_t>(Block::bytes(direction_types(parts.parameters, dtype(), block)), 1);
  const std::int64_t shared = std::clamp<std::int64_t>(room, 0, most_shared_bytes) / 2;
  const std::int64_t most = results_kept * width + shared / bytes;
  return {std::min(tasks, most), most};
}

}  // namespace kappa
