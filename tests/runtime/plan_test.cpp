// Plans against `evaluate`, the node-by-node reference of the program floor.

#include "runtime/plan.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "program/builder.h"
#include "transform/batch.h"
#include "transform/derivatives.h"

namespace kappa {
namespace {

Tensor random_tensor(const Type& type, std::mt19937_64& random) {
  Tensor tensor(type);
  std::uniform_real_distribution<double> uniform(-1, 1);
  for (std::int64_t i = 0; i < tensor.size(); ++i) {
    tensor.set(
        i, type.dtype == DType::i64 ? std::floor(3 * std::abs(uniform(random))) : uniform(random));
  }
  return tensor;
}

std::vector<Tensor> run(const Plan& plan, const std::vector<Tensor>& inputs) {
  std::vector<const void*> in;
  for (const Tensor& x : inputs) in.push_back(x.data());
  std::vector<Tensor> results;
  std::vector<void*> out;
  for (std::size_t i = 0; i < plan.program().outputs.size(); ++i) {
    results.emplace_back(plan.program().output_type(i));
    // Whatever stood there before must not matter.
    for (std::int64_t k = 0; k < results.back().bytes(); ++k) {
      results.back().data()[k] = std::byte{0xff};
    }
    out.push_back(results.back().data());
  }
  const auto workspace = allocate_aligned(plan.workspace_bytes());
  plan.run(in.data(), out.data(), workspace.get());
  return results;
}

// Fused and unfused plans against the reference; elementwise results must agree to the bit, sums
// taken in another order to rounding.
void check(const Program& program, double tolerance = 0, int seed = 1) {
  verify(program);
  std::mt19937_64 random(static_cast<std::uint64_t>(seed));
  std::vector<Tensor> inputs;
  for (std::size_t i = 0; i < program.inputs.size(); ++i) {
    inputs.push_back(random_tensor(program.input_type(i), random));
  }
  const std::vector<Tensor> expected = evaluate(program, inputs);
  for (const bool fuse : {false, true}) {
    const Plan plan(program, {.fuse = fuse});
    const std::vector<Tensor> actual = run(plan, inputs);
    ASSERT_EQ(actual.size(), expected.size());
    for (std::size_t k = 0; k < actual.size(); ++k) {
      double scale = 0;
      for (std::int64_t i = 0; i < expected[k].size(); ++i) {
        scale = std::max(scale, std::abs(expected[k].at(i)));
      }
      for (std::int64_t i = 0; i < expected[k].size(); ++i) {
        ASSERT_NEAR(actual[k].at(i), expected[k].at(i), tolerance * scale)
            << "output " << k << " element " << i << (fuse ? " fused\n" : " unfused\n")
            << plan.describe() << print(program);
      }
    }
  }
}

Program rosenbrock(std::int64_t n) {
  Builder b;
  const Array x = b.input({DType::f64, {n}}, "x");
  const Array head = slice(x, {0}, {n - 1});
  const Array tail = slice(x, {1}, {n});
  const Array f = sum(100 * square(tail - square(head)) + square(1 - head));
  return b.finish(std::vector<Array>{f});
}

TEST(Plan, ChainedRosenbrockDerivativesFuseAcrossShifts) {
  for (const std::int64_t n : {2, 3, 17, 1000, 5000}) {
    const Program f = rosenbrock(n);
    check(f, 1e-14);
    check(value_and_gradient(f, {true}), 1e-14);
    check(hessian_product(f, {true}), 1e-14);
  }
  // Slices and pads cost no pass of their own: value and gradient are a single one.
  const Plan plan(value_and_gradient(rosenbrock(5000), {true}));
  EXPECT_LE(plan.num_steps(), 2U) << plan.describe();
}

TEST(Plan, BroadcastsAreReadInPlace) {
  Builder b;
  const Array x = b.input({DType::f32, {33, 200}});
  const Array row = b.input({DType::f32, {200}});
  const Array column = b.input({DType::f32, {33, 1}});
  const Array scalar = b.input({DType::f32, {}});
  const Array y = (x + row) * column - scalar * x;
  check(b.finish(std::vector<Array>{y, sum(y), sum(y, {0}), sum(y, {1})}), 1e-6);
}

// A row each direction adds to all rows of its own: read once a direction, by tiles of many rows.
TEST(Plan, RowsThatChangeWithTheDirection) {
  for (const std::int64_t rows : {4, 12, 40}) {  // less than a tile, and more
    Builder b;
    const Array x = b.input({DType::f64, {3, rows, 128}});
    const Array row = b.input({DType::f64, {3, 1, 128}}),
                shared = b.input({DType::f64, {rows, 128}});
    check(b.finish(std::vector<Array>{x * row + shared * row, sum(x * row)}), 1e-14);
  }
}

TEST(Plan, OutputsMayBeInputsConstantsViewsAndRepeated) {
  Builder b;
  const Array x = b.input({DType::f64, {4, 6}});
  const Array y = x * 2;
  const std::vector<Array> outputs{x,
                                   b.scalar(3, DType::f64),
                                   reshape(x, {24}),
                                   transpose(x),
                                   y,
                                   y,
                                   reshape(y, {6, 4}),
                                   slice(y, {1, 2}, {3, 6}),
                                   pad(y, {1, 0}, {0, 2}),
                                   broadcast_to(y, {2, 4, 6})};
  check(b.finish(outputs));
}

TEST(Plan, ProductsThatAreSummedAccumulateInPlace) {
  Builder b;
  const Array a = b.input({DType::f32, {16, 24}});
  const Array c = b.input({DType::f32, {24, 8}});
  const Array d = b.input({DType::f32, {16, 24}});
  const Array e = b.input({DType::f32, {24, 8}});
  const Array y = matmul(a, c) + matmul(d, e) + matmul(d, c);
  const Program program = b.finish(std::vector<Array>{tanh(y)});
  check(program, 1e-6);
  EXPECT_EQ(Plan(program).num_steps(), 4U) << Plan(program).describe();
}

TEST(Plan, AnIntermediateProductUsedTwiceIsNotOverwritten) {
  Builder b;
  const Array a = b.input({DType::f64, {5, 7}});
  const Array c = b.input({DType::f64, {7, 5}});
  const Array p = matmul(a, c);
  const Array q = p + matmul(c, a, true, true);
  check(b.finish(std::vector<Array>{q, p * 2, q * p}), 1e-14);
}

TEST(Plan, EmptyAndSingleElementArrays) {
  Builder b;
  const Array x = b.input({DType::f64, {0, 3}});
  const Array one = b.input({DType::f64, {1}});
  check(b.finish(
      std::vector<Array>{x * 2, sum(x), sum(x, {0}), one * one, sum(one), broadcast_to(one, {5})}));
}

TEST(Plan, StridedAndReversedViews) {
  Builder b;
  const Array x = b.input({DType::f64, {7, 9}});
  const Array every_other = slice(x, {0, 8}, {7, -1}, {2, -3});
  const Array turned = transpose(every_other);
  check(b.finish(std::vector<Array>{every_other + 1, turned * 2, reshape(turned, {12}) - 1,
                                    slice(reshape(x, {63}), {5}, {60}, {7}) * x[0][3]}));
}

// Random programs: elementwise operations over mixed shapes, views, sums and products.
class Random : public testing::TestWithParam<int> {};

TEST_P(Random, FusedEqualsReference) {
  std::mt19937_64 random(static_cast<std::uint64_t>(GetParam()));
  const auto pick = [&](std::size_t n) { return static_cast<std::size_t>(random() % n); };
  Builder b;
  const std::int64_t m = 1 + static_cast<std::int64_t>(pick(40));
  const std::int64_t n = 1 + static_cast<std::int64_t>(pick(400));
  std::vector<Array> pool{b.input({DType::f64, {m, n}}), b.input({DType::f64, {m, n}}),
                          b.input({DType::f64, {n}}), b.input({DType::f64, {m, 1}}),
                          b.input({DType::f64, {}})};
  for (int step = 0; step < 25; ++step) {
    const Array x = pool[pick(pool.size())];
    const Array y = pool[pick(pool.size())];
    const auto fits = [&] {
      for (std::size_t i = 0; i < std::min(x.shape().size(), y.shape().size()); ++i) {
        const std::int64_t p = x.shape()[x.shape().size() - 1 - i];
        const std::int64_t q = y.shape()[y.shape().size() - 1 - i];
        if (p != q && p != 1 && q != 1) return false;
      }
      return true;
    };
    switch (pick(9)) {
      case 0:
        if (fits()) pool.push_back(x + y);
        break;
      case 1:
        if (fits()) pool.push_back(x * y);
        break;
      case 2:
        if (fits()) pool.push_back(x - 0.5 * y);
        break;
      case 3: pool.push_back(tanh(x)); break;
      case 4:
        if (x.rank() > 0) pool.push_back(sum(x, {-1}, true));
        break;
      case 5:
        if (x.rank() > 0 && x.shape()[0] > 1) {
          Dims start(x.shape().size(), 0);
          Dims stop = x.shape();
          start[0] = 1;
          Dims low(x.shape().size(), 0), high(x.shape().size(), 0);
          (pick(2) == 0 ? low : high)[0] = 1;
          pool.push_back(pad(slice(x, start, stop), low, high));
        }
        break;
      case 6: pool.push_back(transpose(x)); break;
      case 7:
        if (x.rank() == 2 && y.rank() == 2 && x.shape()[1] == y.shape()[1]) {
          pool.push_back(matmul(x, y, false, true));
        }
        break;
      default: pool.push_back(reshape(x, {x.size()}));
    }
    if (pool.back().size() > 20000) pool.pop_back();
  }
  std::vector<Array> outputs;
  for (std::size_t i = 5; i < pool.size(); i += 1 + pick(4)) outputs.push_back(pool[i]);
  outputs.push_back(sum(pool.back()));
  check(b.finish(outputs), 1e-12, GetParam());
}

INSTANTIATE_TEST_SUITE_P(Programs, Random, testing::Range(0, 300));

}  // namespace
}  // namespace kappa
