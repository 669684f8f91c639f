#include "minimize/krylov.h"

#include <Eigen/Eigenvalues>
#include <algorithm>

#include "minimize/random.h"

namespace kappa {

Krylov::Krylov(Apply apply, std::span<const double> start)
    : apply_(std::move(apply)), next_(start.begin(), start.end()), start_norm_(norm(start)) {
  for (double& x : next_) x /= start_norm_;
}

bool Krylov::extend() {
  const std::size_t n = next_.size();
  if (exhausted_ || size() >= n) return false;
  basis_.push_back(std::move(next_));
  const Vector& q = basis_.back();
  next_.assign(n, 0.0);
  apply_(q.data(), next_.data());
  diagonal_.push_back(dot(q, next_));
  const double before = norm(next_);
  for (int pass = 0; pass < 2; ++pass) {
    for (std::size_t j = basis_.size(); j-- > 0;) axpy(-dot(basis_[j], next_), basis_[j], next_);
  }
  double beta = norm(next_);
  if (!(beta > 1e-14 * before) || !std::isfinite(beta) || size() >= n) {
    exhausted_ = true;
    beta = 0;
  } else {
    for (double& x : next_) x /= beta;
  }
  off_diagonal_.push_back(beta);
  return true;
}

Vector Krylov::combine(std::span<const double> y) const {
  Vector result(basis_.front().size(), 0.0);
  for (std::size_t j = 0; j < y.size(); ++j) axpy(y[j], basis_[j], result);
  return result;
}

SpectrumEnds spectrum_ends(const Krylov::Apply& apply, std::size_t n, std::uint64_t seed,
                           std::size_t max_steps, double tolerance, bool need_smallest) {
  SplitMix random(seed, 0x51ec7);
  Vector start(n);
  for (double& x : start) x = 2 * random.uniform() - 1;
  Krylov krylov(apply, start);
  SpectrumEnds ends;
  max_steps = std::min(max_steps, n);
  bool grew = true;
  while (grew) {
    grew = krylov.size() < max_steps && krylov.extend();
    const std::size_t k = krylov.size();
    const bool last = !grew || k == max_steps || krylov.off_diagonal().back() == 0;
    if (!last && k % 5 != 0) continue;
    const auto size = static_cast<Eigen::Index>(k);
    Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> eigen;
    eigen.computeFromTridiagonal(
        Eigen::Map<const Eigen::VectorXd>(krylov.diagonal().data(), size),
        Eigen::Map<const Eigen::VectorXd>(krylov.off_diagonal().data(), size - 1));
    if (eigen.info() != Eigen::Success) break;
    const auto& values = eigen.eigenvalues();
    const auto& vectors = eigen.eigenvectors();
    const double beta = krylov.off_diagonal().back();
    ends.largest = values(size - 1);
    ends.smallest = values(0);
    ends.largest_residual = beta * std::fabs(vectors(size - 1, size - 1));
    ends.smallest_residual = beta * std::fabs(vectors(size - 1, 0));
    ends.num_products = k;
    const double bound = tolerance * std::max(std::fabs(ends.largest), std::fabs(ends.smallest));
    const bool done =
        ends.largest_residual <= bound && (!need_smallest || ends.smallest_residual <= bound);
    if (last || done) {
      const Eigen::VectorXd y = vectors.col(0);
      ends.smallest_vector = krylov.combine({y.data(), k});
      break;
    }
  }
  return ends;
}

}  // namespace kappa
