#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "function/chain_rule.h"
#include "function/coupled_blocks.h"
#include "function/pooled_plan.h"
#include "function/unit_products.h"
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
///
/// With a second cut at c, the products are with C = dc/dx and those few that lead from C to J; the
/// first term of M is C' ψ_cc C, made as J' h_uu J is.
class CutHessian {
 public:
  /// Through this cut, or nothing where that would cost `limit` or more (see work_of).
  static std::optional<CutHessian> through(const Cut& cut, double limit);
  static std::optional<CutHessian> through(const NestedCut& cut, double limit);
  /// Through the cheapest cut, or nothing where none costs much less than `work`.
  static std::optional<CutHessian> find(const Program& scalar, double work);

  /// An estimate of the time that evaluate() takes, in additions.
  [[nodiscard]] double work() const { return work_; }
  [[nodiscard]] std::int64_t num_products() const {
    return inner_.count() + outer_.count() + direct_.count() +
           (second_ ? second_->by_c.count() + second_->by_x.count() + second_->outer.count() : 0);
  }
  [[nodiscard]] bool nested() const { return second_ != nullptr; }

  /// H(x), n x n, exactly symmetric.
  void evaluate(const double* x, double* result) const;

 private:
  CutHessian() = default;
  /// From C to J, and C' ψ_cc C.
  struct Second {
    UnitProducts by_c, by_x, outer;       // for g_c, for g_x, for ψ_cc
    std::optional<CoupledBlocks> blocks;  // of C
    std::optional<ChainRule> rule;
    std::int64_t size = 0;  // of c
  };
  /// `nested` may be null.
  static std::optional<CutHessian> make(const Cut& first, const NestedCut* nested,
                                        const Program& products, double limit);

  std::int64_t n_ = 0, size_ = 0;  // of x and of u
  double work_ = 0;
  std::optional<CoupledBlocks> blocks_;    // of J
  UnitProducts inner_, outer_, direct_;    // for J or C and for M, for h_uu, for h_xx + ψ_xx
  SymmetricEntries curvature_, straight_;  // of M or ∇²(ν'c), of h_xx + ψ_xx
  std::shared_ptr<const Second> second_;
  std::shared_ptr<const PooledPlan> setup_;
  std::vector<std::int64_t> residual_bytes_;
};

/// An estimate of the time that one run takes, in additions: an element of an elementwise
/// operation is one, and so are eight multiplications of a matrix product.
double work_of(const Program& program);

}  // namespace kappa
