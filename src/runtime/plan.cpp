#include "runtime/plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <vector>

#include "runtime/steps.h"

namespace kappa {

struct Plan::Impl {
  Program program;
  Schedule schedule;
  std::int64_t arena_bytes = 0;
  std::int64_t scratch_bytes = 0;
};

Plan::Plan(Program program, const PlanOptions& options) {
  auto impl = std::make_unique<Impl>();
  impl->program = std::move(program);
  impl->schedule = make_schedule(impl->program, options.fuse);
  impl->arena_bytes = place_buffers(impl->schedule);
  for (const Step& step : impl->schedule.steps) {
    const std::int64_t need =
        step.kind == Step::Kind::library ? step.library.scratch_bytes : step.fused.scratch_bytes();
    impl->scratch_bytes = std::max(impl->scratch_bytes, need);
  }
  impl_ = std::move(impl);
}

Plan::~Plan() = default;
Plan::Plan(Plan&&) noexcept = default;
Plan& Plan::operator=(Plan&&) noexcept = default;

const Program& Plan::program() const { return impl_->program; }
double Plan::flops() const { return impl_->schedule.flops; }
std::size_t Plan::num_steps() const { return impl_->schedule.steps.size(); }

std::int64_t Plan::workspace_bytes() const {
  const auto table = static_cast<std::int64_t>(impl_->schedule.buffers.size() * sizeof(void*));
  return impl_->arena_bytes + (table + 63) / 64 * 64 + impl_->scratch_bytes + 64;
}

namespace {

// The workspace of a run: arena, table of addresses, scratch.
struct Places {
  std::byte* const* address;
  std::byte* scratch;
};

void run_step(const Step& step, const Places& places) {
  if (step.kind == Step::Kind::fused) return run_fused(step.fused, places.address, places.scratch);
  const auto locate = [&](const Slot& slot) {
    return places.address[slot.buffer] + slot.byte_offset;
  };
  const LibraryStep& library = step.library;
  std::array<const void*, 8> few{};
  std::vector<const void*> many;
  const void** operands = few.data();
  if (library.inputs.size() > few.size()) {
    many.resize(library.inputs.size());
    operands = many.data();
  }
  for (std::size_t i = 0; i < library.inputs.size(); ++i) operands[i] = locate(library.inputs[i]);
  library.node->primitive->kernel.run({library.node->attributes, library.input_types,
                                       library.node->type, operands, locate(library.output),
                                       library.accumulate, places.scratch});
}

Places place(const Schedule& schedule, std::int64_t arena_bytes, const void* const* inputs,
             void* const* outputs, void* workspace) {
  auto* arena = static_cast<std::byte*>(workspace);
  auto* address = reinterpret_cast<std::byte**>(arena + arena_bytes);
  const auto table = static_cast<std::int64_t>(schedule.buffers.size() * sizeof(void*));
  for (std::size_t b = 0; b < schedule.buffers.size(); ++b) {
    const Buffer& buffer = schedule.buffers[b];
    switch (buffer.place) {
      case Buffer::Place::input:
        // Steps only read inputs; one table of addresses serves both directions.
        address[b] = static_cast<std::byte*>(const_cast<void*>(inputs[buffer.index]));
        break;
      case Buffer::Place::constant: address[b] = const_cast<std::byte*>(buffer.constant); break;
      case Buffer::Place::arena: address[b] = arena + buffer.offset; break;
      case Buffer::Place::output:
        address[b] = static_cast<std::byte*>(outputs[buffer.index]);
        break;
    }
  }
  return {address, arena + arena_bytes + (table + 63) / 64 * 64};
}

}  // namespace

void Plan::run(const void* const* inputs, void* const* outputs, void* workspace) const {
  const Schedule& schedule = impl_->schedule;
  const Places places = place(schedule, impl_->arena_bytes, inputs, outputs, workspace);
  for (const Step& step : schedule.steps) run_step(step, places);
}

void Plan::run_timed(const void* const* inputs, void* const* outputs, void* workspace,
                     double* seconds) const {
  using Clock = std::chrono::steady_clock;
  const Schedule& schedule = impl_->schedule;
  const Places places = place(schedule, impl_->arena_bytes, inputs, outputs, workspace);
  Clock::time_point start = Clock::now();
  for (const Step& step : schedule.steps) {
    run_step(step, places);
    const Clock::time_point end = Clock::now();
    *seconds++ += std::chrono::duration<double>(end - start).count();
    start = end;
  }
}

std::string Plan::describe() const {
  const Schedule& schedule = impl_->schedule;
  const auto place = [&](int b) {
    const Buffer& buffer = schedule.buffers[static_cast<std::size_t>(b)];
    switch (buffer.place) {
      case Buffer::Place::input: return fmt::format("in{}", buffer.index);
      case Buffer::Place::constant: return fmt::format("const{}", b);
      case Buffer::Place::arena: return fmt::format("b{}@{}", b, buffer.offset);
      case Buffer::Place::output: return fmt::format("out{}", buffer.index);
    }
    return std::string();
  };
  std::string text;
  for (std::size_t s = 0; s < schedule.steps.size(); ++s) {
    const Step& step = schedule.steps[s];
    text += fmt::format("{}: ", s);
    if (step.kind == Step::Kind::library) {
      text += step.library.node->primitive->name;
      for (std::size_t i = 0; i < step.library.inputs.size(); ++i) {
        text += fmt::format(" {}{}", place(step.library.inputs[i].buffer),
                            to_string(step.library.input_types[i]));
      }
      text += fmt::format(" {} {}{}\n", step.library.accumulate ? "+=>" : "->",
                          place(step.library.output.buffer), to_string(step.library.node->type));
      continue;
    }
    const FusedStep& fused = step.fused;
    text += fmt::format("fused over {} (tile {}, row {}, {} registers):", fused.count, fused.tile,
                        fused.row, fused.num_registers);
    for (std::size_t i = 0; i < fused.instructions.size(); ++i) {
      const Instruction& x = fused.instructions[i];
      if (x.kind == Instruction::Kind::load) {
        text += fmt::format(" %{}={}", i, place(x.buffer));
        if (!x.access.contiguous()) {
          text += fmt::format("[{};{};{}]", x.access.offset, fmt::join(x.access.extents, ","),
                              fmt::join(x.access.strides, ","));
        }
      } else {
        text += fmt::format(" %{}={}({})", i, x.name, fmt::join(x.operands, ","));
      }
      if (x.shift != 0) text += fmt::format("<<{}", x.shift);
    }
    for (const FusedStep::Output& output : fused.outputs) {
      text += fmt::format(" {}%{} -> {}", output.is_sum ? "sum " : "", output.instruction,
                          place(output.buffer));
    }
    text += "\n";
  }
  return text + fmt::format("arena {} bytes, scratch {} bytes, {:.3g} flops\n", impl_->arena_bytes,
                            impl_->scratch_bytes, schedule.flops);
}

}  // namespace kappa
