#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "function/pooled_plan.h"
#include "transform/jacobian_entries.h"
#include "transform/sparsity.h"

namespace kappa {

/// A sparse matrix whose entries a program computes as a few long arrays: those, and from where in
/// them each stored value is taken.
class EntryPlan {
 public:
  /// `columns`: the pattern by columns, whose values evaluate() writes. Where `symmetric`, both
  /// triangles are taken from one, so that they are equal to the last bit.
  EntryPlan(const JacobianEntries& entries, const SparsityPattern& columns, bool symmetric);
  void evaluate(const double* x, double* values) const;

 private:
  /// values[first + i * period + j] = entries[base[j] + i] for i < count, j < period.
  struct Run {
    std::int64_t first = 0, count = 0;
    std::vector<std::uint32_t> base;
  };
  void find_runs();

  std::int64_t num_values_ = 0, num_entries_ = 0;
  std::vector<std::int64_t> offsets_;  // of the program's outputs among the entries
  /// Value k is the sum of entries sources_[s], starts_[k] <= s < starts_[k + 1]; starts_ is empty
  /// where that is one each.
  std::vector<std::uint32_t> starts_, sources_;
  std::vector<Run> runs_;  // instead of sources_ where they are regular
  std::shared_ptr<const PooledPlan> plan_;
};

}  // namespace kappa
