#include "minimize/lowest_curvature.h"

#include <algorithm>
#include <utility>

#include "base/random.h"
#include "minimize/dense_algebra.h"

namespace kappa {
namespace {

/// The three-term recurrence: vector() is q_k, advance() makes alpha_k, beta_k and q_{k+1}.
class Recurrence {
 public:
  Recurrence(const Evaluator::Curvature& curvature, std::size_t n, std::uint64_t seed)
      : curvature_(curvature), now_(n), before_(n), product_(n) {
    Random(seed).fill_normal(static_cast<std::int64_t>(n), now_.data());
    const double scale = 1 / norm(now_);
    for (double& x : now_) x *= scale;
  }

  [[nodiscard]] const Vector& vector() const { return now_; }

  void advance(double& alpha, double& beta) {
    curvature_.hessian_product(now_.data(), product_.data());
    alpha = dot(now_, product_);
    for (std::size_t i = 0; i < now_.size(); ++i) {
      product_[i] -= alpha * now_[i] + beta_ * before_[i];
    }
    beta = beta_ = norm(product_);
    std::swap(before_, now_);
    const double scale = 1 / beta;
    for (std::size_t i = 0; i < now_.size(); ++i) now_[i] = scale * product_[i];
  }

 private:
  const Evaluator::Curvature& curvature_;
  Vector now_, before_, product_;
  double beta_ = 0;
};

}  // namespace

LowestCurvature lowest_curvature(Evaluator& evaluator, const Evaluator::Curvature& curvature,
                                 std::int64_t max_products) {
  const std::size_t n = evaluator.size();
  max_products = std::min(max_products, evaluator.dimension());
  LowestCurvature lowest;
  Vector diagonal, off_diagonal;
  Eigen::VectorXd weights;
  {
    Recurrence lanczos(curvature, n, evaluator.seed());
    std::int64_t next = std::min<std::int64_t>(4, max_products);
    for (std::int64_t k = 1; k <= max_products; ++k) {
      double alpha = 0, beta = 0;
      lanczos.advance(alpha, beta);
      if (!std::isfinite(alpha) || !std::isfinite(beta)) return {};
      diagonal.push_back(alpha);
      off_diagonal.push_back(beta);
      const bool invariant = !(beta > 1e-14 * std::max(std::fabs(alpha), lowest.largest));
      if (k < next && !invariant) continue;
      // The tridiagonal problem costs k^3: it is solved as the space grows by a fifth.
      next = std::min(max_products, next + std::max<std::int64_t>(1, next / 5));
      const SymmetricEigen eigen = tridiagonal_eigen(diagonal, off_diagonal);
      if (!eigen.converged) return {};
      weights = eigen.vectors.col(0);
      lowest.value = eigen.values(0);
      lowest.largest = eigen.values.cwiseAbs().maxCoeff();
      lowest.error = beta * std::fabs(weights(weights.size() - 1));
      if (invariant ||
          lowest.error <= std::max(0.1 * std::fabs(lowest.value), 1e-3 * lowest.largest)) {
        break;
      }
    }
  }
  if (!lowest.negative()) return lowest;
  Recurrence again(curvature, n, evaluator.seed());
  lowest.direction.assign(n, 0.0);
  for (Eigen::Index j = 0; j < weights.size(); ++j) {
    axpy(weights(j), again.vector(), lowest.direction);
    double alpha = 0, beta = 0;
    if (j + 1 < weights.size()) again.advance(alpha, beta);
  }
  const double scale = 1 / norm(lowest.direction);
  for (double& x : lowest.direction) x *= scale;
  return lowest;
}

}  // namespace kappa
