// What passes from setup to apply when a product is cut at its directions.

#include "transform/split.h"

#include <gtest/gtest.h>

#include <cmath>

#include "program/builder.h"

namespace kappa {
namespace {

// f(v) = sum(where(3 a + 1 > 0, a v, 0)), a = exp(x) - 2, for x given and v varying.
Split split_masked(std::int64_t n) {
  Builder builder;
  const Array a = exp(builder.input({DType::f64, {n}})) - 2, v = builder.input({DType::f64, {n}});
  const Array total = sum(where(3 * a + 1 > 0, a * v, 0.0));
  return split(builder.finish({&total, 1}), {false, true}, 1);
}

TEST(Split, AMaskThatTakesSeveralPassesIsAResidual) {
  const Split cut = split_masked(5);
  int masks = 0;
  for (std::size_t i = 0; i < cut.num_residuals; ++i) {
    masks += cut.setup.output_type(i).dtype == DType::boolean ? 1 : 0;
  }
  EXPECT_EQ(masks, 1);
  // The sum over the elements with a = exp(x) - 2 > -1/3: those of x = 0.6 and x = 1.
  const auto vector = [](std::initializer_list<double> values) {
    Tensor x({DType::f64, {static_cast<std::int64_t>(values.size())}});
    std::int64_t i = 0;
    for (const double value : values) x.set(i++, value);
    return x;
  };
  const Tensor x = vector({0, 0.4, 0.5, 0.6, 1}), v = vector({1, 10, 100, 1000, 10000});
  std::vector<Tensor> inputs{x, v};
  for (const Tensor& residual : evaluate(cut.setup, std::vector<Tensor>{x}))
    inputs.push_back(residual);
  const double expected = (std::exp(0.6) - 2) * 1000 + (std::exp(1.0) - 2) * 10000;
  EXPECT_NEAR(evaluate(cut.apply, inputs)[0].at(0), expected, 1e-9);
}

}  // namespace
}  // namespace kappa
