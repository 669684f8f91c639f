#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "function/colouring.h"
#include "function/entry_plan.h"
#include "function/pooled_plan.h"
#include "transform/sparsity.h"

namespace kappa {

/// Where an entry of a sparse matrix is found in the products: element `element` of the product
/// with colour `colour`.
struct CompressedEntry {
  std::int64_t entry = 0;
  std::int32_t colour = 0;
  std::int64_t element = 0;
};

/// Products of a matrix with the sums of unit vectors of each colour, in blocks, and the entries
/// read off them.
class CompressedProducts {
 public:
  /// `product` has inputs x and a direction of the colours' length, and one output.
  CompressedProducts(const Program& product, std::vector<std::int32_t> colours, std::int32_t count,
                     const std::vector<CompressedEntry>& entries);
  [[nodiscard]] std::int64_t num_products() const { return count_; }
  void evaluate(const double* x, double* values) const;

 private:
  struct Chunk {
    std::vector<std::int32_t> entries;   // empty: 0, 1, 2, ...
    std::vector<std::uint32_t> sources;  // in the block of products
  };
  void fill_seeds(std::int64_t first, double* seeds) const;

  std::vector<std::int32_t> colours_;
  std::int32_t count_;
  std::int64_t block_, length_;
  std::vector<Chunk> chunks_;
  std::shared_ptr<const PooledPlan> plan_;
  std::vector<double> seeds_;  // where one block does it all
};

/// H(x) of a scalar program: its entries computed directly where the program allows it and that is
/// no more work, else read off a block of products by a star colouring.
class SparseHessianPlan {
 public:
  explicit SparseHessianPlan(const Program& scalar);
  [[nodiscard]] const SparsityPattern& pattern() const { return pattern_; }
  [[nodiscard]] std::int64_t num_products() const {
    return products_ ? products_->num_products() : 0;
  }
  [[nodiscard]] std::int64_t num_dense() const { return num_dense_; }
  void evaluate(const double* x, double* values) const;

 private:
  SparsityPattern pattern_;
  std::int64_t num_dense_ = 0;
  std::optional<EntryPlan> entries_;
  std::optional<CompressedProducts> products_;
};

/// J(x), stored by columns: its entries directly, or columns compressed and taken forward with long
/// rows in reverse, or the other way round, whichever needs fewer products.
class SparseJacobianPlan {
 public:
  explicit SparseJacobianPlan(const Program& program);
  /// Of the transpose: row j lists the outputs that depend on x_j.
  [[nodiscard]] const SparsityPattern& pattern() const { return pattern_; }
  [[nodiscard]] std::int64_t num_products() const;
  [[nodiscard]] std::int64_t num_dense() const { return num_dense_; }
  void evaluate(const double* x, double* values) const;

 private:
  SparsityPattern pattern_;
  std::int64_t num_dense_ = 0;
  std::optional<EntryPlan> entries_;
  std::optional<CompressedProducts> forward_, reverse_;
};

}  // namespace kappa
