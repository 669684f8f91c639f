#include <algorithm>
#include <vector>

#include "runtime/steps.h"

namespace kappa {
namespace {

void touch(Schedule& schedule, int buffer, int step) {
  Buffer& b = schedule.buffers[static_cast<std::size_t>(buffer)];
  if (b.first_step < 0) b.first_step = step;
  b.first_step = std::min(b.first_step, step);
  b.last_step = std::max(b.last_step, step);
}

int last_reader(const FusedStep& fused, int buffer) {
  int last = -1;
  for (std::size_t i = 0; i < fused.instructions.size(); ++i) {
    for (const int operand : fused.instructions[i].operands) {
      const Instruction& x = fused.instructions[static_cast<std::size_t>(operand)];
      if (x.kind == Instruction::Kind::load && x.buffer == buffer) last = static_cast<int>(i);
    }
  }
  for (const FusedStep::Output& output : fused.outputs) {
    const Instruction& x = fused.instructions[static_cast<std::size_t>(output.instruction)];
    if (x.kind == Instruction::Kind::load && x.buffer == buffer) {
      last = static_cast<int>(fused.instructions.size());
    }
  }
  return last;
}

bool reusable(const Schedule& schedule, const FusedStep& fused, const Instruction& load, int step) {
  const Buffer& source = schedule.buffers[static_cast<std::size_t>(load.buffer)];
  if (source.place != Buffer::Place::arena || source.last_step != step) return false;
  // Every read of the buffer in this pass is element i at i, by the tile that overwrites it.
  for (const Instruction& x : fused.instructions) {
    if (x.kind != Instruction::Kind::load || x.buffer != load.buffer) continue;
    if (!x.access.contiguous() || x.access.offset != 0 || x.shift != 0 || x.count != fused.count) {
      return false;
    }
  }
  return true;
}

}  // namespace

void set_lifetimes(Schedule& schedule) {
  for (std::size_t s = 0; s < schedule.steps.size(); ++s) {
    const Step& step = schedule.steps[s];
    const int index = static_cast<int>(s);
    if (step.kind == Step::Kind::library) {
      for (const Slot& slot : step.library.inputs) touch(schedule, slot.buffer, index);
      touch(schedule, step.library.output.buffer, index);
    } else {
      for (const Instruction& x : step.fused.instructions) {
        if (x.kind == Instruction::Kind::load) touch(schedule, x.buffer, index);
      }
      for (const FusedStep::Output& output : step.fused.outputs)
        touch(schedule, output.buffer, index);
    }
  }
}

void reuse_in_place(Schedule& schedule) {
  for (std::size_t s = 0; s < schedule.steps.size(); ++s) {
    Step& step = schedule.steps[s];
    if (step.kind != Step::Kind::fused) continue;
    std::vector<int> taken;
    for (FusedStep::Output& output : step.fused.outputs) {
      Buffer& target = schedule.buffers[static_cast<std::size_t>(output.buffer)];
      if (output.is_sum || target.place != Buffer::Place::arena || target.reuses >= 0 ||
          target.first_step != static_cast<int>(s)) {
        continue;
      }
      for (const Instruction& x : step.fused.instructions) {
        if (x.kind != Instruction::Kind::load ||
            !reusable(schedule, step.fused, x, static_cast<int>(s))) {
          continue;
        }
        if (schedule.buffers[static_cast<std::size_t>(x.buffer)].bytes != target.bytes) continue;
        if (std::find(taken.begin(), taken.end(), x.buffer) != taken.end()) continue;
        if (last_reader(step.fused, x.buffer) > output.instruction) output.in_place = false;
        target.reuses = x.buffer;
        taken.push_back(x.buffer);
        break;
      }
    }
  }
}

}  // namespace kappa
