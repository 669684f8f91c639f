#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "runtime/cpu/sum.h"
#include "runtime/steps.h"

namespace kappa {
namespace {

// What one pass needs while it runs. Small passes are common (scalar formulas), so nothing is
// allocated for up to `inline_capacity` instructions.
class Pass {
 public:
  Pass(const FusedStep& step, std::byte* const* address, std::byte* scratch)
      : step_(step), address_(address), scratch_(scratch) {
    const std::size_t count = step.instructions.size();
    if (count > inline_capacity) {
      many_values_.resize(count);
      many_targets_.resize(count);
      many_direct_.resize(count);
    }
    direct_ = count > inline_capacity ? many_direct_.data() : few_direct_.data();
    values_ = count > inline_capacity ? many_values_.data() : few_values_.data();
    targets_ = count > inline_capacity ? many_targets_.data() : few_targets_.data();
    std::fill(targets_, targets_ + count, nullptr);
    for (const FusedStep::Output& output : step.outputs) {
      const auto i = static_cast<std::size_t>(output.instruction);
      if (output.in_place && targets_[i] == nullptr &&
          step.instructions[i].kind == Instruction::Kind::tile) {
        targets_[i] = address[output.buffer];
      }
    }
    // Between these bounds every value exists, and plain loads are a pointer each.
    inner_last_ = step.count;
    for (std::size_t i = 0; i < count; ++i) {
      const Instruction& x = step.instructions[i];
      const bool plain = x.kind == Instruction::Kind::load && x.access.contiguous();
      direct_[i] = plain && !x.access.uniform()
                       ? address[x.buffer] + (x.access.offset + x.shift) * size_of(x.type.dtype)
                       : nullptr;
      inner_first_ = std::max(inner_first_, -x.shift);
      inner_last_ = std::min(inner_last_, x.count - x.shift);
    }
  }

  void run() {
    fill_constant();
    std::array<double, 8> sums{};
    for (std::int64_t first = 0; first < step_.count;) {
      std::int64_t last = std::min(first + step_.tile, step_.count);
      if (step_.row > 0) {
        last = std::min(last, (first / step_.row + 1) * step_.row);
        if (changes_ && first > 0 && first % step_.row == 0) fill_changing(first);
      }
      prefetch(last);
      run_tile(first, last);
      finish_tile(first, last, sums.data());
      first = last;
    }
    std::size_t k = 0;
    for (const FusedStep::Output& output : step_.outputs) {
      if (!output.is_sum) continue;
      std::byte* target = address_[output.buffer];
      const double sum = k < sums.size() ? sums[k] : more_sums_[k - sums.size()];
      ++k;
      if (output.sum_dtype == DType::f64) {
        *reinterpret_cast<double*>(target) = sum;
      } else {
        *reinterpret_cast<float*>(target) = static_cast<float>(sum);
      }
    }
  }

 private:
  static constexpr std::size_t inline_capacity = 48;
  const FusedStep& step_;
  std::byte* const* address_;
  std::byte* scratch_;
  std::array<const std::byte*, inline_capacity> few_values_;
  std::array<std::byte*, inline_capacity> few_targets_;
  std::vector<const std::byte*> many_values_;
  std::vector<std::byte*> many_targets_;
  const std::byte** values_ = nullptr;  // where each instruction's run of this tile stands
  std::byte** targets_ = nullptr;       // output memory that an instruction writes, or null
  std::array<const std::byte*, inline_capacity> few_direct_;
  std::vector<const std::byte*> many_direct_;
  const std::byte** direct_ = nullptr;  // element 0 of loads that are read in place
  std::int64_t inner_first_ = 0, inner_last_ = 0;
  bool changes_ = false;  // some loads that are constant in a row change with it
  std::vector<const void*> many_operands_;
  std::vector<double> more_sums_;

  [[nodiscard]] std::byte* register_of(const Instruction& x) const {
    return scratch_ + x.register_index * step_.register_bytes;
  }

  void fill_constant() {
    for (std::size_t i = 0; i < step_.instructions.size(); ++i) {
      const Instruction& x = step_.instructions[i];
      if (!x.constant || step_.count == 0) continue;
      Access one;
      one.offset = x.access.offset;
      gather_elements(x.access.uniform() ? one : x.access, 0, step_.tile, size_of(x.type.dtype),
                      address_[x.buffer], register_of(x));
      values_[i] = register_of(x);
      changes_ = changes_ || x.changes;
    }
  }

  // What is the same in all tiles of the row that begins at `first`.
  void fill_changing(std::int64_t first) {
    for (const Instruction& x : step_.instructions) {
      if (!x.changes) continue;
      gather_elements(x.access, first, first + step_.tile, size_of(x.type.dtype),
                      address_[x.buffer], register_of(x));
    }
  }

  // Asks for what the next tile reads and writes: its streams are too many and too short a run for
  // the hardware to foresee.
  void prefetch(std::int64_t first) const {
    if (first < inner_first_ || first + step_.tile > inner_last_) return;
    const std::byte* previous = nullptr;
    for (std::size_t i = 0; i < step_.instructions.size(); ++i) {
      const std::int64_t bytes = size_of(step_.instructions[i].type.dtype);
      if (direct_[i] != nullptr) {
        const std::byte* from = direct_[i] + first * bytes;
        const bool same = previous != nullptr && std::abs(from - previous) <= 64;
        previous = from;
        if (same) continue;  // the same stream a few elements on
        for (std::int64_t k = 0; k < step_.tile * bytes; k += 64)
          __builtin_prefetch(from + k, 0, 2);
      } else if (targets_[i] != nullptr) {
        std::byte* to = targets_[i] + first * bytes;
        for (std::int64_t k = 0; k < step_.tile * bytes; k += 64) __builtin_prefetch(to + k, 1, 2);
      }
    }
  }

  void run_tile(std::int64_t first, std::int64_t last) {
    const bool inner = first >= inner_first_ && last <= inner_last_;
    const std::size_t count = step_.instructions.size();
    for (std::size_t i = 0; i < count; ++i) {
      const Instruction& x = step_.instructions[i];
      if (x.kind == Instruction::Kind::load) {
        if (direct_[i] != nullptr && inner) {
          values_[i] = direct_[i] + first * size_of(x.type.dtype);
        } else if (!x.constant) {
          const std::int64_t begin = first + x.shift;
          const std::int64_t end = last + x.shift;
          values_[i] = load(x, begin, end, begin >= 0 && end <= x.count);
        }
      } else if (inner) {
        std::byte* target =
            targets_[i] != nullptr ? targets_[i] + first * size_of(x.type.dtype) : register_of(x);
        values_[i] = target;
        call(x, 0, last - first, target);
      } else {
        run_edge(i, first, last);
      }
    }
  }

  // A tile of which only a part may exist; what lies outside reads as zero.
  void run_edge(std::size_t i, std::int64_t first, std::int64_t last) {
    const Instruction& x = step_.instructions[i];
    const std::int64_t bytes = size_of(x.type.dtype);
    const std::int64_t begin = first + x.shift;
    const std::int64_t end = last + x.shift;
    std::byte* target = targets_[i] != nullptr ? targets_[i] + first * bytes : register_of(x);
    values_[i] = target;
    const std::int64_t from = std::max<std::int64_t>(begin, 0);
    const std::int64_t to = std::min(end, x.count);
    if (from > begin || to < end) {
      std::memset(target, 0, static_cast<std::size_t>((last - first) * bytes));
    }
    if (from < to) call(x, from - begin, to - from, target);
  }

  void call(const Instruction& x, std::int64_t skip, std::int64_t count, std::byte* target) {
    std::array<const void*, 8> few;
    const void** operands = few.data();
    if (x.operands.size() > few.size()) {
      many_operands_.resize(x.operands.size());
      operands = many_operands_.data();
    }
    for (std::size_t k = 0; k < x.operands.size(); ++k) {
      const auto operand = static_cast<std::size_t>(x.operands[k]);
      operands[k] = values_[operand] + skip * size_of(step_.instructions[operand].type.dtype);
    }
    x.function({count, operands, target + skip * size_of(x.type.dtype), *x.attributes});
  }

  const std::byte* load(const Instruction& x, std::int64_t begin, std::int64_t end,
                        bool full) const {
    const std::int64_t bytes = size_of(x.type.dtype);
    const std::byte* source = address_[x.buffer];
    const Access& access = x.access;
    if (full && access.contiguous()) return source + (access.offset + begin) * bytes;
    if (full && !access.bounded() && access.strides.back() == 1) {
      // Inside one run of consecutive elements: read in place.
      const std::int64_t run = access.extents.back();
      std::int64_t rest = begin / run;
      if ((end - 1) / run == rest) {
        std::int64_t offset = access.offset + begin % run;
        for (std::size_t a = access.extents.size() - 1; a-- > 0 && rest > 0;) {
          offset += rest % access.extents[a] * access.strides[a];
          rest /= access.extents[a];
        }
        return source + offset * bytes;
      }
    }
    std::byte* target = register_of(x);
    const std::int64_t from = std::max<std::int64_t>(begin, 0);
    const std::int64_t to = std::min(end, x.count);
    if (!full) std::memset(target, 0, static_cast<std::size_t>((end - begin) * bytes));
    if (from < to)
      gather_elements(access, from, to, bytes, source, target + (from - begin) * bytes);
    return target;
  }

  void finish_tile(std::int64_t first, std::int64_t last, double* sums) {
    std::size_t k = 0;
    for (const FusedStep::Output& output : step_.outputs) {
      const auto i = static_cast<std::size_t>(output.instruction);
      const Instruction& x = step_.instructions[i];
      if (output.is_sum) {
        const double part =
            x.type.dtype == DType::f64
                ? sum_elements(reinterpret_cast<const double*>(values_[i]), last - first)
                : sum_elements(reinterpret_cast<const float*>(values_[i]), last - first);
        if (k < 8) {
          sums[k] += part;
        } else {
          more_sums_.resize(std::max(more_sums_.size(), k - 7));
          more_sums_[k - 8] += part;
        }
        ++k;
        continue;
      }
      const std::int64_t bytes = size_of(x.type.dtype);
      std::byte* target = address_[output.buffer] + first * bytes;
      if (values_[i] != target) {
        std::memcpy(target, values_[i], static_cast<std::size_t>((last - first) * bytes));
      }
    }
  }
};

}  // namespace

void run_fused(const FusedStep& step, std::byte* const* address, std::byte* scratch) {
  Pass(step, address, scratch).run();
}

}  // namespace kappa
