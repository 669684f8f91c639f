#include "curvature/krylov_basis.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "curvature/tall.h"

namespace kappa {

using Eigen::MatrixXd;
using Eigen::VectorXd;

double RitzPairs::error_bound(Eigen::Index i) const {
  const Eigen::Index e = values.size();
  const double own = residual(i);
  Eigen::Index low = i, high = i;
  auto touches = [&](Eigen::Index a, Eigen::Index b) {
    return std::fabs(values(a) - values(b)) <= residual(a) + residual(b);
  };
  while (low > 0 && touches(low, low - 1)) --low;
  while (high + 1 < e && touches(high, high + 1)) ++high;
  double gap = std::numeric_limits<double>::infinity();
  if (low > 0) {
    gap = std::min(gap, values(low) - values(low - 1) - residual(low - 1));
  }
  if (high + 1 < e) {
    gap = std::min(gap, values(high + 1) - residual(high + 1) - values(high));
  }
  double group = 0;
  for (Eigen::Index j = low; j <= high; ++j) group = std::hypot(group, reducible(j));
  if (!std::isfinite(gap) || gap <= group) return own;
  // Asymmetry moves a Rayleigh quotient to first order, so it is not squared.
  return std::min(own, group * group / gap + irreducible(i));
}

KrylovBasis::KrylovBasis(const SymmetricOperator& a, std::int64_t max_expanded,
                         std::int64_t max_pending, std::uint64_t seed)
    : a_(a),
      n_(a.dimension()),
      max_expanded_(max_expanded),
      max_pending_(max_pending),
      storage_(n_ * (max_expanded + max_pending)),
      h_(MatrixXd::Zero(max_expanded + max_pending, max_expanded + max_pending)),
      defect_(VectorXd::Zero(max_expanded + max_pending)),
      random_(seed) {}

double KrylovBasis::breakdown_tolerance() const {
  // Rounding of one product in double precision; less than that is no new direction.
  const double eps = std::numeric_limits<double>::epsilon();
  return norm_ * eps * std::max(10.0, std::sqrt(static_cast<double>(n_)));
}

double KrylovBasis::orthogonalize(std::int64_t against, double* x, double* sums) const {
  VectorXd c(std::max<std::int64_t>(against, 1));
  double norm = tall_norm(n_, x);
  for (int pass = 0; pass < 4 && against > 0 && norm > 0; ++pass) {
    tall_gram(n_, against, column(0), 1, x, c.data(), against);
    tall_subtract(n_, against, column(0), 1, c.data(), against, x);
    if (sums != nullptr) Eigen::Map<VectorXd>(sums, against) += c.head(against);
    const double before = norm;
    norm = tall_norm(n_, x);
    // Daniel, Gragg, Kaufman, Stewart 1976: enough once little was removed.
    if (norm > 0.7 * before) break;
  }
  return norm;
}

bool KrylovBasis::add(std::span<const double> x) {
  if (columns() >= n_ || pending_ >= max_pending_) return false;
  double* q = column(columns());
  std::copy(x.begin(), x.end(), q);
  const double before = tall_norm(n_, q);
  if (!std::isfinite(before) || before == 0) return false;
  tall_scale(n_, 1 / before, q);
  const double norm = orthogonalize(columns(), q, nullptr);
  if (norm < 1e-8) return false;
  tall_scale(n_, 1 / norm, q);
  // Scaling up what a subtraction left brings its rounding up too: clean once more.
  if (norm < 0.1) tall_scale(n_, 1 / orthogonalize(columns(), q, nullptr), q);
  h_.row(columns()).setZero();
  ++pending_;
  return true;
}

void KrylovBasis::add_random(std::int64_t count) {
  std::vector<double> x(static_cast<std::size_t>(n_));
  for (std::int64_t i = 0; i < count; ++i) {
    // In a nearly spanned space of small n a draw may be unlucky; a few draws never are.
    for (int draw = 0; draw < 10; ++draw) {
      random_.fill_normal(n_, x.data());
      if (add(x)) break;
    }
  }
}

void KrylovBasis::aim(const MatrixXd& targets) {
  const MatrixXd c = h_.block(expanded_, 0, pending_, expanded_);
  const MatrixXd residuals = c * targets;
  const Eigen::SelfAdjointEigenSolver<MatrixXd> solver(residuals * residuals.transpose());
  const MatrixXd turn = solver.eigenvectors().rowwise().reverse();
  tall_product(n_, pending_, column(expanded_), pending_, turn.data(), pending_, column(expanded_));
  h_.block(expanded_, 0, pending_, expanded_) = turn.transpose() * c;
}

void KrylovBasis::bring_last_forward() {
  const std::int64_t last = columns() - 1;
  if (last == expanded_) return;
  std::swap_ranges(column(expanded_), column(expanded_) + n_, column(last));
  h_.row(expanded_).swap(h_.row(last));
}

bool KrylovBasis::expand(std::int64_t count) {
  const std::int64_t e = expanded_, c = columns();
  double* w = column(c);  // products take the place of the directions they will become
  a_.apply(count, column(e), w);
  num_products_ += count;
  for (std::int64_t j = 0; j < count; ++j) {
    const double norm = tall_norm(n_, w + j * n_);
    if (!std::isfinite(norm)) return false;
    norm_ = std::max(norm_, norm);
  }
  const double tolerance = breakdown_tolerance();

  // What symmetry predicts goes first (the three-term recurrence), so that one full pass over the
  // basis usually removes only rounding and no second one is needed.
  MatrixXd h = MatrixXd::Zero(c, count);
  const MatrixXd predicted = h_.block(e, 0, count, e).transpose();
  std::int64_t low = 0;
  while (low < e && predicted.row(low).cwiseAbs().maxCoeff() <= 1e-8 * norm_) ++low;
  if (low < e) {
    const MatrixXd part = predicted.bottomRows(e - low);
    tall_subtract(n_, e - low, column(low), count, part.data(), e - low, w);
    h.middleRows(low, e - low) = part;
  }
  MatrixXd own(count, count);
  tall_gram(n_, count, column(e), count, w, own.data(), count);
  tall_subtract(n_, count, column(e), count, own.data(), count, w);
  h.middleRows(e, count) += own;

  MatrixXd g(c, count);
  VectorXd norms(count);
  for (int pass = 0; pass < 4; ++pass) {
    tall_gram(n_, c, column(0), count, w, g.data(), c);
    tall_subtract(n_, c, column(0), count, g.data(), c, w);
    h += g;
    bool enough = true;
    for (std::int64_t j = 0; j < count; ++j) {
      norms(j) = tall_norm(n_, w + j * n_);
      if (norms(j) > tolerance && norms(j) < g.col(j).norm()) enough = false;
    }
    if (enough) break;
  }
  h_.block(0, e, c, count) = h;
  h_.block(c, e, count, count).setZero();

  std::int64_t rank = 0;
  for (std::int64_t j = 0; j < count; ++j) {
    double* x = w + j * n_;
    double norm = norms(j);
    for (int pass = 0; pass < 2 && rank > 0; ++pass) {
      VectorXd s(rank);
      tall_gram(n_, rank, w, 1, x, s.data(), rank);
      tall_subtract(n_, rank, w, 1, s.data(), rank, x);
      h_.block(c, e + j, rank, 1) += s;
      norm = tall_norm(n_, x);
    }
    // A column that was nearly in the span of its block kept little but rounding: clean it of all.
    if (norm > tolerance && norm < 0.1 * norms(j)) {
      VectorXd sums = VectorXd::Zero(c + rank);
      norm = orthogonalize(c + rank, x, sums.data());
      h_.block(0, e + j, c + rank, 1) += sums;
    }
    defect_(e + j) = 0;
    if (norm <= tolerance || c + rank >= n_) {
      defect_(e + j) = norm;
      continue;
    }
    tall_scale(n_, 1 / norm, x);
    if (rank != j) std::copy_n(x, n_, w + rank * n_);
    h_(c + rank, e + j) = norm;
    ++rank;
  }
  expanded_ += count;
  pending_ += rank - count;
  return true;
}

RitzPairs KrylovBasis::ritz() {
  const std::int64_t e = expanded_;
  const MatrixXd h = h_.topLeftCorner(e, e);
  const MatrixXd skew = (h - h.transpose()) / 2;
  const Eigen::SelfAdjointEigenSolver<MatrixXd> solver((h + h.transpose()) / 2);
  RitzPairs pairs{solver.eigenvalues(), solver.eigenvectors(), VectorXd(e), VectorXd(e)};
  pairs.reducible =
      (h_.block(e, 0, pending_, e) * pairs.vectors).colwise().stableNorm().transpose();
  pairs.irreducible = (skew * pairs.vectors).colwise().stableNorm().transpose();
  pairs.irreducible += pairs.vectors.cwiseAbs().transpose() * defect_.head(e);
  if (e > 0) {
    norm_ = std::max({norm_, std::fabs(pairs.values(0)), std::fabs(pairs.values(e - 1))});
    noise_ = std::max(noise_, skew.colwise().stableNorm().maxCoeff());
  }
  return pairs;
}

void KrylovBasis::restart(const RitzPairs& pairs, std::span<const Eigen::Index> keep) {
  const std::int64_t e = expanded_, p = static_cast<std::int64_t>(keep.size());
  MatrixXd y(e, p);
  VectorXd values(p), defects(p);
  for (std::int64_t j = 0; j < p; ++j) {
    const Eigen::Index i = keep[static_cast<std::size_t>(j)];
    y.col(j) = pairs.vectors.col(i);
    values(j) = pairs.values(i);
    defects(j) = pairs.irreducible(i);
  }
  const MatrixXd coupling = h_.block(e, 0, pending_, e) * y;
  tall_product(n_, e, column(0), p, y.data(), e, column(0));
  for (std::int64_t j = 0; j < pending_; ++j) std::copy_n(column(e + j), n_, column(p + j));
  h_.setZero();
  h_.topLeftCorner(p, p) = values.asDiagonal();
  h_.block(p, 0, pending_, p) = coupling;
  defect_.setZero();
  defect_.head(p) = defects;
  expanded_ = p;
}

void KrylovBasis::combine(const MatrixXd& y, double* out) const {
  tall_product(n_, expanded_, column(0), y.cols(), y.data(), y.rows(), out);
}

}  // namespace kappa
