#pragma once

// Sums of elements without their types: indices, chunks, and how an evaluation goes through them.

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <span>
#include <string>

#include "kappa/detail/assembly.h"
#include "kappa/detail/dispatch.h"
#include "kappa/detail/list.h"
#include "kappa/detail/parallel.h"

namespace kappa::detail {

/// The index side of one kind of elements: what the assembly needs, free of types.
struct TermIndices {
  int arity = 0;
  std::int64_t size = 0;
  std::int64_t stride = 0;     ///< size rounded up to a multiple of 8
  List<std::int32_t> entries;  ///< variable k of element e at [k * stride + e]
  [[nodiscard]] std::int32_t at(int k, std::int64_t e) const {
    return entries[static_cast<std::size_t>(k * stride + e)];
  }
};

/// The type-free part of an ElementSum: indices cut into chunks, and the plan of the gradient.
class ElementLayout {
 public:
  [[gnu::cold]] ElementLayout(std::int64_t num_variables, std::span<const TermIndices* const> terms)
      : num_variables_(num_variables) {
    if (num_variables < 0 || num_variables > std::numeric_limits<std::int32_t>::max()) {
      fail(ErrorKind::resource, {"ElementSum: ", num_variables, " variables; at most 2147483647"});
    }
    std::int64_t num_entries = 0;
    for (std::size_t t = 0; t < terms.size(); ++t) {
      check(*terms[t], t);
      cut(*terms[t], static_cast<int>(t));
      num_entries += terms[t]->size * terms[t]->arity * (terms[t]->arity + 1) / 2;
    }
    if (num_entries >= static_cast<std::int64_t>(kNone) - 1) {
      fail(ErrorKind::resource, {"ElementSum: ", num_entries,
                                 " entries of element Hessians; at most 4294967293 in one sum"});
    }
    build_gradient(terms);
  }

  [[nodiscard]] std::int64_t num_variables() const { return num_variables_; }
  [[nodiscard]] const List<Chunk>& chunks() const { return chunks_; }
  [[nodiscard]] const AssemblyPlan& gradient_plan() const { return gradient_plan_; }
  [[nodiscard]] bool touches_all() const { return touches_all_; }

  /// Entries of element Hessians that a chunk holds: what a thread's buffer must have room for.
  static constexpr int kChunkEntries = 12288;
  static int chunk_size(int arity) {
    return std::clamp(kChunkEntries / (arity * (arity + 1) / 2) / 8 * 8, 16, 4096);
  }

 private:
  [[gnu::cold]] void check(const TermIndices& term, std::size_t t) const {
    for (int k = 0; k < term.arity; ++k) {
      for (std::int64_t e = 0; e < term.size; ++e) {
        if (term.at(k, e) >= num_variables_) {
          fail(ErrorKind::value,
               {"ElementSum: term ", t, ", element ", e, ", argument ", k, ": index ",
                term.at(k, e), " is outside 0..", num_variables_ - 1});
        }
      }
    }
  }

  [[gnu::cold]] void cut(const TermIndices& term, int t) {
    const int size = chunk_size(term.arity);
    for (std::int64_t first = 0; first < term.size; first += size) {
      Chunk chunk{t, static_cast<int>(std::min<std::int64_t>(size, term.size - first)), first};
      const std::int64_t padded = (chunk.count + 7) / 8 * 8;
      for (int k = 0; k < term.arity; ++k) {
        bool yes = chunk.count == padded;
        for (std::int64_t e = first + 1; yes && e < first + chunk.count; ++e) {
          yes = term.at(k, e) == term.at(k, e - 1) + 1;
        }
        if (yes) chunk.consecutive |= std::uint64_t{1} << k;
      }
      chunks_.push_back(chunk);
    }
  }

  [[gnu::cold]] void build_gradient(std::span<const TermIndices* const> terms) {
    Destinations identity;
    identity.first.resize(static_cast<std::size_t>(num_variables_));
    List<char> touched(identity.first.size(), 0);
    for (std::size_t i = 0; i < identity.first.size(); ++i) {
      identity.first[i] = static_cast<std::uint32_t>(i);
    }
    gradient_plan_.build(
        chunks_.size(), identity, [&](std::size_t c, List<AssemblyPlan::Entry>& entries) {
          const Chunk& chunk = chunks_[c];
          const TermIndices& term = *terms[static_cast<std::size_t>(chunk.term)];
          const int stride = (chunk.count + 7) / 8 * 8;
          for (int k = 0; k < term.arity; ++k) {
            for (int e = 0; e < chunk.count; ++e) {
              const auto i = static_cast<std::uint32_t>(term.at(k, chunk.first + e));
              touched[i] = 1;
              entries.push_back({static_cast<std::uint32_t>(k * stride + e), i});
            }
          }
        });
    for (const char yes : touched) touches_all_ = touches_all_ && yes != 0;
  }

  std::int64_t num_variables_ = 0;
  List<Chunk> chunks_;
  AssemblyPlan gradient_plan_;
  bool touches_all_ = true;
};

[[gnu::cold, gnu::noinline]] inline void check_size(const char* call, const char* name,
                                                    std::size_t size, std::int64_t expected) {
  if (static_cast<std::int64_t>(size) != expected) {
    fail(ErrorKind::shape, {call, ": ", name, " has ", size, " entries, expected ", expected});
  }
}

/// One kind of elements as an evaluation sees it, and the kernel that answers the question.
struct TermCall {
  const TermIndices* indices = nullptr;
  const void* phi = nullptr;
  const double* numbers = nullptr;
  const void* records = nullptr;
  std::size_t record_size = 0;
  bool packs = false;
  Kernel kernel = nullptr;

  void run(const Chunk& chunk, const double* x, const double* v, const ElementOutputs& out) const {
    ElementRange range;
    range.indices = indices->entries.data() + chunk.first;
    if (numbers != nullptr) range.numbers = numbers + chunk.first;
    if (records != nullptr) {
      range.records =
          static_cast<const char*>(records) + static_cast<std::size_t>(chunk.first) * record_size;
    }
    range.stride = static_cast<std::ptrdiff_t>(indices->stride);
    range.count = packs ? (chunk.count + 7) / 8 * 8 : chunk.count;
    range.consecutive = chunk.consecutive;
    kernel(phi, range, x, v, out);
  }
};

/// What an evaluation is asked for, and where that goes; null: nowhere.
struct Evaluation {
  const ElementLayout& layout;
  std::span<const TermCall> terms;
  const double* x = nullptr;
  const double* v = nullptr;  ///< of a product
  bool values = true;
  bool check_finite = false;
  double* gradient = nullptr;  ///< or the product
  const AssemblyPlan* hessian_plan = nullptr;
  double* hessian = nullptr;
  Projection projection = Projection::none;
  int num_threads = 1;

  /// Every chunk goes into a buffer of its thread, and from there where the plans say. Returns
  /// f(x), summed in a fixed order, or 0 where no values are asked for.
  double run() const {
    if (num_threads < 1) {
      fail(ErrorKind::usage, {"num_threads is ", num_threads, ", expected 1 or more"});
    }
    const List<Chunk>& chunks = layout.chunks();
    const AssemblyPlan& gradient_plan = layout.gradient_plan();
    if (gradient != nullptr && !layout.touches_all()) {
      for (std::int64_t i = 0; i < layout.num_variables(); ++i) gradient[i] = 0;
    }
    const BufferPool::Loan gradient_partials = gradient_plan.take_partials(gradient != nullptr);
    const BufferPool::Loan partials = (hessian_plan == nullptr ? gradient_plan : *hessian_plan)
                                          .take_partials(hessian_plan != nullptr);
    std::size_t buffer_size = 0;
    for (const TermCall& term : terms) {
      const int arity = term.indices->arity;
      const std::int64_t count =
          std::min<std::int64_t>(ElementLayout::chunk_size(arity), term.indices->size);
      const int rows = 1 + (gradient != nullptr ? arity : 0) +
                       (hessian_plan != nullptr ? arity * (arity + 1) / 2 : 0);
      buffer_size = std::max(buffer_size, static_cast<std::size_t>((count + 7) / 8 * 8 * rows));
    }
    List<double> sums(values ? chunks.size() : 0, 0);
    parallel_for(static_cast<std::int64_t>(chunks.size()), num_threads, [&] {
      return [&, buffer = Buffer(buffer_size)](std::int64_t i) {
        const auto c = static_cast<std::size_t>(i);
        const Chunk& chunk = chunks[c];
        const TermCall& term = terms[static_cast<std::size_t>(chunk.term)];
        ElementOutputs out;
        out.stride = (chunk.count + 7) / 8 * 8;
        out.projection = projection;
        double* next = buffer.data();
        if (values) {
          out.value = next;
          next += out.stride;
        }
        if (gradient != nullptr) {
          out.gradient = next;
          next += out.stride * term.indices->arity;
        }
        if (hessian_plan != nullptr) out.hessian = next;
        term.run(chunk, x, v, out);
        if (values) sums[c] = sum_values(out.value, chunk.count);
        if (check_finite) check_values(chunk, out.value);
        if (hessian_plan != nullptr) hessian_plan->pull(c, out.hessian, hessian, partials.data());
        if (gradient != nullptr) {
          gradient_plan.pull(c, out.gradient, gradient, gradient_partials.data());
        }
      };
    });
    if (hessian_plan != nullptr) hessian_plan->reduce(partials.data(), hessian, num_threads);
    if (gradient != nullptr) gradient_plan.reduce(gradient_partials.data(), gradient, num_threads);
    return pairwise_sum(sums.data(), sums.size());
  }

 private:
  /// Eight sums side by side: a fixed order that compilers may vectorise.
  static double sum_values(const double* numbers, int count) {
    double lanes[8] = {};
    int e = 0;
    for (; e + 8 <= count; e += 8) {
      for (int l = 0; l < 8; ++l) lanes[l] += numbers[e + l];
    }
    for (; e < count; ++e) lanes[e % 8] += numbers[e];
    return pairwise_sum(lanes, 8);
  }
  [[gnu::noinline]] static double pairwise_sum(const double* numbers, std::size_t count) {
    if (count < 8) {
      double sum = 0;
      for (std::size_t i = 0; i < count; ++i) sum += numbers[i];
      return sum;
    }
    return pairwise_sum(numbers, count / 2) + pairwise_sum(numbers + count / 2, count - count / 2);
  }

  [[gnu::cold, gnu::noinline]] void check_values(const Chunk& chunk, const double* numbers) const {
    for (int e = 0; e < chunk.count; ++e) {
      if (std::isfinite(numbers[e])) continue;
      const TermIndices& term = *terms[static_cast<std::size_t>(chunk.term)].indices;
      std::string message =
          sentence({"term ", chunk.term, ", element ", chunk.first + e, " is ", numbers[e], " at"});
      for (int k = 0; k < term.arity; ++k) {
        const std::int32_t i = term.at(k, chunk.first + e);
        message += sentence({k == 0 ? " x[" : ", x[", i, "] = ", x[i]});
      }
      throw Error(ErrorKind::value, message += "; start where the function is finite");
    }
  }
};

}  // namespace kappa::detail
