#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "function/pooled_plan.h"
#include "transform/sparsity.h"

namespace kappa {

/// Products of a sparse matrix with sums of unit vectors, those of a colour in one, from which its
/// entries are read off. The products are made in runs of several.
class UnitProducts {
 public:
  /// Colours by which every entry of the pattern can be read off.
  void colour(const SparsityPattern& pattern);
  /// Cuts the products into runs that fit a cache.
  void arrange(const Program& product);
  /// The plan, for the direction as the `input`-th input of `product`.
  void compile(const Program& product, std::size_t input);

  [[nodiscard]] std::int64_t count() const { return count_; }
  [[nodiscard]] std::int64_t num_runs() const { return num_runs_; }
  [[nodiscard]] std::int64_t num_a_run() const { return num_a_run_; }
  /// Of all runs; the last products may be of no colour.
  [[nodiscard]] std::int64_t num_products() const { return num_a_run_ * num_runs_; }
  [[nodiscard]] std::int32_t colour_of(std::int32_t column) const {
    return colours_[static_cast<std::size_t>(column)];
  }
  /// `inputs` are those of the product; that of the direction is written here.
  void run(std::int64_t which, std::vector<const void*>& inputs,
           const std::vector<void*>& outputs) const;

 private:
  void write_ones(std::int64_t which, double value, double* seeds) const;

  std::vector<std::int32_t> colours_;
  struct Columns {
    std::int32_t first = 0, count = 0;
  };
  std::vector<std::vector<Columns>> columns_;  // of each colour
  std::int64_t count_ = 0, num_a_run_ = 0, num_runs_ = 0;
  std::size_t input_ = 0;
  std::shared_ptr<const PooledPlan> plan_;
};

/// The lower triangle of a symmetric matrix among the products of it.
class SymmetricEntries {
 public:
  void read(const SparsityPattern& symmetric, const UnitProducts& products);
  /// Adds them to a matrix of n columns.
  void add(const double* products, std::int64_t n, double* result) const {
    for (const Entry& entry : entries_) {
      result[entry.row * n + entry.column] += products[entry.source];
    }
  }

 private:
  struct Entry {
    std::int32_t row = 0, column = 0;
    std::int64_t source = 0;
  };
  std::vector<Entry> entries_;
};

}  // namespace kappa
