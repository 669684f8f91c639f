// The second derivative of an objective at one point: residuals kept as the memory budget allows,
// and products with blocks of directions.

#include <algorithm>
#include <map>
#include <mutex>

#include "function/objective_impl.h"
#include "kappa/error.h"

namespace kappa {

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
    run_rounds(
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
        share_out(team, wide, stride, [&](std::int64_t i, std::int64_t first, std::int64_t last) {
          fill_directions(impl_.parts.parameters, impl_.dtype(), from + i * stride, block, first,
                          last, crew.direction(i));
        });
      }
      // Blocks follow one another within a micro-batch: threads side by side then read the same
      // residuals, which one fetches into the shared cache for all.
      run_rounds(
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

}  // namespace kappa
