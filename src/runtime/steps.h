#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "program/builder.h"
#include "runtime/access.h"

// What a plan consists of. make_schedule decides what is stored (stored_values.h) and makes steps
// (schedule.cpp, finish_pass.cpp, lifetimes.cpp), placement (arena.cpp) gives buffers their
// offsets, execution (plan.cpp, cpu/fused.cpp) runs them.

namespace kappa {

/// Where an array lives while a plan runs.
struct Buffer {
  enum class Place { input, constant, arena, output } place = Place::arena;
  std::int64_t index = 0;  // of the input or output
  const std::byte* constant = nullptr;
  std::int64_t bytes = 0;
  std::int64_t offset = 0;  // in the arena
  int first_step = -1;      // arena: steps between which the buffer is in use
  int last_step = -1;
  int reuses = -1;  // arena: takes over the memory of this buffer, in place
};

/// A contiguous array inside a buffer.
struct Slot {
  int buffer = -1;
  std::int64_t byte_offset = 0;
};

/// One call of a general kernel.
struct LibraryStep {
  const Node* node = nullptr;
  std::vector<Type> input_types;
  std::vector<Slot> inputs;
  Slot output;
  bool accumulate = false;
  std::int64_t scratch_bytes = 0;
};

/// One instruction of a fused pass. It defines a register, a run of elements of one value; values
/// are walked together by a flat index i of the pass, this one at element i + shift.
struct Instruction {
  enum class Kind { load, tile } kind = Kind::tile;
  Type type;  // dtype of the register; shape of the whole value
  std::int64_t shift = 0;
  std::int64_t count = 0;  // elements of the whole value; outside of [0, count) it reads as zero
  // load
  int buffer = -1;
  Access access;
  bool constant = false;  // the same elements in every tile: loaded once a pass,
  bool changes = false;   // or once a row
  // tile
  TileFunction function = nullptr;
  const Attributes* attributes = nullptr;
  std::vector<int> operands;  // instructions
  Kernel::Role role = Kernel::Role::other;
  std::string name;         // for describe()
  int register_index = -1;  // scratch register, or -1 when it writes into an output
};

/// A pass over `count` elements, tile by tile.
struct FusedStep {
  struct Output {
    int instruction = -1;
    int buffer = -1;
    bool is_sum = false;    // the sum over all elements instead of the elements
    bool in_place = false;  // the instruction writes straight into the buffer
    DType sum_dtype = DType::f64;
  };
  std::int64_t count = 0;
  std::int64_t tile = 0;  // elements a tile
  std::int64_t row = 0;   // tiles do not cross multiples of this; 0: no limit
  int num_registers = 0;
  std::int64_t register_bytes = 0;
  std::vector<Instruction> instructions;
  std::vector<Output> outputs;
  [[nodiscard]] std::int64_t scratch_bytes() const;
};

struct Step {
  enum class Kind { library, fused } kind;
  LibraryStep library;
  FusedStep fused;
};

struct Schedule {
  std::vector<Buffer> buffers;
  std::vector<Step> steps;
  double flops = 0;
};

/// Buffers and steps of a program, buffers not yet placed. Steps refer to nodes of `program`.
Schedule make_schedule(const Program& program, bool fuse);

/// Tile size, rows and registers of a pass whose instructions stand. With `fuse`, products are
/// computed along with the sums and differences they go into.
void finish_pass(FusedStep& step, bool fuse);

/// The first and last step that uses each buffer.
void set_lifetimes(Schedule& schedule);

/// A pass may write where it reads for the last time, element by element.
void reuse_in_place(Schedule& schedule);

/// Gives every arena buffer its offset; returns the arena's size in bytes.
std::int64_t place_buffers(Schedule& schedule);

/// Runs one fused pass; `address[b]` is where buffer b lives.
void run_fused(const FusedStep& step, std::byte* const* address, std::byte* scratch);

}  // namespace kappa
