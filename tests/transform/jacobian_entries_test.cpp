#include "transform/jacobian_entries.h"

#include <gtest/gtest.h>

#include <array>
#include <functional>
#include <random>
#include <vector>

#include "program/builder.h"
#include "transform/derivatives.h"

namespace kappa {
namespace {

Program program_of(std::int64_t n, const std::function<Array(const Array&)>& f) {
  Builder builder;
  const std::array<Array, 1> outputs{f(builder.input({DType::f64, {n}}, "x"))};
  return builder.finish(outputs);
}

Array indices(const Array& like, std::initializer_list<double> list) {
  return like.builder()->constant(Tensor::from_doubles(
      std::vector<double>(list), {static_cast<std::int64_t>(list.size())}, DType::i64));
}

/// The entries added up are the Jacobian by forward mode, at a generic point.
void expect_jacobian(std::int64_t n, const std::function<Array(const Array&)>& f) {
  const Program program = program_of(n, f);
  std::mt19937 random(5);
  std::uniform_real_distribution<double> uniform(0.3, 0.9);
  std::vector<double> x(static_cast<std::size_t>(n));
  for (double& entry : x) entry = uniform(random);
  const std::array<Tensor, 1> inputs{Tensor::from_doubles(x, {n}, DType::f64)};
  const Tensor expected = evaluate(jacobian(program, {true}), inputs)[0];
  const auto entries = jacobian_entries(program, 1000);
  ASSERT_TRUE(entries) << print(program);
  std::vector<double> sum(static_cast<std::size_t>(expected.size()), 0);
  const std::vector<Tensor> values = evaluate(entries->values, inputs);
  for (std::size_t p = 0; p < values.size(); ++p) {
    for (std::int64_t e = 0; e < values[p].size(); ++e) {
      const std::int32_t row = (*entries->parts[p].rows)[static_cast<std::size_t>(e)];
      const std::int32_t column = (*entries->parts[p].columns)[static_cast<std::size_t>(e)];
      if (row >= 0 && column >= 0) {
        sum[static_cast<std::size_t>(row * n + column)] += values[p].at(e);
      }
    }
  }
  for (std::size_t k = 0; k < sum.size(); ++k) {
    EXPECT_NEAR(sum[k], expected.at(static_cast<std::int64_t>(k)), 1e-12) << k << "\n"
                                                                          << print(program);
  }
}

TEST(JacobianEntries, EqualTheJacobianWhereElementsMove) {
  const auto shifted = [](const Array& x) {
    return exp(slice(x, {1}, {6})) * slice(x, {0}, {5}) / (1 + x[3]);
  };
  expect_jacobian(6, shifted);
  expect_jacobian(6, [](const Array& x) { return slice(sin(x), {5}, {-1}, {-2}) * x[2]; });
  expect_jacobian(6, [](const Array& x) { return pad(square(slice(x, {1}, {4})), {2}, {1}, {1}); });
  expect_jacobian(6, [](const Array& x) { return exp(sum(reshape(x * x, {2, 3}), {0})); });
  expect_jacobian(6, [](const Array& x) { return prod(reshape(x, {2, 3}), {1}); });
  expect_jacobian(6, [](const Array& x) { return square(logsumexp(reshape(x, {2, 3}), {1})); });
  expect_jacobian(6, [](const Array& x) {
    // rows of two, their squared lengths repeated beside them: what was summed up fans out again
    const Array rows = reshape(x, {3, 2});
    return reshape(rows * broadcast_to(sum(rows * rows, {1}, true), {3, 2}), {6});
  });
  expect_jacobian(6, [](const Array& x) {
    return reshape(transpose(reshape(x, {2, 3})), {6}) * x;
  });
  expect_jacobian(6, [](const Array& x) { return square(gather(x, indices(x, {0, 3, 3, 5}))); });
  expect_jacobian(6, [](const Array& x) {
    return square(scatter_add(x * x, indices(x, {0, 3, 3, 4, 0, 0}), 5));
  });
  expect_jacobian(6, [](const Array& x) {
    const Array d = gather(x, indices(x, {0, 1, 2, 0})) - gather(x, indices(x, {3, 4, 5, 5}));
    return gather(scatter_add(d * d * d, indices(x, {0, 1, 1, 0}), 2), indices(x, {0, 0, 1}));
  });
  expect_jacobian(6, [](const Array& x) {
    const std::array<Array, 2> parts{reshape(x, {2, 3}), reshape(exp(slice(x, {0}, {4})), {2, 2})};
    return reshape(concat(parts, 1), {10});
  });
  expect_jacobian(6, [](const Array& x) { return where(x > 0.5, x * x, 2 * x) + sign(x[1]); });
  expect_jacobian(6, [](const Array& x) { return x + norm(x); });
  expect_jacobian(3, [](const Array& x) { return 0 * x; });
}

TEST(JacobianEntries, NothingWhereElementsMixOrFillIn) {
  const auto refused = [](std::int64_t n, const std::function<Array(const Array&)>& f,
                          std::int64_t bound = 1000) {
    return !jacobian_entries(program_of(n, f), bound).has_value();
  };
  EXPECT_TRUE(refused(6, [](const Array& x) { return cumsum(x); }));
  EXPECT_TRUE(refused(6, [](const Array& x) { return softmax(x); }));
  EXPECT_TRUE(refused(4, [](const Array& x) {
    return reshape(matmul(reshape(x, {2, 2}), reshape(x, {2, 2})), {4});
  }));
  EXPECT_TRUE(refused(
      20, [](const Array& x) { return x * sum(x * x); }, 100));
}

}  // namespace
}  // namespace kappa
