// The inverse of Kronecker-factored blocks against its definition, and the runs that use it.
#include <gtest/gtest.h>

#include <Eigen/Core>
#include <cmath>

#include "base/random.h"
#include "minimize/kronecker_preconditioner.h"

namespace kappa {
namespace {

using Matrix = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

Matrix random_matrix(std::int64_t rows, std::int64_t columns, std::uint64_t stream) {
  Matrix matrix(rows, columns);
  Random(5, stream).fill_normal(rows * columns, matrix.data());
  return matrix;
}

Matrix random_factor(std::int64_t order, std::uint64_t stream) {
  const Matrix samples = random_matrix(3 * order, order, stream);
  return samples.transpose() * samples / static_cast<double>(3 * order);
}

Vector entries(const Matrix& matrix) { return {matrix.data(), matrix.data() + matrix.size()}; }

// (L + pi sqrt(g) I) Z (R + sqrt(g) / pi I) = V, the bias a column or a row of V; orders above and
// below the size at which the inverse is taken by halves. Entry 0 of w is in no layer.
TEST(KroneckerPreconditioner, SolvesTheDampedProduct) {
  constexpr double kDamping = 0.01;
  for (const bool bias_is_row : {false, true}) {
    const std::int64_t rows = 130, columns = 20, first = 1;
    KroneckerBlock block{.weight = first,
                         .rows = rows,
                         .columns = columns,
                         .bias = first + rows * columns,
                         .bias_is_row = bias_is_row};
    const std::int64_t l = block.left_order(), c = block.right_order();
    const Matrix left = random_factor(l, 1), right = 3 * random_factor(c, 2);
    block.left = entries(left);
    block.right = entries(right);
    KroneckerPreconditioner preconditioner;
    EXPECT_TRUE(preconditioner.empty());
    preconditioner.observe({block});
    preconditioner.factorize(kDamping);

    const auto place = [&](std::int64_t i, std::int64_t j) {
      const bool bias = bias_is_row ? i == rows : j == columns;
      return static_cast<std::size_t>(bias ? block.bias + (bias_is_row ? j : i)
                                           : first + i * columns + j);
    };
    const Matrix v = random_matrix(l, c, 3);
    Vector r(static_cast<std::size_t>(1 + l * c)), z(r.size());
    r[0] = 1;
    for (std::int64_t i = 0; i < l; ++i) {
      for (std::int64_t j = 0; j < c; ++j) r[place(i, j)] = v(i, j);
    }
    preconditioner.apply(r, z);
    Matrix solution(l, c);
    for (std::int64_t i = 0; i < l; ++i) {
      for (std::int64_t j = 0; j < c; ++j) solution(i, j) = z[place(i, j)];
    }
    const double a = left.trace() / static_cast<double>(l);
    const double b = right.trace() / static_cast<double>(c);
    const double pi = std::sqrt(a / b);
    const Matrix back = (left + pi * std::sqrt(kDamping) * Matrix::Identity(l, l)) * solution *
                        (right + std::sqrt(kDamping) / pi * Matrix::Identity(c, c));
    EXPECT_LE((back - v).norm(), 1e-4 * v.norm());
    EXPECT_NEAR(z[0], 1 / (kDamping + a * b), 1e-12);
  }
}

TEST(KroneckerPreconditioner, ArchivedAndReadGivesTheSameBits) {
  KroneckerBlock block{.weight = 0, .rows = 60, .columns = 7};
  KroneckerPreconditioner written;
  for (std::uint64_t k = 0; k < 3; ++k) {
    block.left = entries(random_factor(60, 2 * k));
    block.right = entries(random_factor(7, 2 * k + 1));
    written.observe({block});
    if (k == 1) written.factorize(0.1);
  }
  written.factorize(0.2);
  Archive out;
  written.archive(out);
  Archive in(out.bytes());
  KroneckerPreconditioner read;
  read.archive(in);
  EXPECT_TRUE(in.exhausted());
  Vector r(420), a(420), b(420);
  Random(1).fill_normal(420, r.data());
  written.apply(r, a);
  read.apply(r, b);
  EXPECT_EQ(a, b);
}

}  // namespace
}  // namespace kappa
