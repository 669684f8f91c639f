// Programs with their samples innermost: the same values, and no axes moved between convolutions.

#include "transform/layout.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "kappa/convolution.h"
#include "program/builder.h"
#include "transform/batch.h"
#include "transform/derivatives.h"

namespace kappa {
namespace {

Tensor random_tensor(const Type& type, unsigned seed) {
  std::mt19937 generator(seed);
  std::uniform_real_distribution<double> uniform(-1, 1);
  Tensor result(type);
  for (std::int64_t i = 0; i < result.size(); ++i) result.set(i, uniform(generator));
  return result;
}

int count(const Program& program, std::string_view name) {
  int found = 0;
  for (const Node& node : program.nodes) found += node.primitive->name == name ? 1 : 0;
  return found;
}

void expect_same(const Program& a, const Program& b) {
  std::vector<Tensor> inputs;
  for (std::size_t i = 0; i < a.inputs.size(); ++i) {
    inputs.push_back(random_tensor(a.input_type(i), static_cast<unsigned>(i)));
  }
  const auto expected = evaluate(a, inputs), got = evaluate(b, inputs);
  ASSERT_EQ(expected.size(), got.size());
  for (std::size_t k = 0; k < got.size(); ++k) {
    ASSERT_EQ(got[k].type(), expected[k].type());
    double scale = 0, worst = 0;
    for (std::int64_t i = 0; i < got[k].size(); ++i) {
      scale = std::max(scale, std::abs(expected[k].at(i)));
      worst = std::max(worst, std::abs(expected[k].at(i) - got[k].at(i)));
    }
    EXPECT_LE(worst, 1e-13 * scale) << "output " << k;
  }
}

// Every rule of the layout once: images, residual sum, statistics over samples, padding, slices,
// joined channels, a shuffle of channels, pooling, dense layers.
Program network(std::int64_t batch) {
  Builder builder;
  const auto input = [&](Shape shape) { return builder.input({DType::f64, std::move(shape)}); };
  const Array w1 = input({4, 2, 3, 3}), b1 = input({4}), w2 = input({4, 4, 3, 3}),
              dense = input({5, 24}), bias = input({5}), x = input({batch, 2 * 6 * 6});
  Array h = convolution(reshape(x, {batch, 2, 6, 6}), w1, {{}, {}, {1, 1}, {1, 1}});
  h = tanh(h + reshape(b1, {4, 1, 1}));
  h = h + convolution(h, w2, {{}, {}, {1, 1}, {1, 1}});
  const Array average = mean(h, {0, 2, 3}, true), centred = h - average;
  h = centred / sqrt(mean(centred * centred, {0, 2, 3}, true) + 1e-3);
  h = slice(pad(h, {0, 0, 1, 0}, {0, 0, 0, 1}), {0, 0, 0, 1}, {batch, 4, 6, 7});
  const std::vector<Array> parts{h, where(greater(h, 0.1), h, 0.5 * h)};
  h = concat(parts, 1);
  h = reshape(transpose(reshape(h, {batch, 2, 4, 6, 6}), {0, 2, 1, 3, 4}), {batch, 8, 6, 6});
  h = max_pool(h, {2, 2}, {{2, 2}});
  h = average_pool(h, {2, 2}, {{1, 1}});
  h = mean(h, {3});
  h = concat(std::vector<Array>{reshape(h, {batch, 16}), max(reshape(h, {batch, 8, 2}), {2})}, 1);
  const Array z = matmul(h, dense, false, true) + bias;
  const Array total = sum(log_softmax(z) * z);
  return builder.finish(std::vector<Array>{total, z});
}

TEST(Layout, ValuesStayAndConvolutionsHaveTheirSamplesLast) {
  const Program plain = network(9), moved = with_samples_last(plain);
  verify(moved);
  expect_same(plain, moved);
  EXPECT_EQ(count(moved, "convolution"), count(plain, "convolution"));
  for (const Node& node : moved.nodes) {
    if (!node.primitive->name.starts_with("convolution")) continue;
    EXPECT_EQ(node.attributes.integer("samples_last"), 1);
  }
  // The image going in, the shuffle of channels and the outputs coming back.
  EXPECT_LE(count(moved, "transpose"), 3) << print(moved);
}

TEST(Layout, DerivativesInheritIt) {
  const std::vector<std::size_t> first{0};
  const Program plain = prune(network(8), first);
  const Program moved = prune(with_samples_last(network(8)), first);
  const std::vector<bool> varying{true, true, true, true, true, false};
  const Program product = hessian_product(moved, varying);
  expect_same(hessian_product(plain, varying), product);
  for (const Node& node : product.nodes) {
    const std::string& name = node.primitive->name;
    if (!name.starts_with("convolution") && !name.starts_with("window")) continue;
    EXPECT_EQ(node.attributes.integer("samples_last"), 1) << name;
  }
}

// A network for one sample, batched over many: the new axis is the samples'.
TEST(Layout, SamplesOfABatchedProgramAreSamples) {
  std::vector<bool> batched(6, false);
  batched[5] = true;
  const Program rows = batch(network(1), batched, 16), moved = with_samples_last(rows);
  int calls = 0;
  for (const Node& node : moved.nodes) {
    const std::string_view name = node.primitive->name;
    if (!name.starts_with("convolution") && !name.starts_with("window_")) continue;
    EXPECT_EQ(node.attributes.integer("samples_last"), 1) << name;
    ++calls;
  }
  EXPECT_EQ(calls, 5);  // three convolutions, one of them the mean of a window; the largest, in two
  expect_same(rows, moved);
}

TEST(Layout, FewSamplesAndOtherProgramsStayAsTheyAre) {
  EXPECT_EQ(print(with_samples_last(network(7))), print(network(7)));
  Builder builder;
  const Array x = builder.input({DType::f64, {16, 4}});
  const Program dense = builder.finish(std::vector<Array>{matmul(x, x, false, true)});
  EXPECT_EQ(print(with_samples_last(dense)), print(dense));
}

}  // namespace
}  // namespace kappa
