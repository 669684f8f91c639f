#include "minimize/kronecker_preconditioner.h"

#include <Eigen/Cholesky>
#include <algorithm>
#include <cmath>

#include "base/blas.h"

namespace kappa {
namespace {

// A^-1 in place of a positive definite A (row-major, both triangles), by halves:
//
//   [A B'; B C]^-1 = [A^-1 + T' S^-1 T, .; S^-1 T, S^-1],   T = -B A^-1,   S = C + T B'
//
// False where A is not positive definite.
bool invert(double* a, std::int64_t n, std::int64_t stride) {
  constexpr std::int64_t kSmall = 48;
  if (n <= kSmall) {
    using Matrix = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
    Eigen::Map<Matrix, 0, Eigen::OuterStride<>> map(a, n, n, Eigen::OuterStride<>(stride));
    const Eigen::LLT<Matrix> cholesky(map);
    if (cholesky.info() != Eigen::Success) return false;
    map = cholesky.solve(Matrix::Identity(n, n));
    return true;
  }
  const std::int64_t h = n / 2, m = n - h;
  double *b = a + h * stride, *c = b + h;
  if (!invert(a, h, stride)) return false;
  Vector t(static_cast<std::size_t>(m * h));
  gemm({m, h, h}, b, stride, a, stride, 0.0, t.data(), h);
  for (double& x : t) x = -x;
  gemm({m, m, h, false, true}, t.data(), h, b, stride, 1.0, c, stride);
  if (!invert(c, m, stride)) return false;
  gemm({m, h, m}, c, stride, t.data(), h, 0.0, b, stride);
  gemm({h, h, m, true, false}, t.data(), h, b, stride, 1.0, a, stride);
  for (std::int64_t i = 0; i < m; ++i) {
    for (std::int64_t j = 0; j < h; ++j) a[j * stride + h + i] = b[i * stride + j];
  }
  return true;
}

double mean_diagonal(const Vector& matrix, std::int64_t order) {
  double sum = 0;
  for (std::int64_t i = 0; i < order; ++i) sum += matrix[static_cast<std::size_t>(i * (order + 1))];
  return sum / static_cast<double>(order);
}

// (matrix + shift I)^-1; false where that is not positive definite.
bool damped_inverse(const Vector& matrix, std::int64_t order, double shift,
                    std::vector<float>& inverse) {
  Vector work(matrix);
  for (std::int64_t i = 0; i < order; ++i) work[static_cast<std::size_t>(i * (order + 1))] += shift;
  if (!invert(work.data(), order, order) || !all_finite(work)) return false;
  inverse.resize(work.size());
  // Rounding has left the halves apart; conjugate gradients want them the same.
  for (std::int64_t i = 0; i < order; ++i) {
    for (std::int64_t j = 0; j <= i; ++j) {
      const auto lower = static_cast<std::size_t>(i * order + j);
      const auto upper = static_cast<std::size_t>(j * order + i);
      inverse[lower] = inverse[upper] = static_cast<float>(0.5 * (work[lower] + work[upper]));
    }
  }
  return true;
}

}  // namespace

void KroneckerPreconditioner::observe(std::vector<KroneckerBlock> blocks) {
  const double take = std::max(0.25, 1 / static_cast<double>(++observations_));
  const bool first = blocks_.empty();
  if (first) blocks_.resize(blocks.size());
  for (std::size_t k = 0; k < blocks.size(); ++k) {
    KroneckerBlock& from = blocks[k];
    Block& to = blocks_[k];
    if (!all_finite(from.left) || !all_finite(from.right)) continue;
    if (to.left.empty()) {
      to = {.weight = from.weight,
            .rows = from.rows,
            .columns = from.columns,
            .bias = from.bias,
            .bias_is_row = from.bias_is_row,
            .left = std::move(from.left),
            .right = std::move(from.right),
            .left_inverse = {},
            .right_inverse = {}};
      continue;
    }
    for (std::size_t i = 0; i < to.left.size(); ++i)
      to.left[i] += take * (from.left[i] - to.left[i]);
    for (std::size_t i = 0; i < to.right.size(); ++i) {
      to.right[i] += take * (from.right[i] - to.right[i]);
    }
  }
}

void KroneckerPreconditioner::factorize(double damping) {
  double trace = 0, entries = 0;
  for (Block& block : blocks_) {
    const std::int64_t l = block.left_order(), r = block.right_order();
    const double left = mean_diagonal(block.left, l), right = mean_diagonal(block.right, r);
    trace += left * right * static_cast<double>(l * r);
    entries += static_cast<double>(l * r);
    const double pi = left > 0 && right > 0 ? std::sqrt(left / right) : 1;
    if (!damped_inverse(block.left, l, pi * std::sqrt(damping), block.left_inverse) ||
        !damped_inverse(block.right, r, std::sqrt(damping) / pi, block.right_inverse)) {
      block.left_inverse.clear();
    }
  }
  rest_ = 1 / (damping + trace / std::max(entries, 1.0));
  damping_ = damping;
}

void KroneckerPreconditioner::apply(const Vector& r, Vector& z) {
  const std::size_t n = r.size();
  for (std::size_t i = 0; i < n; ++i) z[i] = rest_ * r[i];
  for (const Block& block : blocks_) {
    if (block.left_inverse.empty()) continue;
    const std::int64_t l = block.left_order(), c = block.right_order();
    const auto size = static_cast<std::size_t>(l * c);
    matrix_.resize(std::max(matrix_.size(), size));
    product_.resize(std::max(product_.size(), size));
    // V with its bias, as it stands in r; and back.
    const auto walk = [&](auto&& visit) {
      for (std::int64_t i = 0; i < block.rows; ++i) {
        visit(block.weight + i * block.columns, i * c, block.columns);
        if (c > block.columns) visit(block.bias + i, i * c + block.columns, 1);
      }
      if (l > block.rows) visit(block.bias, block.rows * c, block.columns);
    };
    walk([&](std::int64_t from, std::int64_t to, std::int64_t count) {
      for (std::int64_t i = 0; i < count; ++i) {
        matrix_[static_cast<std::size_t>(to + i)] =
            static_cast<float>(r[static_cast<std::size_t>(from + i)]);
      }
    });
    gemm({l, c, l}, block.left_inverse.data(), l, matrix_.data(), c, 0.0F, product_.data(), c);
    gemm({l, c, c}, product_.data(), c, block.right_inverse.data(), c, 0.0F, matrix_.data(), c);
    walk([&](std::int64_t to, std::int64_t from, std::int64_t count) {
      for (std::int64_t i = 0; i < count; ++i) {
        z[static_cast<std::size_t>(to + i)] =
            static_cast<double>(matrix_[static_cast<std::size_t>(from + i)]);
      }
    });
  }
}

void KroneckerPreconditioner::archive(Archive& archive) {
  archive(blocks_, observations_, damping_);
  if (archive.reading() && damping_ > 0) factorize(damping_);
}

}  // namespace kappa
