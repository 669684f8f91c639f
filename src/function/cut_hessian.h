#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "function/pooled_plan.h"
#include "transform/cut.h"
#include "transform/sparsity.h"

namespace kappa {

/// A dense Hessian through a cut of its program (transform/cut.h), H = J' h_uu J + M + h_xx:
///
/// All four are read off products with a few sums of unit vectors each. Rows of J with entries
/// in the same columns are a block of u, a dense matrix J_a; what h_uu couples of two blocks adds
/// J_b' diag(h) J_a to H, a matrix product. A mixture of K components on N samples with p variables
/// each takes about p products and N (Kp)²/2 multiplications, where products with unit vectors
/// would be Kp.
class CutHessian {
 public:
  /// Through this cut, or nothing where that would cost `limit` or more (see work_of).
  static std::optional<CutHessian> through(const Cut& cut, double limit);
  /// Through the cheapest cut, or nothing where none costs much less than `work`.
  static std::optional<CutHessian> find(const Program& scalar, double work);

  /// An estimate of the time that evaluate() takes, in additions.
  [[nodiscard]] double work() const { return work_; }
  [[nodiscard]] std::int64_t num_products() const {
    return inner_.count + outer_.count + direct_.count;
  }

  /// H(x), n x n, exactly symmetric.
  void evaluate(const double* x, double* result) const;

 private:
  CutHessian() = default;
  /// An entry of the lower triangle, and which of the products it is.
  struct Entry {
    std::int32_t row = 0, column = 0;
    std::int64_t source = 0;
  };
  /// Products with the sums of unit vectors of each colour, `block` of them a run.
  struct Directions {
    std::vector<std::int32_t> colours;  // of the unit vectors
    std::int32_t count = 0;
    std::int64_t block = 0, num_blocks = 0;
    std::vector<double> seeds;   // of all runs; empty where that would be much
    std::vector<Entry> entries;  // read off the products
    std::shared_ptr<const PooledPlan> plan;

    void colour(const SparsityPattern& pattern);
    void read(const SparsityPattern& symmetric);
    void compile(const Program& product, std::size_t input);
    [[nodiscard]] std::int64_t num_rows() const { return block * num_blocks; }
    void fill(std::int64_t which, double* target) const;
    void add_entries(const double* products, std::int64_t n, double* result) const;
  };
  /// Elements of u that depend on the same variables.
  struct Block {
    std::vector<std::int32_t> columns, rows;
    std::int64_t offset = 0;  // of J_a' among all blocks
    bool contiguous = true;   // rows follow each other
  };
  /// h(row a + k, row b + k) = products[source + k * stride] for k < count; a and b count the rows
  /// of their blocks.
  struct Run {
    std::int32_t a = 0, b = 0, count = 0;
    std::int64_t source = 0, stride = 1;
  };
  struct Coupling {
    std::int32_t a = 0, b = 0;  // blocks, a not before b
    std::int64_t count = 0;
    bool in_place = false;  // few variables and long runs, which need no copies
    std::vector<Run> runs;
  };
  void make_blocks(const SparsityPattern& inner);
  void choose_products(const SparsityPattern& curvature);
  void make_couplings(const SparsityPattern& outer);
  void sort_rows(std::int64_t first, const double* products, double* jacobian) const;
  static void transpose(const Block& block, const double* jacobian, double* result);
  void add_coupling(const Coupling& coupling, const double* jacobian, const double* transposed,
                    const double* curvature, double* scratch, double* result) const;
  void multiply_in_place(const Coupling& coupling, const double* jacobian, const double* curvature,
                         std::int64_t tile, double* product) const;
  void multiply_tiles(const Coupling& coupling, const double* jacobian, const double* transposed,
                      const double* curvature, std::int64_t tile, double* product) const;

  std::int64_t n_ = 0, size_ = 0;  // of x and of u
  double work_ = 0;
  std::vector<Block> blocks_;
  std::vector<std::int32_t> block_of_, place_in_block_;  // of the elements of u
  std::vector<std::vector<std::pair<std::int32_t, std::int32_t>>> block_rows_;  // of each colour
  std::vector<Coupling> couplings_;
  Directions inner_, outer_, direct_;  // for J and M, for h_uu, for h_xx
  std::shared_ptr<const PooledPlan> setup_;
  std::vector<std::int64_t> residual_bytes_;
  std::int64_t jacobian_size_ = 0, transposed_size_ = 0, scratch_size_ = 0;
};

/// An estimate of the time that one run takes, in additions: an element of an elementwise
/// operation is one, and so are eight multiplications of a matrix product.
double work_of(const Program& program);

}  // namespace kappa
