#include "minimize/krylov.h"

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

}  // namespace kappa
