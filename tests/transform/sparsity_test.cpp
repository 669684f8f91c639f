#include "transform/sparsity.h"

#include <gtest/gtest.h>

#include <array>
#include <functional>
#include <random>
#include <set>
#include <utility>

#include "program/builder.h"
#include "transform/derivatives.h"

namespace kappa {
namespace {

using Entries = std::set<std::pair<std::int64_t, std::int64_t>>;

Program program_of(std::int64_t n, const std::function<Array(const Array&)>& f) {
  Builder builder;
  const std::array<Array, 1> outputs{f(builder.input({DType::f64, {n}}, "x"))};
  return builder.finish(outputs);
}

Entries entries(const SparsityPattern& pattern) {
  Entries result;
  for (std::int64_t i = 0; i < pattern.rows; ++i) {
    for (std::int64_t k = pattern.starts[static_cast<std::size_t>(i)];
         k < pattern.starts[static_cast<std::size_t>(i) + 1]; ++k) {
      result.emplace(i, pattern.indices[static_cast<std::size_t>(k)]);
    }
  }
  return result;
}

// What is not zero in the Jacobian at a random point, by the derivative programs.
Entries nonzeros(const Program& program, std::int64_t n) {
  std::mt19937 random(3);
  std::uniform_real_distribution<double> uniform(0.3, 0.9);
  std::vector<double> x(static_cast<std::size_t>(n));
  for (double& entry : x) entry = uniform(random);
  const std::array<Tensor, 1> inputs{Tensor::from_doubles(x, {n}, DType::f64)};
  const Tensor jacobian = evaluate(kappa::jacobian(program, {true}), inputs)[0];
  Entries result;
  for (std::int64_t k = 0; k < jacobian.size(); ++k) {
    if (jacobian.at(k) != 0) result.emplace(k / n, k % n);
  }
  return result;
}

// The pattern is exactly what is not zero at a generic point.
void expect_exact(std::int64_t n, const std::function<Array(const Array&)>& f) {
  const Program program = program_of(n, f);
  EXPECT_EQ(entries(jacobian_pattern(program)), nonzeros(program, n)) << print(program);
}

Array indices(const Array& like, std::initializer_list<double> list) {
  return like.builder()->constant(Tensor::from_doubles(
      std::vector<double>(list), {static_cast<std::int64_t>(list.size())}, DType::i64));
}

TEST(Sparsity, ExactForEveryStructure) {
  expect_exact(6, [](const Array& x) { return exp(x) * x; });
  expect_exact(6, [](const Array& x) { return slice(x, {1}, {6}) * slice(x, {0}, {5}); });
  expect_exact(6, [](const Array& x) { return slice(x, {5}, {-1}, {-2}); });
  expect_exact(6, [](const Array& x) { return x * x[2]; });
  expect_exact(6, [](const Array& x) { return pad(slice(x, {1}, {4}), {2}, {1}, {1}); });
  expect_exact(6, [](const Array& x) { return sum(reshape(x, {2, 3}), {0}); });
  expect_exact(6, [](const Array& x) { return sum(reshape(x * x, {2, 3}), {1}); });
  expect_exact(60, [](const Array& x) { return sum(reshape(x * x, {3, 20}), {1}); });
  expect_exact(6, [](const Array& x) { return prod(reshape(x, {2, 3}), {1}); });
  expect_exact(6, [](const Array& x) { return logsumexp(reshape(x, {2, 3}), {0}); });
  expect_exact(6, [](const Array& x) { return reshape(softmax(reshape(x, {2, 3}), 1), {6}); });
  expect_exact(6, [](const Array& x) { return reshape(softmax(reshape(x, {2, 3}), 0), {6}); });
  expect_exact(6, [](const Array& x) { return cumsum(x); });
  expect_exact(6, [](const Array& x) { return reshape(cumsum(reshape(x, {3, 2}), 0, true), {6}); });
  expect_exact(6, [](const Array& x) { return reshape(transpose(reshape(x, {2, 3})), {6}); });
  expect_exact(6, [](const Array& x) { return gather(x, indices(x, {0, 3, 3, 5})); });
  expect_exact(6, [](const Array& x) { return scatter_add(x, indices(x, {0, 3, 3, 4, 0, 0}), 5); });
  expect_exact(6, [](const Array& x) {
    return reshape(gather(reshape(x, {2, 3}), indices(x, {2, 0}), 1), {4});
  });
  expect_exact(6, [](const Array& x) {
    const std::array<Array, 2> parts{reshape(x, {2, 3}), reshape(slice(x, {0}, {4}), {2, 2})};
    return reshape(concat(parts, 1), {10});
  });
  expect_exact(10, [](const Array& x) {
    const Array a = reshape(slice(x, {0}, {6}), {3, 2}), b = reshape(slice(x, {6}, {10}), {2, 2});
    return reshape(matmul(a, b), {6});
  });
  expect_exact(10, [](const Array& x) {
    const Array a = reshape(slice(x, {0}, {6}), {2, 3}), b = reshape(slice(x, {6}, {10}), {2, 2});
    return reshape(matmul(a, b, true, true), {6});
  });
  expect_exact(6, [](const Array& x) { return where(x > 0, x, 2 * x) + sign(x[1]); });
  expect_exact(6, [](const Array& x) { return x * convert(x > 0, DType::f64) + 1; });
  expect_exact(6, [](const Array& x) { return x + norm(x); });
}

TEST(Sparsity, HessianIsTheGradientsJacobian) {
  const std::int64_t n = 40;
  const Program f = program_of(n, [](const Array& x) {
    const Array a = slice(x, {0}, {39}), b = slice(x, {1}, {40});
    return sum(100 * square(b - a * a) + square(1 - a));
  });
  const Program both = value_and_gradient(f, {true});
  const Program gradient = prune(both, std::array<std::size_t, 1>{1});
  const SparsityPattern pattern = symmetric_part(jacobian_pattern(gradient));
  Entries band;
  for (std::int64_t i = 0; i < n; ++i) {
    for (std::int64_t j = std::max<std::int64_t>(i - 1, 0); j <= std::min(i + 1, n - 1); ++j) {
      band.emplace(i, j);
    }
  }
  EXPECT_EQ(entries(pattern), band);
}

TEST(Sparsity, TransposeAndSymmetricPart) {
  const SparsityPattern p{2, 2, {0, 2, 3}, {0, 1, 1}};
  EXPECT_EQ(entries(transpose(p)), (Entries{{0, 0}, {1, 0}, {1, 1}}));
  EXPECT_EQ(entries(symmetric_part(p)), (Entries{{0, 0}, {1, 1}}));
}

}  // namespace
}  // namespace kappa
