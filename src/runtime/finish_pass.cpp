#include <algorithm>
#include <vector>

#include "runtime/cpu/combined.h"
#include "runtime/steps.h"

namespace kappa {
namespace {

constexpr std::int64_t tile_bytes = 8192;                // of one register, at most
constexpr std::int64_t register_file_bytes = 24 * 1024;  // all registers of a pass: half of an L1

// A row that repeats is kept in a register for a pass up to this length.
constexpr std::int64_t max_period = 1024;
// Rows shorter than this cost more than loading what changes with them tile by tile.
constexpr std::int64_t least_row = 512;

// How a load repeats its elements (a row added to every row): every `period` elements, for
// `length` elements, after which others are repeated (those of the next direction of a block).
struct Repetition {
  std::int64_t period = 0;  // 0: none
  std::int64_t length = 0;
};
Repetition repetition_of(const FusedStep& fused, const Instruction& x) {
  const Access& access = x.access;
  if (x.kind != Instruction::Kind::load || x.shift != 0 || x.count != fused.count ||
      access.bounded() || access.extents.size() < 2) {
    return {};
  }
  if (access.strides[0] == 0) return {fused.count / access.extents[0], fused.count};
  if (access.extents.size() < 3 || access.strides[1] != 0) return {};
  const std::int64_t length = fused.count / access.extents[0];
  return {length / access.extents[1], length};
}

// A product used once, by a sum, difference or product, is computed along with it.
void combine_arithmetic(FusedStep& fused) {
  std::vector<Instruction>& list = fused.instructions;
  std::vector<int> uses(list.size(), 0);
  for (const Instruction& x : list) {
    for (const int operand : x.operands) ++uses[static_cast<std::size_t>(operand)];
  }
  for (const FusedStep::Output& output : fused.outputs) {
    uses[static_cast<std::size_t>(output.instruction)] += 2;
  }
  std::vector<bool> dead(list.size(), false);
  for (Instruction& x : list) {
    const Kernel::Role role = x.role;
    if (role != Kernel::Role::add && role != Kernel::Role::subtract &&
        role != Kernel::Role::multiply) {
      continue;
    }
    for (const std::size_t side : {std::size_t{0}, std::size_t{1}}) {
      const auto index = static_cast<std::size_t>(x.operands[side]);
      const Instruction& product = list[index];
      if (product.role != Kernel::Role::multiply || uses[index] != 1 || product.shift != x.shift ||
          product.count != x.count || product.type.dtype != x.type.dtype) {
        continue;
      }
      const Combined which =
          role == Kernel::Role::add
              ? Combined::multiply_add
              : (role == Kernel::Role::multiply
                     ? Combined::multiply_multiply
                     : (side == 0 ? Combined::multiply_subtract : Combined::subtract_product));
      const TileFunction function = combined_tile(which, x.type.dtype);
      if (function == nullptr) continue;
      x.function = function;
      x.name = x.name + "*";
      x.role = Kernel::Role::other;
      x.operands = {product.operands[0], product.operands[1], x.operands[1 - side]};
      dead[index] = true;
      break;
    }
  }
  std::vector<int> renamed(list.size(), -1);
  std::vector<Instruction> kept;
  for (std::size_t i = 0; i < list.size(); ++i) {
    if (dead[i]) continue;
    renamed[i] = static_cast<int>(kept.size());
    kept.push_back(std::move(list[i]));
    for (int& operand : kept.back().operands) operand = renamed[static_cast<std::size_t>(operand)];
  }
  for (FusedStep::Output& output : fused.outputs) {
    output.instruction = renamed[static_cast<std::size_t>(output.instruction)];
  }
  list = std::move(kept);
}

void assign_registers(FusedStep& fused) {
  const auto count = fused.instructions.size();
  std::vector<std::size_t> last_use(count, 0);
  for (std::size_t i = 0; i < count; ++i) {
    last_use[i] = std::max(last_use[i], i);
    for (const int operand : fused.instructions[i].operands) {
      last_use[static_cast<std::size_t>(operand)] = i;
    }
  }
  for (const FusedStep::Output& output : fused.outputs) {
    last_use[static_cast<std::size_t>(output.instruction)] = count;
  }
  // What is loaded once keeps its register for the whole pass.
  for (Instruction& x : fused.instructions) {
    if (x.constant) x.register_index = fused.num_registers++;
  }
  std::vector<int> free;
  std::vector<std::vector<int>> release(count + 1);
  for (std::size_t i = 0; i < count; ++i) {
    Instruction& x = fused.instructions[i];
    if (x.register_index < 0) {
      if (free.empty()) free.push_back(fused.num_registers++);
      x.register_index = free.back();
      free.pop_back();
      release[last_use[i]].push_back(x.register_index);
    }
    for (const int r : release[i]) free.push_back(r);
  }
  // An output is computed in its place, unless that is memory which a later instruction of the
  // same tile still reads.
  for (FusedStep::Output& output : fused.outputs) {
    output.in_place = !output.is_sum;
  }
}

}  // namespace

void finish_pass(FusedStep& fused, bool fuse) {
  std::int64_t widest = 1;
  for (const Instruction& x : fused.instructions) widest = std::max(widest, size_of(x.type.dtype));
  std::int64_t period = 1;
  std::int64_t length = fused.count;  // for which all loads that repeat do
  const auto find_period = [&](std::int64_t least_length) {
    period = 1;
    length = fused.count;
    for (const Instruction& x : fused.instructions) {
      const auto [p, l] = repetition_of(fused, x);
      if (p > 0 && p <= max_period && l >= least_length && (p % period == 0 || period % p == 0)) {
        period = std::max(period, p);
        length = std::min(length, l);
      }
    }
  };
  find_period(std::min(fused.count, least_row));
  const auto repeats = [&](const Instruction& x) {
    const auto [p, l] = repetition_of(fused, x);
    return p > 0 && period % p == 0 && l % length == 0;
  };
  // The longest rows that leave every load that does not repeat in one run.
  const auto row_of = [&] {
    std::int64_t row = 0;
    for (const Instruction& x : fused.instructions) {
      if (x.kind != Instruction::Kind::load || x.shift != 0 || x.access.uniform() ||
          x.access.contiguous() || repeats(x)) {
        continue;
      }
      const std::int64_t run = x.access.inner_run();
      if (run >= 128 && run < fused.count && fused.count % run == 0 && run % period == 0 &&
          x.count == fused.count) {
        row = row == 0 ? run : std::min(row, run);
      }
    }
    return row;
  };
  fused.row = row_of();
  if (length < fused.count) {
    if (fused.row % length == 0 && length % period == 0) {
      fused.row = length;
    } else {  // rows are shorter: what changes within the pass is loaded tile by tile
      find_period(fused.count);
      fused.row = row_of();
    }
  }
  for (Instruction& x : fused.instructions) {
    x.constant = x.kind == Instruction::Kind::load && (x.access.uniform() || repeats(x));
    x.changes = x.constant && !x.access.uniform() && repetition_of(fused, x).length < fused.count;
  }
  if (fuse) combine_arithmetic(fused);
  assign_registers(fused);
  std::int64_t bytes = tile_bytes;
  while (bytes > 2048 && bytes * fused.num_registers > register_file_bytes) bytes /= 2;
  const std::int64_t grain = period > 1 ? period : 16;  // a tile is a multiple of it
  fused.tile = std::max<std::int64_t>(bytes / widest / grain, 1) * grain;
  if (fused.row > 0 && fused.row > fused.tile) {
    // Equal pieces of a row rather than a short last one.
    const std::int64_t pieces = (fused.row + fused.tile - 1) / fused.tile;
    fused.tile = ((fused.row + pieces - 1) / pieces + grain - 1) / grain * grain;
  } else if (fused.row > 0) {
    fused.tile = fused.row;
  }
  fused.tile = std::min(fused.tile, std::max<std::int64_t>(fused.count, 1));
  // One cache line more than the tile: registers a multiple of 4 kB apart would make every load
  // wait for the store before it.
  fused.register_bytes = (fused.tile * widest + 63) / 64 * 64 + 64;
}

std::int64_t FusedStep::scratch_bytes() const { return num_registers * register_bytes; }

}  // namespace kappa
