#pragma once

#include <cstdint>
#include <vector>

#include "kappa/problem.h"

namespace kappa {

/// The Gauss-Newton block of a dense layer's parameters W (rows x columns, row-major in w), in
/// Kronecker-factored approximation (Martens & Grosse 2015, section 3): for directions V
///
///   G vec(V) ~ vec(L V R),   L = mean over samples of l l', R = mean of r r',
///
/// where W's gradient by one sample is l r', one of the two the input of the layer and the other
/// what is propagated back to its output. A bias of the layer is one more column of W (row, with
/// bias_is_row): the input then ends in a 1.
struct KroneckerBlock {
  std::int64_t weight = 0;  ///< offset of W in w
  std::int64_t rows = 0, columns = 0;
  std::int64_t bias = -1;  ///< offset of the bias in w; -1: none
  bool bias_is_row = false;
  std::vector<double> left, right;  ///< L and R, row-major, the bias's row and column last

  [[nodiscard]] std::int64_t left_order() const { return rows + (has_row() ? 1 : 0); }
  [[nodiscard]] std::int64_t right_order() const { return columns + (has_column() ? 1 : 0); }
  [[nodiscard]] bool has_row() const { return bias >= 0 && bias_is_row; }
  [[nodiscard]] bool has_column() const { return bias >= 0 && !bias_is_row; }
};

/// A problem that knows dense layers in itself.
class KroneckerSource {
 public:
  virtual ~KroneckerSource() = default;

  /// The blocks at w, in the order of the parameters; layers with a side above 4096 and parameters
  /// that are in no dense layer have none. What is propagated back starts from
  /// sqrt(diag H_loss) o signs, the signs a function of seed and stream alone: exact in the mean
  /// where the loss is a sum over outputs, and without what couples the outputs where it is not.
  /// Cost: some 1.5 gradients on the samples.
  [[nodiscard]] virtual std::vector<KroneckerBlock> kronecker_blocks(
      const double* w, Problem::Samples samples, std::uint64_t seed,
      std::uint64_t stream) const = 0;
};

}  // namespace kappa
