#pragma once

// From the entries of many small gradients or Hessians to one vector or matrix, without triplets.
//
// Elements are evaluated chunk by chunk into a buffer that stays in cache. Then every output that
// the chunk contributes to is pulled: its contributions, whose positions in the buffer are known
// since set-up, are summed in a fixed order and written once. Nothing is zeroed, nothing is read
// back from the output, and no two chunks write to the same place: what several chunks contribute
// to goes to a side buffer, one entry a chunk, and is summed at the end, again in a fixed order. So
// the bits do not depend on the number of threads.

#include <algorithm>
#include <cstdint>
#include <limits>
#include <mutex>
#include <new>

#include "kappa/detail/list.h"
#include "kappa/detail/parallel.h"

namespace kappa::detail {

inline constexpr std::uint32_t kNone = std::numeric_limits<std::uint32_t>::max();

/// Neighbouring elements of one kind that are evaluated together.
struct Chunk {
  int term = 0;
  int count = 0;
  std::int64_t first = 0;
  std::uint64_t consecutive = 0;  ///< bit k: variable k of neighbours are neighbours
};

/// Where an output goes: one place, or two (both triangles of a symmetric matrix).
struct Destinations {
  List<std::uint32_t> first;
  List<std::uint32_t> second;  ///< empty, or kNone where there is no second place
};

/// Memory without initial values, aligned for every pack.
class Buffer {
 public:
  explicit Buffer(std::size_t size) : data_(size == 0 ? nullptr : allocate(size)) {}
  ~Buffer() { release(data_); }
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;
  [[nodiscard]] double* data() const { return data_; }

  static double* allocate(std::size_t size) {
    return static_cast<double*>(::operator new (size * sizeof(double), std::align_val_t{64}));
  }
  static void release(double* data) { ::operator delete (data, std::align_val_t{64}); }

 private:
  double* data_;
};

/// Buffers of one size, kept between calls: a fresh one of some megabytes is a page fault every
/// four kilobytes, which costs more than what is computed on it. A copy starts with none.
class BufferPool {
 public:
  BufferPool() = default;
  BufferPool(const BufferPool&) noexcept {}
  BufferPool& operator=(const BufferPool&) noexcept { return *this; }
  ~BufferPool() {
    for (double* buffer : free_) Buffer::release(buffer);
  }

  /// A buffer that goes back to the pool at its end.
  class Loan {
   public:
    [[gnu::noinline]] Loan(BufferPool& pool, std::size_t size) : pool_(pool) {
      if (size == 0) return;
      {
        const std::lock_guard lock(pool_.mutex_);
        if (!pool_.free_.empty()) {
          data_ = pool_.free_.back();
          pool_.free_.pop_back();
          return;
        }
      }
      data_ = Buffer::allocate(size);
    }
    [[gnu::noinline]] ~Loan() {
      if (data_ == nullptr) return;
      const std::lock_guard lock(pool_.mutex_);
      pool_.free_.push_back(data_);
    }
    Loan(const Loan&) = delete;
    Loan& operator=(const Loan&) = delete;
    [[nodiscard]] double* data() const { return data_; }

   private:
    BufferPool& pool_;
    double* data_ = nullptr;
  };

 private:
  std::mutex mutex_;
  List<double*> free_;
};

/// How the chunk buffers become outputs.
class AssemblyPlan {
 public:
  /// An entry of the chunk's buffer, and the output that it contributes to.
  struct Entry {
    std::uint32_t position, slot;
  };
  /// Appends the entries of a chunk in the order of their positions, which are below 65536. Refers
  /// to a callable (chunk, entries) that outlives it.
  class EntriesOf {
   public:
    template <class F>
    EntriesOf(const F& f)  // NOLINT: implicit
        : callable_(&f), call_([](const void* callable, std::size_t chunk, List<Entry>& entries) {
            (*static_cast<const F*>(callable))(chunk, entries);
          }) {}
    void operator()(std::size_t chunk, List<Entry>& entries) const {
      call_(callable_, chunk, entries);
    }

   private:
    const void* callable_;
    void (*call_)(const void*, std::size_t, List<Entry>&);
  };

  /// Once, on an empty plan. Linear in the entries. Set-up is `cold`, optimised for size: as fast,
  /// and sooner compiled.
  [[gnu::cold]] void build(std::size_t num_chunks, const Destinations& destinations,
                           const EntriesOf& entries_of) {
    const std::size_t num_slots = destinations.first.size();
    constexpr std::uint32_t kShared = kNone - 1;
    List<std::uint32_t> owner(num_slots, kNone);
    List<Entry> entries;
    for (std::size_t c = 0; c < num_chunks; ++c) {
      entries.clear();
      entries_of(c, entries);
      for (const Entry& entry : entries) {
        std::uint32_t& o = owner[entry.slot];
        if (o == kNone) {
          o = static_cast<std::uint32_t>(c);
        } else if (o != c) {
          o = kShared;
        }
      }
    }
    // Number the shared slots; count later how many chunks contribute to each.
    List<std::uint32_t> shared_index;
    for (std::size_t s = 0; s < num_slots; ++s) {
      if (owner[s] != kShared) continue;
      if (shared_index.empty()) shared_index.assign(num_slots, kNone);
      shared_index[s] = static_cast<std::uint32_t>(shared_first_.size());
      shared_first_.push_back(destinations.first[s]);
      shared_second_.push_back(destinations.second.empty() ? kNone : destinations.second[s]);
    }
    List<std::uint32_t> partial_count(shared_first_.size() + 1, 0);

    struct Output {
      std::uint32_t slot, begin, end;  // its contributions in `positions`
      std::uint32_t key;               // outputs of one group have one key
    };
    List<std::uint32_t> local(num_slots, kNone);  // output of a slot in this chunk
    List<std::uint16_t> positions;
    List<Output> found;
    List<Output> outputs;
    List<std::uint32_t> keys;
    List<std::uint32_t> irregular;
    group_begin_.push_back(0);
    for (std::size_t c = 0; c < num_chunks; ++c) {
      // Outputs in the order of their first contribution, which is what makes runs visible.
      found.clear();
      entries.clear();
      entries_of(c, entries);
      for (const auto& [position, slot] : entries) {
        if (local[slot] == kNone) {
          local[slot] = static_cast<std::uint32_t>(found.size());
          found.push_back({slot, 0, 0, 0});
        }
        ++found[local[slot]].end;
      }
      std::uint32_t num_positions = 0;
      keys.clear();
      for (Output& output : found) {
        const std::uint32_t count = output.end;
        output.begin = output.end = num_positions;
        num_positions += count;
        const bool shared = owner[output.slot] == kShared;
        const bool twin =
            !shared && !destinations.second.empty() && destinations.second[output.slot] != kNone;
        output.key = count << 2 | (shared ? 2u : 0u) | (twin ? 1u : 0u);
        bool known = false;
        for (const std::uint32_t key : keys) known = known || key == output.key;
        if (!known) keys.push_back(output.key);
      }
      positions.resize(num_positions);
      for (const auto& [position, slot] : entries) {
        positions[found[local[slot]].end++] = static_cast<std::uint16_t>(position);
      }
      std::sort(keys.begin(), keys.end());
      outputs.clear();
      for (const std::uint32_t key : keys) {
        for (const Output& output : found) {
          if (output.key == key) outputs.push_back(output);
        }
      }
      for (std::size_t o = 0; o < outputs.size(); ++o) {
        local[outputs[o].slot] = static_cast<std::uint32_t>(o);
      }
      for (std::size_t b = 0; b < outputs.size();) {
        std::size_t e = b;
        while (e < outputs.size() && outputs[e].key == outputs[b].key) ++e;
        Group group;
        group.num_sources = outputs[b].end - outputs[b].begin;
        group.shared = (outputs[b].key & 2u) != 0;
        group.twin = (outputs[b].key & 1u) != 0;
        const auto to_first = [&](std::size_t o) { return destinations.first[outputs[o].slot]; };
        const auto to_second = [&](std::size_t o) {
          return group.twin ? destinations.second[outputs[o].slot] : 0;
        };
        const auto source = [&](std::size_t o, std::uint32_t s) {
          return positions[outputs[o].begin + s];
        };
        irregular.clear();
        for (std::size_t o = b; o < e;) {
          std::size_t end = o + 1;
          if (!group.shared && end < e) {
            const std::uint32_t stride = to_first(end) - to_first(o);
            const std::uint32_t twin_stride = to_second(end) - to_second(o);
            const auto continues = [&](std::size_t i) {
              if (to_first(i) - to_first(i - 1) != stride) return false;
              if (to_second(i) - to_second(i - 1) != twin_stride) return false;
              for (std::uint32_t s = 0; s < group.num_sources; ++s) {
                if (source(i, s) != source(i - 1, s) + 1) return false;
              }
              return true;
            };
            while (end < e && continues(end)) ++end;
            if (end - o >= kMinRun) {
              Group run = group;
              run.run = true;
              run.num_outputs = static_cast<std::uint32_t>(end - o);
              run.sources = sources_.size();
              run.destinations = destinations_.size();
              for (std::uint32_t s = 0; s < group.num_sources; ++s) {
                sources_.push_back(source(o, s));
              }
              destinations_.push_back(to_first(o));
              destinations_.push_back(stride);
              destinations_.push_back(to_second(o));
              destinations_.push_back(twin_stride);
              groups_.push_back(run);
              o = end;
              continue;
            }
          }
          // What is in no run goes in the order of the output, which is written front to back.
          for (; o < end; ++o) irregular.push_back(outputs[o].slot);
        }
        b = e;
        if (irregular.empty()) continue;
        std::sort(irregular.begin(), irregular.end());
        for (std::uint32_t& o : irregular) o = local[o];  // from slot to output
        group.num_outputs = static_cast<std::uint32_t>(irregular.size());
        group.sources = sources_.size();
        group.destinations = destinations_.size();
        for (std::uint32_t s = 0; s < group.num_sources; ++s) {
          for (const std::uint32_t o : irregular) sources_.push_back(source(o, s));
        }
        for (const std::uint32_t o : irregular) {
          if (group.shared) {
            const std::uint32_t index = shared_index[outputs[o].slot];
            destinations_.push_back(index);
            ++partial_count[index + 1];
          } else {
            destinations_.push_back(to_first(o));
          }
        }
        if (group.twin) {
          for (const std::uint32_t o : irregular) destinations_.push_back(to_second(o));
        }
        groups_.push_back(group);
      }
      group_begin_.push_back(groups_.size());
      for (const Output& output : found) local[output.slot] = kNone;
    }
    // A shared slot's partial sums stand together, in the order of the chunks.
    for (std::size_t s = 1; s < partial_count.size(); ++s) partial_count[s] += partial_count[s - 1];
    shared_begin_ = partial_count;
    for (const Group& group : groups_) {
      if (!group.shared) continue;
      for (std::uint32_t o = 0; o < group.num_outputs; ++o) {
        std::uint32_t& d = destinations_[group.destinations + o];
        d = partial_count[d]++;
      }
    }
    sources_.shrink_to_fit();
    destinations_.shrink_to_fit();
  }

  /// Partial sums that wait for reduce().
  [[nodiscard]] std::size_t num_partials() const {
    return shared_begin_.empty() ? 0 : shared_begin_.back();
  }

  /// Writes the outputs that chunk alone contributes to, and its partial sums of the others.
  void pull(std::size_t chunk, const double* buffer, double* outputs, double* partials) const {
    for (std::size_t g = group_begin_[chunk]; g < group_begin_[chunk + 1]; ++g) {
      const Group& group = groups_[g];
      double* to = group.shared ? partials : outputs;
      switch (group.num_sources) {
        case 1: pull_group<1>(group, buffer, to); break;
        case 2: pull_group<2>(group, buffer, to); break;
        default: pull_group<0>(group, buffer, to); break;
      }
    }
  }

  /// Memory for them.
  [[nodiscard]] BufferPool::Loan take_partials(bool wanted = true) const {
    return {pool_, wanted ? num_partials() : 0};
  }

  /// Adds up the partial sums, once every chunk is pulled.
  void reduce(const double* partials, double* outputs, int num_threads) const {
    constexpr std::size_t kBlock = 8192;
    const std::size_t count = shared_first_.size();
    const auto blocks = static_cast<std::int64_t>((count + kBlock - 1) / kBlock);
    parallel_for(blocks, num_threads, [&] {
      return [&](std::int64_t block) {
        const std::size_t first = static_cast<std::size_t>(block) * kBlock;
        for (std::size_t s = first; s < std::min(first + kBlock, count); ++s) {
          double sum = partials[shared_begin_[s]];
          for (std::uint32_t p = shared_begin_[s] + 1; p < shared_begin_[s + 1]; ++p) {
            sum += partials[p];
          }
          outputs[shared_first_[s]] = sum;
          if (shared_second_[s] != kNone) outputs[shared_second_[s]] = sum;
        }
      };
    });
  }

 private:
  /// Outputs of a chunk with equally many contributions: source s of output o is
  /// sources_[sources + s * num_outputs + o].
  struct Group {
    std::size_t sources = 0;
    std::size_t destinations = 0;
    std::uint32_t num_outputs = 0;
    std::uint32_t num_sources = 0;
    bool shared = false;  ///< destinations are partial sums
    bool twin = false;    ///< the second destinations follow the first
    /// All sources of output o are those of output 0 plus o, and its destinations lie in an
    /// arithmetic progression: sources_ holds output 0's, destinations_ start and stride, twice.
    /// Chains and grids consist of runs; their plans take no memory and their sums no look-ups.
    bool run = false;
  };
  static constexpr std::size_t kMinRun = 16;

  template <std::uint32_t kSources>
  void pull_group(const Group& group, const double* buffer, double* outputs) const {
    const std::uint32_t n = group.num_outputs;
    const std::uint16_t* source = sources_.data() + group.sources;
    const std::uint32_t* destination = destinations_.data() + group.destinations;
    const auto sum_of = [&](std::uint32_t o) {
      double sum = buffer[source[o]];
      if constexpr (kSources > 0) {
        for (std::uint32_t s = 1; s < kSources; ++s) sum += buffer[source[s * n + o]];
      } else {
        for (std::uint32_t s = 1; s < group.num_sources; ++s) {
          sum += buffer[source[std::size_t{s} * n + o]];
        }
      }
      return sum;
    };
    if (group.run) {
      pull_run<kSources>(group, buffer, outputs);
    } else if (group.twin) {
      for (std::uint32_t o = 0; o < n; ++o) {
        const double sum = sum_of(o);
        outputs[destination[o]] = sum;
        outputs[destination[n + o]] = sum;
      }
    } else {
      for (std::uint32_t o = 0; o < n; ++o) outputs[destination[o]] = sum_of(o);
    }
  }

  template <std::uint32_t kSources>
  void pull_run(const Group& group, const double* buffer, double* outputs) const {
    const std::uint32_t* d = destinations_.data() + group.destinations;
    const auto stride = static_cast<std::int32_t>(d[1]);
    const auto twin_stride = static_cast<std::int32_t>(d[3]);
    const double* source[kSources > 0 ? kSources : 1];
    for (std::uint32_t s = 0; s < kSources; ++s) {
      source[s] = buffer + sources_[group.sources + s];
    }
    const auto sum_of = [&](std::uint32_t o) {
      if constexpr (kSources > 0) {
        double sum = source[0][o];
        for (std::uint32_t s = 1; s < kSources; ++s) sum += source[s][o];
        return sum;
      } else {
        double sum = buffer[sources_[group.sources] + o];
        for (std::uint32_t s = 1; s < group.num_sources; ++s) {
          sum += buffer[sources_[group.sources + s] + o];
        }
        return sum;
      }
    };
    double* first = outputs + d[0];
    double* second = outputs + d[2];
    if (group.twin) {
      for (std::uint32_t o = 0; o < group.num_outputs;
           ++o, first += stride, second += twin_stride) {
        *first = *second = sum_of(o);
      }
    } else if (stride == 1) {
      for (std::uint32_t o = 0; o < group.num_outputs; ++o) first[o] = sum_of(o);
    } else {
      for (std::uint32_t o = 0; o < group.num_outputs; ++o, first += stride) *first = sum_of(o);
    }
  }

  mutable BufferPool pool_;
  List<Group> groups_;
  List<std::size_t> group_begin_;
  List<std::uint16_t> sources_;
  List<std::uint32_t> destinations_;
  List<std::uint32_t> shared_begin_;
  List<std::uint32_t> shared_first_;
  List<std::uint32_t> shared_second_;
};

}  // namespace kappa::detail
