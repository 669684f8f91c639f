#pragma once

#include <Eigen/Core>
#include <cmath>
#include <vector>

#include "tests/function/gmm.h"

// The Hessian of the mixture (tests/function/gmm.h) as one would write it by hand on Eigen: with
// s = softmax(u), J_k the p x N gradients of u_k and B = (s_1 J_1; s_2 J_2; ...),
//
//     H = blocks J_k diag(s_k) J_k' - B B' + Σ_i s_ik ∇²u_ik + weights and prior.
//
// B B' is n² N multiplications and additions, which no dense Hessian of this function does without.
namespace gmm {

class Hand {
 public:
  explicit Hand(const Problem& p)
      : p_(p), points_(Eigen::Map<const Eigen::MatrixXd>(p.points.data(), p.D, p.N)) {}

  void hessian(const double* x, Eigen::MatrixXd& h) {
    const std::int64_t D = p_.D, K = p_.K, N = p_.N, width = D + p_.num_lower();
    const std::int64_t size = 1 + D + width;  // of a component: α, μ, (q, l)
    jacobians_.resize(N, K * size);
    u_.resize(N, K);
    centred_.resize(static_cast<std::size_t>(K));
    scaled_.resize(static_cast<std::size_t>(K));
    factors_.resize(static_cast<std::size_t>(K));
    for (std::int64_t k = 0; k < K; ++k) slopes(x, k, size);
    u_ = (u_.colwise() - u_.rowwise().maxCoeff().eval()).exp();
    u_.colwise() /= u_.rowwise().sum().eval();
    weighted_.resize(N, K * size);
    for (std::int64_t k = 0; k < K; ++k) {
      weighted_.middleCols(k * size, size) =
          u_.col(k).matrix().asDiagonal() * jacobians_.middleCols(k * size, size);
    }
    sorted_.setZero(K * size, K * size);
    sorted_.selfadjointView<Eigen::Lower>().rankUpdate(weighted_.transpose(), -1);
    for (std::int64_t k = 0; k < K; ++k) {
      auto block = sorted_.block(k * size, k * size, size, size);
      block.noalias() +=
          jacobians_.middleCols(k * size, size).transpose() * weighted_.middleCols(k * size, size);
      curvature(x, k, block);
    }
    // From components behind each other to α, μ, (q, l) of all.
    place_.resize(static_cast<std::size_t>(K * size));
    for (std::int64_t k = 0; k < K; ++k) {
      for (std::int64_t i = 0; i < size; ++i) {
        place_[static_cast<std::size_t>(k * size + i)] =
            i == 0 ? k : (i <= D ? K + k * D + i - 1 : K + K * D + k * width + i - 1 - D);
      }
    }
    h.resize(K * size, K * size);
    for (std::int64_t j = 0; j < K * size; ++j) {
      for (std::int64_t i = j; i < K * size; ++i) {
        const std::int64_t a = place_[static_cast<std::size_t>(i)];
        const std::int64_t b = place_[static_cast<std::size_t>(j)];
        h(a, b) = h(b, a) = sorted_(i, j);
      }
    }
    const Eigen::Map<const Eigen::ArrayXd> alpha(x, K);
    Eigen::VectorXd share = (alpha - alpha.maxCoeff()).exp();
    share /= share.sum();
    h.topLeftCorner(K, K) += double(N) * share * share.transpose();
    h.diagonal().head(K) -= double(N) * share;
  }

 private:
  /// Q_k, c = x - μ_k, y = Q c, u_k and its gradients.
  void slopes(const double* x, std::int64_t k, std::int64_t size) {
    const std::int64_t D = p_.D, K = p_.K;
    const Eigen::Map<const Eigen::VectorXd> mean(x + K + k * D, D);
    const double* icf = x + K + K * D + k * (D + p_.num_lower());
    Eigen::MatrixXd& q = factors_[static_cast<std::size_t>(k)];
    q.setZero(D, D);
    double total = x[k];
    for (std::int64_t i = 0; i < D; ++i) {
      total += icf[i];
      for (std::int64_t j = 0; j <= i; ++j) {
        const double entry = icf[factor_place(p_, i, j)];
        q(i, j) = i == j ? std::exp(entry) : entry;
      }
    }
    Eigen::MatrixXd& c = centred_[static_cast<std::size_t>(k)];
    Eigen::MatrixXd& y = scaled_[static_cast<std::size_t>(k)];
    c = points_.transpose().rowwise() - mean.transpose();  // N x D
    y.noalias() = c * q.transpose();
    u_.col(k) = total - 0.5 * y.rowwise().squaredNorm().array();
    auto j = jacobians_.middleCols(k * size, size);
    j.col(0).setOnes();
    j.middleCols(1, D).noalias() = y * q;
    for (std::int64_t r = 0; r < D; ++r) {
      j.col(1 + D + r) = 1 - q(r, r) * (y.col(r).array() * c.col(r).array());
      for (std::int64_t s = 0; s < r; ++s) {
        j.col(1 + D + factor_place(p_, r, s)) = -(y.col(r).array() * c.col(s).array());
      }
    }
  }

  /// Adds Σ_i s_i ∇²u_i, from the moments of c under s, and the prior.
  template <class Block>
  void curvature(const double* x, std::int64_t k, Block& block) const {
    const std::int64_t D = p_.D;
    const double* icf = x + p_.K + p_.K * D + k * (D + p_.num_lower());
    const Eigen::MatrixXd& q = factors_[static_cast<std::size_t>(k)];
    const Eigen::MatrixXd& c = centred_[static_cast<std::size_t>(k)];
    const Eigen::MatrixXd& y = scaled_[static_cast<std::size_t>(k)];
    const Eigen::VectorXd s = u_.col(k).matrix();
    const Eigen::VectorXd first = c.transpose() * s, of_y = y.transpose() * s;
    const Eigen::MatrixXd second = c.transpose() * s.asDiagonal() * c;
    const double sum = s.sum();
    for (std::int64_t r = 0; r < D; ++r) {
      // y_r depends on μ_0..r by -Q_r and on Q_r0..rr by c, the last through its logarithm.
      const auto entry = [&](std::int64_t j) { return 1 + D + factor_place(p_, r, j); };
      const auto inner = [&](std::int64_t j) { return j == r ? q(r, r) : 1.0; };
      for (std::int64_t i = 0; i <= r; ++i) {
        for (std::int64_t j = 0; j <= r; ++j) {
          block(1 + i, 1 + j) -= sum * q(r, i) * q(r, j);
          block(entry(i), entry(j)) -= inner(i) * inner(j) * second(i, j);
          const double mixed = inner(i) * (first[i] * q(r, j) + (i == j ? of_y[r] : 0));
          block(entry(i), 1 + j) += mixed;
          block(1 + j, entry(i)) += mixed;
        }
        const double g = p_.gamma * p_.gamma;
        block(entry(i), entry(i)) += i == r ? 2 * g * std::exp(2 * icf[r]) : g;
      }
      block(entry(r), entry(r)) -= q(r, r) * s.dot(y.col(r).cwiseProduct(c.col(r)));
    }
  }

  const Problem& p_;
  Eigen::MatrixXd points_;  // D x N
  Eigen::MatrixXd jacobians_, weighted_, sorted_;
  Eigen::ArrayXXd u_;
  std::vector<Eigen::MatrixXd> factors_, centred_, scaled_;
  std::vector<std::int64_t> place_;
};

}  // namespace gmm
