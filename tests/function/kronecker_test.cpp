// Kronecker factors of dense layers against the Gauss-Newton matrix where they are exact.
#include "base/kronecker.h"

#include <gtest/gtest.h>

#include <memory>
#include <vector>

#include "base/random.h"
#include "function/make_objective.h"

namespace kappa {
namespace {

std::unique_ptr<Objective> network(const char* layers, const char* loss, std::int64_t samples,
                                   std::int64_t inputs) {
  Random random(7);
  std::vector<double> x(static_cast<std::size_t>(samples * inputs));
  std::vector<double> y(static_cast<std::size_t>(samples));
  random.fill_normal(samples * inputs, x.data());
  for (double& v : y) v = random.uniform();
  auto data = std::make_shared<Dataset>();
  data->source = "random";
  data->x = {{samples, inputs}, x};
  data->y = {{samples, 1}, y};
  ObjectiveSettings settings;
  settings.dtype = DType::f64;
  return make_network_objective(layers, std::move(data), loss, "xavier", 1, {}, settings);
}

// The rows of G that belong to the block, times a direction within it, against L V R.
void expect_exact(const Objective& f, const std::vector<std::int64_t>& samples) {
  const std::vector<double> w = f.parameters().start();
  const auto blocks = f.kronecker_blocks(w.data(), samples, 3, 4);
  const auto linearization = f.linearize(w.data(), samples);
  std::vector<double> v(w.size()), direction(w.size()), product(w.size());
  Random(9).fill_normal(static_cast<std::int64_t>(v.size()), v.data());
  std::size_t covered = 0;
  for (const KroneckerBlock& block : blocks) {
    ASSERT_GE(block.bias, 0);
    ASSERT_FALSE(block.bias_is_row);
    const std::int64_t rows = block.rows, columns = block.right_order();
    const auto place = [&](std::int64_t i, std::int64_t j) {
      return static_cast<std::size_t>(j < block.columns ? block.weight + i * block.columns + j
                                                        : block.bias + i);
    };
    std::fill(direction.begin(), direction.end(), 0.0);
    for (std::int64_t i = 0; i < rows; ++i) {
      for (std::int64_t j = 0; j < columns; ++j) direction[place(i, j)] = v[place(i, j)];
    }
    linearization->gauss_newton_product(1, direction.data(), product.data());
    for (std::int64_t i = 0; i < rows; ++i) {
      for (std::int64_t j = 0; j < columns; ++j, ++covered) {
        double expected = 0;
        for (std::int64_t k = 0; k < rows; ++k) {
          for (std::int64_t l = 0; l < columns; ++l) {
            expected += block.left[static_cast<std::size_t>(i * rows + k)] * v[place(k, l)] *
                        block.right[static_cast<std::size_t>(l * columns + j)];
          }
        }
        EXPECT_NEAR(product[place(i, j)], expected, 1e-12);
      }
    }
  }
  EXPECT_EQ(covered, w.size());
}

// One sample and one output: G is the outer product of one gradient, each block of it l l' x r r'.
TEST(Kronecker, ExactForOneSampleAndOneOutput) {
  expect_exact(*network("mlp:4-5-3-1:tanh", "bce", 3, 4), {1});
}

// One layer, one output, squares: what is propagated back is the same for all samples. 1100 samples
// are several micro-batches, the last of them filled up.
TEST(Kronecker, ExactForLinearRegression) { expect_exact(*network("mlp:3-1", "mse", 1100, 3), {}); }

}  // namespace
}  // namespace kappa
