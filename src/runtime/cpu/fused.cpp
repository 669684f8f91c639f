#include <algorithm>
#include <array>
#include <cstring>
#include <vector>

#include "runtime/steps.h"

namespace kappa {
namespace {

// Eight running sums in double, whatever the dtype; the order depends on positions alone.
template <class T>
double sum_elements(const T* x, std::int64_t count) {
  std::array<double, 8> lanes{};
  std::int64_t i = 0;
  for (; i + 8 <= count; i += 8) {
    for (std::size_t k = 0; k < 8; ++k)
      lanes[k] += static_cast<double>(x[i + static_cast<std::int64_t>(k)]);
  }
  for (std::size_t k = 0; i < count; ++i, ++k) lanes[k] += static_cast<double>(x[i]);
  return ((lanes[0] + lanes[1]) + (lanes[2] + lanes[3])) +
         ((lanes[4] + lanes[5]) + (lanes[6] + lanes[7]));
}

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
    }
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
  }

  void run() {
    fill_uniform();
    std::array<double, 8> sums{};
    for (std::int64_t first = 0; first < step_.count;) {
      std::int64_t last = std::min(first + step_.tile, step_.count);
      if (step_.row > 0) last = std::min(last, (first / step_.row + 1) * step_.row);
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
  std::vector<double> more_sums_;

  [[nodiscard]] std::byte* register_of(const Instruction& x) const {
    return scratch_ + x.register_index * step_.register_bytes;
  }

  void fill_uniform() {
    for (std::size_t i = 0; i < step_.instructions.size(); ++i) {
      const Instruction& x = step_.instructions[i];
      if (x.kind != Instruction::Kind::load || !x.access.uniform() || step_.count == 0) continue;
      Access one;
      one.offset = x.access.offset;
      gather_elements(one, 0, step_.tile, size_of(x.type.dtype), address_[x.buffer],
                      register_of(x));
      values_[i] = register_of(x);
    }
  }

  void run_tile(std::int64_t first, std::int64_t last) {
    std::array<const void*, 8> few{};
    std::vector<const void*> many;
    for (std::size_t i = 0; i < step_.instructions.size(); ++i) {
      const Instruction& x = step_.instructions[i];
      const std::int64_t bytes = size_of(x.type.dtype);
      const std::int64_t begin = first + x.shift;
      const std::int64_t end = last + x.shift;
      const bool full = begin >= 0 && end <= x.count;
      if (x.kind == Instruction::Kind::load) {
        if (!x.access.uniform()) values_[i] = load(x, begin, end, full, bytes);
        continue;
      }
      std::byte* target = targets_[i] != nullptr ? targets_[i] + first * bytes : register_of(x);
      values_[i] = target;
      const void** operands = few.data();
      if (x.operands.size() > few.size()) {
        many.resize(x.operands.size());
        operands = many.data();
      }
      std::int64_t skip = 0;
      std::int64_t count = last - first;
      if (!full) {
        // Only part of the run exists; what lies outside reads as zero.
        std::memset(target, 0, static_cast<std::size_t>(count * bytes));
        const std::int64_t from = std::max<std::int64_t>(begin, 0);
        const std::int64_t to = std::min(end, x.count);
        if (from >= to) continue;
        skip = from - begin;
        count = to - from;
      }
      for (std::size_t k = 0; k < x.operands.size(); ++k) {
        const auto operand = static_cast<std::size_t>(x.operands[k]);
        operands[k] = values_[operand] + skip * size_of(step_.instructions[operand].type.dtype);
      }
      x.function({count, operands, target + skip * bytes, *x.attributes});
    }
  }

  const std::byte* load(const Instruction& x, std::int64_t begin, std::int64_t end, bool full,
                        std::int64_t bytes) const {
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
