#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

#include "base/threads.h"
#include "function/batches.h"
#include "function/crew.h"
#include "function/objective.h"
#include "runtime/plan.h"
#include "transform/split.h"

namespace kappa {

enum class Curvature { hessian, gauss_newton };

/// A curvature product cut at its directions, compiled for blocks of any size on demand.
struct SplitPlans {
  Split split;
  std::unique_ptr<Plan> setup;      // residuals, value, gradient
  std::unique_ptr<Plan> recompute;  // residuals alone
  std::vector<Type> residual_types;
  std::map<std::int64_t, std::unique_ptr<Plan>> apply;  // by block size; 0: one direction
};

/// Everything compiled for one micro-batch size.
struct Compiled {
  std::unique_ptr<Plan> value, gradient, outputs, residuals, residual_jacobian;
  std::map<Curvature, SplitPlans> curvature;
};

/// Results of micro-batches are kept until they are added up, at least so many a thread, and as
/// many more as fit in what is left of the memory budget. Threads wait for one another when all
/// places are taken.
constexpr std::int64_t results_kept = 2;

/// What an objective is made of, and what it keeps between calls: programs compiled for each size
/// of micro-batch, and memory.
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

  [[nodiscard]] std::int64_t batch_of(Samples samples) const;

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

  const Plan& value_plan(std::int64_t batch);
  const Plan& gradient_plan(std::int64_t batch);
  SplitPlans& split_plans(Curvature kind, std::int64_t batch);
  // For a block of k directions; 0: one direction without the leading axis.
  const Plan& apply_plan(Curvature kind, std::int64_t batch, std::int64_t k);

  // Directions taken at a time: as many as keep the working set near a core, or more where a step
  // does little, which larger steps do faster. A power of two, so that usual blocks are cut into
  // equal ones: each size has a plan and memory of its own. Like the micro-batch, it depends on the
  // program alone.
  std::int64_t block_of(Curvature kind, std::int64_t batch);

  // What a block of directions takes beyond one direction, where that is much.
  std::int64_t bytes_of_large_block(Curvature kind, std::int64_t batch);

  // Bytes one worker needs for products of `k` directions.
  std::int64_t worker_bytes(Curvature kind, std::int64_t batch, std::int64_t k);

  // Sets preferred_batch: `wanted`, or what keeps the working set near a cache.
  void choose_batch(std::int64_t wanted);
  int workers_within(std::int64_t bytes_each, std::int64_t batches) const;

  // Results of so many tasks, with `block` directions each, that are kept until they are added up;
  // those of worker_bytes and what fits in `room`, which the directions of blocks share.
  [[nodiscard]] Slots slots_of(std::int64_t tasks, std::int64_t block, int width,
                               std::int64_t room) const;

  // sums[i] (n x k) of the results in slots i, i + columns, i + 2 columns, ..., those of
  // micro-batches [first, first + count) in their order.
  void add_up(ThreadTeam& team, Crew& crew, std::int64_t first, std::int64_t count,
              std::int64_t batches, std::int64_t k, Accumulation finish, std::int64_t columns,
              double* sums) const;

  [[nodiscard]] double penalty(const double* w) const {
    if (parts.l2 == 0) return 0;
    double sum = 0;
    for (std::int64_t i = 0; i < dimension; ++i) sum += w[i] * w[i];
    return 0.5 * parts.l2 * sum;
  }
};

}  // namespace kappa
