#pragma once

#include <cstdint>
#include <vector>

#include "base/kronecker.h"
#include "minimize/archive.h"
#include "minimize/vectors.h"

namespace kappa {

/// The inverse of a Kronecker-factored approximation of G + damping I (Martens & Grosse 2015):
///
///   vec(V) -> vec((L + pi sqrt(damping) I)^-1 V (R + sqrt(damping) / pi I)^-1),
///   pi^2 = (trace(L) / order of L) / (trace(R) / order of R)
///
/// for each dense layer (section 6.3); for the other parameters a division by damping plus the mean
/// diagonal of all layers. Symmetric and positive definite. The factors are running means: the
/// k-th observation counts 1/k, or 1/4 from the 4th on.
class KroneckerPreconditioner {
 public:
  [[nodiscard]] bool empty() const { return blocks_.empty(); }

  void observe(std::vector<KroneckerBlock> blocks);

  /// Computes the inverses for this damping: about 7/3 d^3 flops for a factor of order d. A layer
  /// with a factor that is not positive definite counts among the other parameters.
  void factorize(double damping);
  /// The damping of the last factorisation; 0: none yet.
  [[nodiscard]] double damping() const { return damping_; }

  /// z = M^-1 r, in single precision. Cost: 2 (rows + columns) flops an entry.
  void apply(const Vector& r, Vector& z);

  /// After reading, the inverses are computed again from the same factors.
  void archive(Archive& archive);

 private:
  struct Block {
    std::int64_t weight = 0, rows = 0, columns = 0, bias = -1;
    bool bias_is_row = false;
    Vector left, right;
    std::vector<float> left_inverse, right_inverse;

    void archive(Archive& archive) {
      archive(weight, rows, columns, bias, bias_is_row, left, right);
    }
    [[nodiscard]] std::int64_t left_order() const {
      return rows + (bias >= 0 && bias_is_row ? 1 : 0);
    }
    [[nodiscard]] std::int64_t right_order() const {
      return columns + (bias >= 0 && !bias_is_row ? 1 : 0);
    }
  };

  std::vector<Block> blocks_;
  std::int64_t observations_ = 0;
  double damping_ = 0, rest_ = 1;
  std::vector<float> matrix_, product_;
};

}  // namespace kappa
