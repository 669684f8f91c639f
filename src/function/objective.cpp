#include "function/objective.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <map>
#include <mutex>
#include <numeric>

#include "base/threads.h"
#include "function/batches.h"
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

enum class Curvature { hessian, gauss_newton };

std::string text_of_bytes(double bytes) {
  return bytes < 1e6 ? fmt::format("{:.0f} kB", std::ceil(bytes / 1e3))
                     : (bytes < 1e9 ? fmt::format("{:.0f} MB", bytes / 1e6)
                                    : fmt::format("{:.1f} GB", bytes / 1e9));
}

std::vector<Type> output_types(const Program& program) {
  std::vector<Type> types;
  for (std::size_t i = 0; i < program.outputs.size(); ++i) types.push_back(program.output_type(i));
  return types;
}

// A curvature product cut at its directions, compiled for blocks of any size on demand.
struct SplitPlans {
  Split split;
  std::unique_ptr<Plan> setup;      // residuals, value, gradient
  std::unique_ptr<Plan> recompute;  // residuals alone
  std::vector<Type> residual_types;
  std::map<std::int64_t, std::unique_ptr<Plan>> apply;  // by block size; 0: one direction
};

// Everything compiled for one micro-batch size.
struct Compiled {
  std::unique_ptr<Plan> value, gradient, outputs, residuals, residual_jacobian;
  std::map<Curvature, SplitPlans> curvature;
};

// Results of micro-batches are kept until they are added up, at least so many a thread, and as many
// as fit in what is left of the memory budget, up to so many bytes. Threads wait for one another
// when all places are taken.
constexpr std::int64_t results_kept = 2;
constexpr std::int64_t most_shared_bytes = 64 << 20;

// Elements to convert or add that are worth another thread's while.
constexpr std::int64_t worth_sharing = 1 << 13;

// What one thread needs at a time.
struct Worker {
  std::shared_ptr<std::byte[]> workspace;
  std::int64_t workspace_bytes = 0;
  Block data;
  std::int64_t batch = -1;  // the micro-batch size that data was made for

  const Block& data_of(std::int64_t for_batch, const std::vector<Type>& types) {
    if (batch != for_batch) data = Block(types);
    batch = for_batch;
    return data;
  }
  void* reserve(std::int64_t bytes) {
    if (bytes > workspace_bytes) {
      workspace = allocate_aligned(bytes);
      workspace_bytes = bytes;
    }
    return workspace.get();
  }
};

// Places for results of micro-batches: those that a call uses, and those that its budget has room
// for.
struct Slots {
  std::int64_t count = 0, most = 0;
};

// What one call needs at a time: a worker a thread, the results of micro-batches that wait to be
// added up, and blocks of directions in the program's type.
struct Crew {
  std::vector<Worker> workers;
  std::vector<Block> results, directions;
  std::vector<Type> types;  // of both
  std::int64_t block = -1;  // directions a block that they were made for

  // Results of an earlier call stay, as far as this call's share of the budget holds them.
  void prepare(std::int64_t for_block, std::vector<Type> for_types, Slots slots,
               std::int64_t num_directions) {
    if (block != for_block) {
      results.clear();
      directions.clear();
      block = for_block;
      types = std::move(for_types);
    }
    results.resize(std::clamp(results.size(), static_cast<std::size_t>(slots.count),
                              static_cast<std::size_t>(slots.most)));
    directions.resize(std::max(directions.size(), static_cast<std::size_t>(num_directions)));
  }
  // Memory comes with the first use, by the thread that uses it.
  const Block& result(std::int64_t slot) { return made(results[static_cast<std::size_t>(slot)]); }
  const Block& direction(std::int64_t i) { return made(directions[static_cast<std::size_t>(i)]); }

 private:
  const Block& made(Block& block_of_arrays) const {
    if (block_of_arrays.empty()) block_of_arrays = Block(types);
    return block_of_arrays;
  }
};

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

struct Objective::Impl {
  ObjectiveParts parts;
  std::vector<bool> varying;
  std::int64_t dimension = 0;
  int num_threads = 1;
  std::int64_t preferred_batch = 0;
  std::int64_t budget = 0;    // for workspaces and residuals
  std::int64_t reserved = 0;  // the rest of what the caller gave
  std::mutex mutex;
  std::map<std::int64_t, std::unique_ptr<Compiled>> compiled;
  // Memory between calls: fresh memory would cost a page fault every 4 kB of every call.
  std::vector<Crew> idle;

  Crew take_crew(int width) {
    Crew crew;
    {
      const std::lock_guard lock(mutex);
      if (!idle.empty()) {
        crew = std::move(idle.back());
        idle.pop_back();
      }
    }
    crew.workers.resize(std::max(crew.workers.size(), static_cast<std::size_t>(width)));
    return crew;
  }
  void give_back(Crew crew) {
    const std::lock_guard lock(mutex);
    if (idle.empty()) idle.push_back(std::move(crew));
  }

  // Parameter values as the program wants them: where nothing needs converting, w itself.
  struct Values {
    Block typed;
    std::vector<const void*> pointers;
  };
  [[nodiscard]] Values values_of(const double* w) const {
    Values values;
    const bool convert =
        dtype() != DType::f64 || std::find(varying.begin(), varying.end(), false) != varying.end();
    if (convert) values.typed = typed_parameters(parts.parameters, dtype(), w);
    for (std::size_t i = 0; i < parts.parameters.size(); ++i) {
      values.pointers.push_back(convert ? values.typed[i] : w + parts.parameters[i].offset);
    }
    return values;
  }

  // Whether a block of vectors, n x k in double, is laid out as the program's arrays are.
  [[nodiscard]] bool same_layout(std::int64_t k) const {
    return dtype() == DType::f64 &&
           (k <= 1 || std::count(varying.begin(), varying.end(), true) == 1);
  }
  [[nodiscard]] std::vector<const void*> pointers_into(const double* vectors) const {
    std::vector<const void*> pointers;
    for (const Parameter& p : parts.parameters.list()) {
      if (p.varies) pointers.push_back(vectors + p.offset);
    }
    return pointers;
  }
  [[nodiscard]] std::vector<void*> pointers_into(double* vectors) const {
    std::vector<void*> pointers;
    for (const Parameter& p : parts.parameters.list()) {
      if (p.varies) pointers.push_back(vectors + p.offset);
    }
    return pointers;
  }
  // What add_up does at the end, where the one micro-batch wrote into `sum` itself.
  void finish_in_place(const Accumulation& finish, std::int64_t k, double* sum) const {
    if (finish.scale == 1 && finish.l2 == 0) return;
    const std::int64_t count = dimension * std::max<std::int64_t>(k, 1);
    for (std::int64_t i = 0; i < count; ++i) {
      sum[i] = sum[i] * finish.scale + (finish.l2 != 0 ? finish.l2 * finish.directions[i] : 0.0);
    }
  }

  [[nodiscard]] DType dtype() const { return parts.dtype; }
  [[nodiscard]] bool has_data() const { return parts.samples != nullptr; }

  [[nodiscard]] std::int64_t batch_of(Samples samples) const {
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

  // Scale of the sum over these samples.
  [[nodiscard]] double scale_of(const Batches& batches) const {
    return has_data() && parts.mean ? 1.0 / static_cast<double>(batches.num_samples()) : 1.0;
  }

  Compiled& compiled_for(std::int64_t batch) {
    auto& slot = compiled[batch];
    if (!slot) slot = std::make_unique<Compiled>();
    return *slot;
  }

  template <class Make>
  const Plan& plan(std::unique_ptr<Plan> Compiled::*member, std::int64_t batch, Make make) {
    const std::lock_guard lock(mutex);
    auto& slot = compiled_for(batch).*member;
    if (!slot) slot = std::make_unique<Plan>(make());
    return *slot;
  }

  // Flags of all inputs of the total program: parameters as they are, data and weights fixed.
  [[nodiscard]] std::vector<bool> flags_for(const Program& program) const {
    std::vector<bool> flags = varying;
    flags.resize(program.inputs.size(), false);
    return flags;
  }

  const Plan& value_plan(std::int64_t batch) {
    return plan(&Compiled::value, batch, [&] { return parts.total(batch); });
  }
  const Plan& gradient_plan(std::int64_t batch) {
    return plan(&Compiled::gradient, batch, [&] {
      const Program total = parts.total(batch);
      return value_and_gradient(total, flags_for(total));
    });
  }

  SplitPlans& split_plans(Curvature kind, std::int64_t batch) {
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

  const Plan& apply_plan(Curvature kind, std::int64_t batch, std::int64_t k) {
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

  // Directions taken at a time: as many as keep the working set near a core, or more where a step
  // does little, which larger steps do faster. A power of two, so that usual blocks are cut into
  // equal ones: each size has a plan and memory of its own. Like the micro-batch, it depends on the
  // program alone.
  std::int64_t block_of(Curvature kind, std::int64_t batch) {
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

  // What a block of directions takes beyond one direction, where that is much.
  std::int64_t bytes_of_large_block(Curvature kind, std::int64_t batch) {
    const std::int64_t one = apply_plan(kind, batch, 0).workspace_bytes();
    const std::int64_t block = block_of(kind, batch);
    return block * one > block_bytes ? (block - 1) * one : 0;
  }

  // Bytes one worker needs for products of `k` directions.
  std::int64_t worker_bytes(Curvature kind, std::int64_t batch, std::int64_t k) {
    SplitPlans& plans = split_plans(kind, batch);
    const std::int64_t work = std::max(plans.setup->workspace_bytes(),
                                       apply_plan(kind, batch, k == 1 ? 0 : k).workspace_bytes());
    const Batches batches(parts.samples.get(), {}, std::max<std::int64_t>(batch, 1), dtype());
    const std::int64_t kept = std::min(results_kept, batches.count());
    return work + (kept + 1) * Block::bytes(direction_types(parts.parameters, dtype(), k)) +
           Block::bytes(plans.residual_types) + Block::bytes(batches.types());
  }

  void choose_batch(std::int64_t wanted) {
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

  int workers_within(std::int64_t bytes_each, std::int64_t batches) const {
    const std::int64_t fit =
        std::max<std::int64_t>(budget / std::max<std::int64_t>(bytes_each, 1), 1);
    return static_cast<int>(
        std::min<std::int64_t>({num_threads, fit, std::max<std::int64_t>(batches, 1)}));
  }

  // Results of so many tasks, with `block` directions each, that are kept until they are added up;
  // those of worker_bytes and what fits in `room`, which the directions of blocks share.
  [[nodiscard]] Slots slots_of(std::int64_t tasks, std::int64_t block, int width,
                               std::int64_t room) const {
    const std::int64_t bytes =
        std::max<std::int64_t>(Block::bytes(direction_types(parts.parameters, dtype(), block)), 1);
    const std::int64_t shared = std::clamp<std::int64_t>(room, 0, most_shared_bytes) / 2;
    const std::int64_t most = results_kept * width + shared / bytes;
    return {std::min(tasks, most), most};
  }

  // Calls body(worker, micro-batch, slot of its results) for all micro-batches, and
  // add(first, count) when all slots are full, or at the end.
  template <class Body, class Add>
  void run_rounds(ThreadTeam& team, Crew& crew, std::int64_t batches, std::int64_t slots, Body body,
                  Add add) const {
    for (std::int64_t first = 0; first < batches; first += slots) {
      const std::int64_t count = std::min(slots, batches - first);
      team.for_each(count, [&](int thread, std::int64_t slot) {
        body(crew.workers[static_cast<std::size_t>(thread)], first + slot, slot);
      });
      add(first, count);
    }
  }

  // Calls work(array, first, last) for ranges of the elements of so many arrays.
  template <class Work>
  static void share_out(ThreadTeam& team, std::int64_t arrays, std::int64_t elements, Work work) {
    const std::int64_t pieces =
        team.size() == 1 ? 1
                         : std::clamp<std::int64_t>(elements / worth_sharing, 1, 2 * team.size());
    team.for_each(arrays * pieces, [&](int, std::int64_t i) {
      const std::int64_t piece = i % pieces;
      work(i / pieces, elements * piece / pieces, elements * (piece + 1) / pieces);
    });
  }

  // sums[i] (n x k) of the results in slots i, i + columns, i + 2 columns, ..., those of
  // micro-batches [first, first + count) in their order.
  void add_up(ThreadTeam& team, Crew& crew, std::int64_t first, std::int64_t count,
              std::int64_t batches, std::int64_t k, Accumulation finish, std::int64_t columns,
              double* sums) const {
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

  [[nodiscard]] double penalty(const double* w) const {
    if (parts.l2 == 0) return 0;
    double sum = 0;
    for (std::int64_t i = 0; i < dimension; ++i) sum += w[i] * w[i];
    return 0.5 * parts.l2 * sum;
  }
};

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
  impl.run_rounds(
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

// ---- linearization ---------------------------------------------------------------------------

class ObjectiveLinearization final : public Linearization {
 public:
  ObjectiveLinearization(Objective::Impl& impl, const double* w, Problem::Samples samples)
      : impl_(impl),
        w_(w, w + impl.dimension),
        sample_list_(samples.begin(), samples.end()),
        batch_(impl.batch_of(samples)),
        batches_(impl.parts.samples.get(), sample_list_, std::max<std::int64_t>(batch_, 1),
                 impl.dtype()),
        values_(impl.values_of(w_.data())) {}

  [[nodiscard]] std::int64_t dimension() const override { return impl_.dimension; }
  [[nodiscard]] double value() const override {
    set_up_any();
    return value_;
  }
  [[nodiscard]] std::span<const double> gradient() const override {
    set_up_any();
    return gradient_;
  }
  [[nodiscard]] bool has_gauss_newton() const override {
    return static_cast<bool>(impl_.parts.model);
  }

  void hessian_product(std::int64_t count, const double* directions,
                       double* products) const override {
    apply(Curvature::hessian, count, directions, products);
  }
  void gauss_newton_product(std::int64_t count, const double* directions,
                            double* products) const override {
    if (!has_gauss_newton()) {
      throw Error(
          ErrorKind::unsupported,
          "the Gauss-Newton matrix needs a loss over a model's outputs or a sum of squares; "
          "this objective is neither; use the Hessian");
    }
    apply(Curvature::gauss_newton, count, directions, products);
  }

 private:
  struct Kept {
    Block data, residuals;
    std::int64_t index = -1;  // of the micro-batch, where it changes
  };
  struct Setup {
    bool done = false;
    std::vector<Kept> kept;  // of the first micro-batches
  };

  void set_up_any() const {
    const std::lock_guard lock(mutex_);
    if (!have_gradient_) set_up(Curvature::hessian);
  }

  // Residuals for as many micro-batches as fit; value and gradient on the way, if not known yet.
  void set_up(Curvature kind) const {
    Setup& setup = setups_[kind];
    if (setup.done) return;
    SplitPlans& plans = impl_.split_plans(kind, batch_);
    const std::int64_t block = impl_.block_of(kind, batch_);
    std::int64_t each = impl_.worker_bytes(kind, batch_, block);
    if (each > impl_.budget) each = impl_.worker_bytes(kind, batch_, 1);
    const int width = impl_.workers_within(each, batches_.count());
    const std::vector<Type> data = batches_.types();
    const std::int64_t kept_bytes = Block::bytes(plans.residual_types) + Block::bytes(data);
    const std::int64_t left =
        std::max<std::int64_t>(impl_.budget - width * each - bytes_in_use(), 0);
    const std::int64_t keep =
        std::min(batches_.count(), left / std::max<std::int64_t>(kept_bytes, 1));
    const std::vector<Type> types = direction_types(impl_.parts.parameters, impl_.dtype(), 0);
    const bool want_gradient = !have_gradient_;
    if (want_gradient) gradient_.resize(static_cast<std::size_t>(impl_.dimension));
    setup.kept.resize(static_cast<std::size_t>(keep));
    ThreadTeam team(width);
    Crew crew = impl_.take_crew(width);
    const Slots slots = impl_.slots_of(batches_.count(), 0, width, left - keep * kept_bytes);
    crew.prepare(0, types, slots, 0);
    std::vector<double> parts(static_cast<std::size_t>(batches_.count()));
    const Plan& plan = want_gradient ? *plans.setup : *plans.recompute;
    Accumulation finish;
    finish.scale = impl_.scale_of(batches_);
    finish.l2 = impl_.parts.l2;
    finish.directions = w_.data();
    // Without a gradient to take along, only the micro-batches that are kept need a pass.
    const std::int64_t count = want_gradient ? batches_.count() : keep;
    impl_.run_rounds(
        team, crew, count, slots.count,
        [&](Worker& worker, std::int64_t index, std::int64_t slot) {
          const bool keeps = index < keep;
          Kept& kept = keeps ? setup.kept[static_cast<std::size_t>(index)] : spare(worker, kind);
          if (keeps) {
            kept.data = Block(data);
            kept.residuals = Block(plans.residual_types);
          }
          batches_.fill(index, kept.data);
          std::vector<const void*> inputs = fixed_inputs(kept.data);
          std::vector<void*> outputs;
          for (std::size_t i = 0; i < plans.residual_types.size(); ++i) {
            outputs.push_back(kept.residuals[i]);
          }
          double result = 0;
          if (want_gradient) {
            outputs.push_back(&result);
            for (std::size_t i = 0; i < types.size(); ++i) outputs.push_back(crew.result(slot)[i]);
          }
          plan.run(inputs.data(), outputs.data(), worker.reserve(plan.workspace_bytes()));
          parts[static_cast<std::size_t>(index)] = read_scalar(&result, impl_.dtype());
        },
        [&](std::int64_t first, std::int64_t done) {
          if (!want_gradient) return;
          impl_.add_up(team, crew, first, done, batches_.count(), 0, finish, 1, gradient_.data());
        });
    spares_.clear();
    impl_.give_back(std::move(crew));
    if (want_gradient) {
      double sum = 0;
      for (const double part : parts) sum += part;
      value_ = sum * finish.scale + impl_.penalty(w_.data());
      have_gradient_ = true;
    }
    setup.done = true;
  }

  // Residuals and data that are kept, of all kinds of products.
  [[nodiscard]] std::int64_t bytes_in_use() const {
    std::int64_t bytes = 0;
    for (const auto& [kind, setup] : setups_) {
      if (!setup.done) continue;
      bytes += static_cast<std::int64_t>(setup.kept.size()) *
               (Block::bytes(impl_.split_plans(kind, batch_).residual_types) +
                Block::bytes(batches_.types()));
    }
    return bytes;
  }

  // Residuals of a micro-batch that is not kept, one block a worker.
  Kept& spare(Worker& worker, Curvature kind) const {
    const std::lock_guard lock(spare_mutex_);
    Kept& kept = spares_[&worker];
    if (kept.data.empty()) {
      kept.data = Block(batches_.types());
      kept.residuals = Block(impl_.split_plans(kind, batch_).residual_types);
    }
    return kept;
  }

  [[nodiscard]] std::vector<const void*> fixed_inputs(const Block& data) const {
    std::vector<const void*> inputs = values_.pointers;
    for (std::size_t i = 0; i < data.size(); ++i) inputs.push_back(data[i]);
    return inputs;
  }

  void apply(Curvature kind, std::int64_t count, const double* directions, double* products) const {
    const std::lock_guard lock(mutex_);
    set_up(kind);
    if (count == 0) return;
    const std::int64_t block = std::min(impl_.block_of(kind, batch_), count);
    const std::int64_t blocks = count / block;
    const std::int64_t each = impl_.worker_bytes(kind, batch_, block);
    const int width =
        impl_.workers_within(each, batches_.count() * (impl_.has_data() ? blocks : 1));
    const std::int64_t room = impl_.budget - width * each - bytes_in_use();
    ThreadTeam team(width);
    Crew crew = impl_.take_crew(width);
    const auto apply_blocks_of = [&](std::int64_t k, std::int64_t number, std::int64_t first) {
      const std::int64_t offset = first * impl_.dimension;
      const Slots slots = impl_.slots_of(batches_.count() * number, k == 1 ? 0 : k, width, room);
      apply_blocks(kind, k, number, slots, directions + offset, products + offset, team, crew);
    };
    apply_blocks_of(block, blocks, 0);
    if (const std::int64_t done = blocks * block; done < count)
      apply_blocks_of(count - done, 1, done);
    spares_.clear();
    impl_.give_back(std::move(crew));
  }

  // So many blocks of k directions.
  void apply_blocks(Curvature kind, std::int64_t k, std::int64_t blocks, Slots slots,
                    const double* directions, double* products, ThreadTeam& team,
                    Crew& crew) const {
    const std::int64_t block = k == 1 ? 0 : k;  // one direction needs no leading axis
    const std::int64_t stride = k * impl_.dimension;
    const std::int64_t batches = batches_.count();
    const std::int64_t columns = std::clamp<std::int64_t>(slots.count / batches, 1, blocks);
    const bool same = impl_.same_layout(block);
    const bool direct = same && batches == 1;
    const std::vector<Type> types = direction_types(impl_.parts.parameters, impl_.dtype(), block);
    crew.prepare(block, types, direct ? Slots{} : slots, same ? 0 : columns);
    for (std::int64_t done = 0; done < blocks; done += columns) {
      const std::int64_t wide = std::min(columns, blocks - done);
      const double* from = directions + done * stride;
      double* to = products + done * stride;
      Accumulation finish;
      finish.scale = impl_.scale_of(batches_);
      finish.l2 = impl_.parts.l2;
      finish.directions = from;
      if (!same) {
        for (std::int64_t i = 0; i < wide; ++i) crew.direction(i);  // made before threads share it
        impl_.share_out(team, wide, stride,
                        [&](std::int64_t i, std::int64_t first, std::int64_t last) {
                          fill_directions(impl_.parts.parameters, impl_.dtype(), from + i * stride,
                                          block, first, last, crew.direction(i));
                        });
      }
      // Blocks follow one another within a micro-batch: threads side by side then read the same
      // residuals, which one fetches into the shared cache for all.
      impl_.run_rounds(
          team, crew, batches * wide, slots.count / wide * wide,
          [&](Worker& worker, std::int64_t task, std::int64_t slot) {
            const std::int64_t offset = task % wide * stride;
            std::vector<const void*> inputs;
            std::vector<void*> outputs;
            if (same) inputs = impl_.pointers_into(from + offset);
            if (direct) outputs = impl_.pointers_into(to + offset);
            for (std::size_t i = 0; i < types.size(); ++i) {
              if (!same) inputs.push_back(crew.direction(task % wide)[i]);
              if (!direct) outputs.push_back(crew.result(slot)[i]);
            }
            apply_one(kind, block, task / wide, inputs, outputs, worker);
            if (!direct) return;
            Accumulation here = finish;
            here.directions += offset;
            impl_.finish_in_place(here, block, to + offset);
          },
          [&](std::int64_t first, std::int64_t count) {
            if (direct) return;
            impl_.add_up(team, crew, first / wide, count / wide, batches, block, finish, wide, to);
          });
    }
  }

  // One micro-batch and block of directions.
  void apply_one(Curvature kind, std::int64_t block, std::int64_t index,
                 const std::vector<const void*>& directions, const std::vector<void*>& outputs,
                 Worker& worker) const {
    const std::vector<Kept>& kept = setups_.at(kind).kept;
    const bool keeps = index < static_cast<std::int64_t>(kept.size());
    const Kept& here =
        keeps ? kept[static_cast<std::size_t>(index)] : recomputed(kind, index, worker);
    std::vector<const void*> inputs = fixed_inputs(here.data);
    inputs.insert(inputs.end(), directions.begin(), directions.end());
    for (std::size_t i = 0; i < here.residuals.size(); ++i) inputs.push_back(here.residuals[i]);
    const Plan& plan = impl_.apply_plan(kind, batch_, block);
    plan.run(inputs.data(), outputs.data(), worker.reserve(plan.workspace_bytes()));
  }

  const Kept& recomputed(Curvature kind, std::int64_t index, Worker& worker) const {
    Kept& here = spare(worker, kind);
    if (here.index == index) return here;
    batches_.fill(index, here.data);
    const std::vector<const void*> inputs = fixed_inputs(here.data);
    std::vector<void*> outputs;
    for (std::size_t i = 0; i < here.residuals.size(); ++i) outputs.push_back(here.residuals[i]);
    const Plan& plan = *impl_.split_plans(kind, batch_).recompute;
    plan.run(inputs.data(), outputs.data(), worker.reserve(plan.workspace_bytes()));
    here.index = index;
    return here;
  }

  Objective::Impl& impl_;
  std::vector<double> w_;
  std::vector<std::int64_t> sample_list_;
  std::int64_t batch_;
  Batches batches_;
  Objective::Impl::Values values_;

  // Products are serialised: they share the workers, and one uses all threads anyway.
  mutable std::mutex mutex_;
  mutable std::mutex spare_mutex_;
  mutable std::map<Curvature, Setup> setups_;
  mutable std::map<const Worker*, Kept> spares_;
  mutable bool have_gradient_ = false;
  mutable double value_ = 0;
  mutable std::vector<double> gradient_;
};

std::unique_ptr<Linearization> Objective::linearize(const double* w, Samples samples) const {
  return std::make_unique<ObjectiveLinearization>(*impl_, w, samples);
}

// ---- residuals and outputs -------------------------------------------------------------------

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
