#pragma once

#include <cstdint>
#include <vector>

#include "function/coupled_blocks.h"
#include "function/unit_products.h"
#include "transform/sparsity.h"

namespace kappa {

/// J = G C + D of sparse matrices, G and D among their products with sums of unit vectors, C and J
/// in blocks: the Jacobian of u = g(c(x), x), G = g_c, C = dc/dx and D = g_x.
class ChainRule {
 public:
  struct Factor {
    const SparsityPattern& pattern;
    const UnitProducts& products;
  };
  ChainRule(const CoupledBlocks& j, const Factor& g, const CoupledBlocks& c, const Factor& d);

  /// An estimate of the time that write() takes, in additions.
  [[nodiscard]] double work() const { return work_; }
  /// A block of J from all products with G and D and the memory of C.
  void write(std::size_t block, const double* g, const double* c, const double* d, double* j) const;

 private:
  /// j[target + k] += g[factor + k * factor_stride] c[source + k * source_stride] for k < count; of
  /// D, without a factor, d[source + k * source_stride].
  struct Run {
    std::int64_t target = 0, count = 1;
    std::int64_t factor = -1, factor_stride = 1;
    std::int64_t source = 0, source_stride = 1;
    bool first = false;  // = instead of +=
  };
  struct Row {
    std::int64_t place = 0, count = 0;
  };
  void add_block(const CoupledBlocks::Block& block, const Factor& g, const CoupledBlocks& c,
                 const Factor& d, std::vector<std::int32_t>& place_of);

  std::vector<Run> runs_;
  std::vector<std::size_t> run_starts_, row_starts_;  // of the blocks
  std::vector<Row> cleared_;                          // rows of J that no first run covers
  double work_ = 0;
};

}  // namespace kappa
