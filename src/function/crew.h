#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "base/threads.h"
#include "function/batches.h"
#include "program/tensor.h"

// Memory and rounds of the threads that work on one call of an objective.

namespace kappa {

/// What one thread needs at a time.
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

/// Places for results of micro-batches: those that a call uses, and those that its budget has room
/// for.
struct Slots {
  std::int64_t count = 0, most = 0;
};

/// What one call needs at a time: a worker a thread, the results of micro-batches that wait to be
/// added up, and blocks of directions in the program's type.
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

/// Calls body(worker, micro-batch, slot of its results) for all micro-batches, and
/// add(first, count) when all slots are full, or at the end.
template <class Body, class Add>
void run_rounds(ThreadTeam& team, Crew& crew, std::int64_t batches, std::int64_t slots, Body body,
                Add add) {
  for (std::int64_t first = 0; first < batches; first += slots) {
    const std::int64_t count = std::min(slots, batches - first);
    team.for_each(count, [&](int thread, std::int64_t slot) {
      body(crew.workers[static_cast<std::size_t>(thread)], first + slot, slot);
    });
    add(first, count);
  }
}

/// Calls work(array, first, last) for ranges of the elements of so many arrays.
template <class Work>
void share_out(ThreadTeam& team, std::int64_t arrays, std::int64_t elements, Work work) {
  constexpr std::int64_t worth_sharing = 1 << 13;  // elements to convert or add
  const std::int64_t pieces =
      team.size() == 1 ? 1 : std::clamp<std::int64_t>(elements / worth_sharing, 1, 2 * team.size());
  team.for_each(arrays * pieces, [&](int, std::int64_t i) {
    const std::int64_t piece = i % pieces;
    work(i / pieces, elements * piece / pieces, elements * (piece + 1) / pieces);
  });
}

}  // namespace kappa
