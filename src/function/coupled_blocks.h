#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "function/unit_products.h"
#include "transform/sparsity.h"

namespace kappa {

/// Adds J' h J to the lower triangle of a matrix, J and the symmetric h sparse and read off
/// products with sums of unit vectors.
///
/// Rows of J with entries in the same columns are a block, a dense matrix J_a; what h couples of
/// two blocks adds J_b' diag(h) J_a, a matrix product.
class CoupledBlocks {
 public:
  /// Rows of J with the same columns.
  struct Block {
    std::vector<std::int32_t> columns, rows;
    bool contiguous = true;            // rows follow each other
    std::vector<std::int64_t> places;  // of the rows of J_a' in the memory of J
    std::int64_t turned = -1;          // of J_a, where its rows are wanted together
  };

  explicit CoupledBlocks(const SparsityPattern& jacobian);
  [[nodiscard]] const std::vector<Block>& blocks() const { return blocks_; }
  /// The block of a row of J, null where the row is empty, and its place there.
  [[nodiscard]] std::pair<const Block*, std::int64_t> find(std::int32_t row) const {
    const auto i = static_cast<std::size_t>(row);
    if (block_of_[i] < 0) return {nullptr, 0};
    return {&blocks_[static_cast<std::size_t>(block_of_[i])], place_in_block_[i]};
  }
  /// Entries of J.
  [[nodiscard]] std::int64_t num_entries() const { return num_entries_; }

  /// @name Where the rows of J_a' stand
  /// @{
  /// In the products, and beside them where they do not stand there one behind the other.
  void read_off(const UnitProducts& products);
  /// One behind the other, to be written there by somebody else, a block at a time, and turned
  /// then: blocks whose copies are all that add() reads stand in one place. After couple().
  void place();
  /// Doubles of J.
  [[nodiscard]] std::int64_t memory_size() const { return memory_size_; }
  /// Where the products of a run go, and what is to be done with them then.
  [[nodiscard]] double* products(std::int64_t run, double* memory) const;
  void take(std::int64_t run, double* memory) const;
  /// @}

  /// The products of h come in the same runs as add() takes them.
  void couple(const SparsityPattern& h, const UnitProducts& products);
  /// An estimate of the time of all that add() does, in additions.
  [[nodiscard]] double work() const { return work_; }
  [[nodiscard]] std::int64_t turned_size() const { return turned_size_; }
  [[nodiscard]] std::int64_t scratch_size() const { return scratch_size_; }
  /// Copies of J for add(), once J is complete.
  void turn(const double* memory, double* turned) const {
    for (const Block& block : blocks_) turn(block, memory, turned);
  }
  static void turn(const Block& block, const double* memory, double* turned);
  /// What the products of this run couple, added to n x n `result`.
  void add(std::int64_t run, const double* memory, const double* turned, const double* products,
           double* scratch, std::int64_t n, double* result) const;

 private:
  /// h(row a + k, row b + k) = products[source + k * stride] for k < count; a and b count the rows
  /// of their blocks.
  struct Run {
    std::int32_t a = 0, b = 0, count = 0;
    std::int64_t source = 0, stride = 1;
  };
  struct Coupling {
    std::int32_t a = 0, b = 0;  // blocks, a not before b
    std::int64_t products = 0;  // the run of them
    std::int64_t count = 0;
    bool in_place = false;  // few variables and long runs, which need no copies
    bool stacked = false;   // one long run
    std::vector<Run> runs;
  };
  /// Couplings [first, last): one, or those of one b whose J_a are multiplied side by side.
  struct Task {
    std::size_t first = 0, last = 0;
  };
  void make_tasks(std::int64_t num_runs);
  void add_stack(const Task& task, const double* turned, const double* products, double* scratch,
                 std::int64_t n, double* result) const;
  void add_in_place(const Task& task, const double* memory, const double* products, double* scratch,
                    std::int64_t n, double* result) const;
  void add_product(const Coupling& coupling, const double* product, std::int64_t n,
                   double* result) const;
  static void add_entries(const Block& block, std::int64_t first, std::int64_t j, bool one,
                          const double* values, std::int64_t stride, std::int64_t n,
                          double* result);
  void multiply_tiles(const Coupling& coupling, const double* memory, const double* turned,
                      const double* products, double* product) const;

  std::int64_t size_ = 0;  // rows of J
  std::int64_t num_entries_ = 0;
  double work_ = 0;
  std::vector<Block> blocks_;
  std::vector<std::int32_t> block_of_, place_in_block_;  // of the rows of J
  bool keep_products_ = false;
  std::int64_t num_a_run_ = 0;  // products of J
  // Rows of J_a' to be copied, by the product they are in: block and row.
  std::vector<std::vector<std::pair<std::int32_t, std::int32_t>>> copied_;
  std::vector<Coupling> couplings_;
  std::vector<Task> tasks_;
  std::vector<std::size_t> starts_;  // of the tasks of each run
  std::int64_t memory_size_ = 0, turned_size_ = 0, scratch_size_ = 0;
};

}  // namespace kappa
