#include "function/objective.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <fstream>

#include "function/objective_impl.h"
#include "kappa/error.h"
#include "transform/layout.h"

namespace kappa {
namespace {

std::string text_of_bytes(double bytes) {
  return bytes < 1e6 ? fmt::format("{:.0f} kB", std::ceil(bytes / 1e3))
                     : (bytes < 1e9 ? fmt::format("{:.0f} MB", bytes / 1e6)
                                    : fmt::format("{:.1f} GB", bytes / 1e9));
}

}  // namespace

std::int64_t default_memory_budget() {
  std::ifstream file("/proc/meminfo");
  std::string key;
  std::int64_t kilobytes = 0;
  std::string unit;
  while (file >> key >> kilobytes) {
    if (key == "MemAvailable:") return kilobytes * 1024 / 2;
    std::getline(file, unit);
  }
  return std::int64_t{2} << 30;
}

void Objective::Impl::add_up(ThreadTeam& team, Crew& crew, std::int64_t first, std::int64_t count,
                             std::int64_t batches, std::int64_t k, Accumulation finish,
                             std::int64_t columns, double* sums) const {
  const std::int64_t elements = dimension * std::max<std::int64_t>(k, 1);
  finish.assign = first == 0;
  finish.finish = first + count == batches;
  share_out(team, columns, elements, [&](std::int64_t i, std::int64_t from, std::int64_t to) {
    std::vector<const Block*> results;
    for (std::int64_t t = 0; t < count; ++t) results.push_back(&crew.result(t * columns + i));
    Accumulation how = finish;
    if (how.directions != nullptr) how.directions += i * elements;
    accumulate(parts.parameters, dtype(), results, k, from, to, how, sums + i * elements);
  });
}

Objective::Objective(ObjectiveParts parts, const ObjectiveOptions& options)
    : impl_(std::make_unique<Impl>()) {
  impl_->parts = std::move(parts);
  for (auto part : {&ObjectiveParts::total, &ObjectiveParts::model, &ObjectiveParts::loss}) {
    auto& make = impl_->parts.*part;
    if (make) make = [given = make](std::int64_t n) { return with_samples_last(given(n)); };
  }
  impl_->varying = impl_->parts.parameters.varying();
  impl_->dimension = impl_->parts.parameters.dimension();
  impl_->num_threads = std::max(options.num_threads, 1);
  impl_->budget = options.memory_bytes > 0 ? options.memory_bytes : default_memory_budget();
  const std::int64_t whole = impl_->budget;
  impl_->budget = std::max<std::int64_t>(whole - options.reserved_bytes, 1);
  impl_->reserved = whole - impl_->budget;
  impl_->choose_batch(options.batch);
  const std::int64_t batch = impl_->batch_of({});
  const std::int64_t need = impl_->worker_bytes(Curvature::hessian, batch, 1) +
                            impl_->bytes_of_large_block(Curvature::hessian, batch);
  if (need > impl_->budget) {
    throw Error(ErrorKind::resource,
                fmt::format("one micro-batch of {} samples needs {} of memory, the budget is {}; "
                            "raise --memory to at least that or lower --batch",
                            std::max<std::int64_t>(batch, 1),
                            text_of_bytes(static_cast<double>(need + options.reserved_bytes)),
                            text_of_bytes(static_cast<double>(whole))));
  }
}

Objective::~Objective() = default;

const ObjectiveParts& Objective::parts() const { return impl_->parts; }
std::int64_t Objective::dimension() const { return impl_->dimension; }
std::int64_t Objective::num_samples() const {
  return impl_->has_data() ? impl_->parts.samples->num_samples() : 0;
}
std::string Objective::parameter_name(std::int64_t index) const {
  return impl_->parts.parameters.entry_name(index);
}

ObjectiveCost Objective::cost(std::int64_t block) const {
  Impl& impl = *impl_;
  ObjectiveCost cost;
  const std::int64_t batch = impl.batch_of({});
  SplitPlans& plans = impl.split_plans(Curvature::hessian, batch);
  const Batches batches(impl.parts.samples.get(), {}, std::max<std::int64_t>(batch, 1),
                        impl.dtype());
  cost.num_parameters = impl.dimension;
  cost.num_samples = num_samples();
  cost.batch = batch;
  cost.num_batches = batches.count();
  cost.budget_bytes = impl.budget + impl.reserved;
  cost.reserved_bytes = impl.reserved;
  cost.workspace_bytes = impl.worker_bytes(
      Curvature::hessian, batch, std::min(block, impl.block_of(Curvature::hessian, batch)));
  cost.residual_bytes = Block::bytes(plans.residual_types) + Block::bytes(batches.types());
  cost.num_workers = impl.workers_within(cost.workspace_bytes, batches.count());
  const std::int64_t left =
      std::max<std::int64_t>(impl.budget - cost.num_workers * cost.workspace_bytes, 0);
  cost.kept_batches =
      std::min(batches.count(), left / std::max<std::int64_t>(cost.residual_bytes, 1));
  const auto count = static_cast<double>(batches.count());
  cost.gradient_flops = impl.gradient_plan(batch).flops() * count;
  cost.setup_flops = plans.setup->flops() * count;
  cost.product_flops = impl.apply_plan(Curvature::hessian, batch, 0).flops() * count;
  return cost;
}

double Objective::value(const double* w, Samples samples) const {
  Impl& impl = *impl_;
  const std::int64_t batch = impl.batch_of(samples);
  const Batches batches(impl.parts.samples.get(), samples, std::max<std::int64_t>(batch, 1),
                        impl.dtype());
  const Plan& plan = impl.value_plan(batch);
  const Impl::Values values = impl.values_of(w);
  const std::vector<Type> data = batches.types();
  const int width =
      impl.workers_within(plan.workspace_bytes() + Block::bytes(data), batches.count());
  ThreadTeam team(width);
  Crew crew = impl.take_crew(width);
  std::vector<double> parts(static_cast<std::size_t>(batches.count()));
  team.for_each(batches.count(), [&](int thread, std::int64_t index) {
    Worker& worker = crew.workers[static_cast<std::size_t>(thread)];
    const Block& here = worker.data_of(batch, data);
    batches.fill(index, here);
    std::vector<const void*> inputs = values.pointers;
    for (std::size_t i = 0; i < data.size(); ++i) inputs.push_back(here[i]);
    double result = 0;
    void* output = &result;
    plan.run(inputs.data(), &output, worker.reserve(plan.workspace_bytes()));
    parts[static_cast<std::size_t>(index)] = read_scalar(&result, impl.dtype());
  });
  impl.give_back(std::move(crew));
  double sum = 0;
  for (const double part : parts) sum += part;
  return sum * impl.scale_of(batches) + impl.penalty(w);
}

double Objective::gradient(const double* w, double* gradient, Samples samples) const {
  Impl& impl = *impl_;
  const std::int64_t batch = impl.batch_of(samples);
  const Batches batches(impl.parts.samples.get(), samples, std::max<std::int64_t>(batch, 1),
                        impl.dtype());
  const Plan& plan = impl.gradient_plan(batch);
  const Impl::Values values = impl.values_of(w);
  const std::vector<Type> data = batches.types();
  const std::vector<Type> types = direction_types(impl.parts.parameters, impl.dtype(), 0);
  const bool direct = impl.same_layout(1) && batches.count() == 1;
  const std::int64_t each =
      plan.workspace_bytes() + Block::bytes(data) + results_kept * Block::bytes(types);
  const int width = impl.workers_within(each, batches.count());
  ThreadTeam team(width);
  Crew crew = impl.take_crew(width);
  const Slots slots = impl.slots_of(batches.count(), 0, width, impl.budget - width * each);
  if (!direct) crew.prepare(0, types, slots, 0);
  std::vector<double> parts(static_cast<std::size_t>(batches.count()));
  Accumulation finish;
  finish.scale = impl.scale_of(batches);
  finish.l2 = impl.parts.l2;
  finish.directions = w;
  run_rounds(
      team, crew, batches.count(), slots.count,
      [&](Worker& worker, std::int64_t index, std::int64_t slot) {
        const Block& here = worker.data_of(batch, data);
        batches.fill(index, here);
        std::vector<const void*> inputs = values.pointers;
        for (std::size_t i = 0; i < data.size(); ++i) inputs.push_back(here[i]);
        double result = 0;
        std::vector<void*> outputs;
        if (direct) {
          outputs = impl.pointers_into(gradient);
        } else {
          for (std::size_t i = 0; i < types.size(); ++i) outputs.push_back(crew.result(slot)[i]);
        }
        outputs.insert(outputs.begin(), &result);
        plan.run(inputs.data(), outputs.data(), worker.reserve(plan.workspace_bytes()));
        parts[static_cast<std::size_t>(index)] = read_scalar(&result, impl.dtype());
      },
      [&](std::int64_t first, std::int64_t count) {
        if (direct) return;
        impl.add_up(team, crew, first, count, batches.count(), 0, finish, 1, gradient);
      });
  if (direct) impl.finish_in_place(finish, 0, gradient);
  impl.give_back(std::move(crew));
  double sum = 0;
  for (const double part : parts) sum += part;
  return sum * impl.scale_of(batches) + impl.penalty(w);
}

}  // namespace kappa
