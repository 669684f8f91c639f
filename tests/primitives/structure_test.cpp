// Primitives that move, join, reduce and multiply arrays: values against naive loops and closed
// forms, derivatives against closed forms, rewriting against the rewritten program's text.

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <numeric>
#include <random>

#include "kappa/error.h"
#include "program/builder.h"
#include "transform/batch.h"
#include "transform/derivatives.h"
#include "transform/linearize.h"
#include "transform/transpose.h"

namespace kappa {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double nan = std::numeric_limits<double>::quiet_NaN();

Tensor random_tensor(const Type& type, unsigned seed, double low = -2, double high = 2) {
  std::mt19937 generator(seed);
  std::uniform_real_distribution<double> uniform(low, high);
  Tensor result(type);
  for (std::int64_t i = 0; i < result.size(); ++i) {
    const double value = uniform(generator);
    result.set(i, type.dtype == DType::i64 ? std::round(value) : value);
  }
  return result;
}

Tensor counting(const Shape& shape, DType dtype = DType::f64) {
  Tensor result(Type{dtype, shape});
  for (std::int64_t i = 0; i < result.size(); ++i) result.set(i, static_cast<double>(i));
  return result;
}

Tensor vector_of(std::vector<double> values) {
  return Tensor::from_doubles(values, {static_cast<std::int64_t>(values.size())}, DType::f64);
}

std::vector<double> values_of(const Tensor& tensor) {
  std::vector<double> values;
  for (std::int64_t i = 0; i < tensor.size(); ++i) values.push_back(tensor.at(i));
  return values;
}

template <class F>
Program trace(std::span<const Tensor> inputs, const F& f) {
  Builder builder;
  std::vector<Array> arrays;
  for (const Tensor& x : inputs) arrays.push_back(builder.input(x.type()));
  const Array output = f(std::span<const Array>(arrays));
  Program program = builder.finish({&output, 1});
  verify(program);
  return program;
}

/// The value of f at x, computed node by node.
template <class F>
Tensor value(const F& f, const Tensor& x) {
  const Program program = trace({&x, 1}, [&](auto inputs) { return f(inputs[0]); });
  return evaluate(program, {&x, 1})[0];
}
template <class F>
Tensor value(const F& f, const Tensor& a, const Tensor& b) {
  const Tensor inputs[] = {a, b};
  const Program program = trace(inputs, [&](auto x) { return f(x[0], x[1]); });
  return evaluate(program, inputs)[0];
}
/// The gradient at x of a scalar f.
template <class F>
std::vector<double> gradient(const F& f, const Tensor& x) {
  const Program program = trace({&x, 1}, [&](auto inputs) { return f(inputs[0]); });
  return values_of(evaluate(value_and_gradient(program, {true}), {&x, 1})[1]);
}
/// The Hessian at x of a scalar f of a vector, column by column.
template <class F>
std::vector<double> hessian(const F& f, const Tensor& x) {
  const Program program = trace({&x, 1}, [&](auto inputs) { return f(inputs[0]); });
  const Program product = hessian_product(program, {true});
  std::vector<double> result;
  for (std::int64_t i = 0; i < x.size(); ++i) {
    Tensor direction(x.type());
    for (std::int64_t j = 0; j < x.size(); ++j) direction.set(j, i == j ? 1 : 0);
    const Tensor inputs[] = {x, direction};
    for (const double v : values_of(evaluate(product, inputs)[0])) result.push_back(v);
  }
  return result;
}
/// Number of nodes other than inputs that f leaves.
template <class F>
std::size_t nodes_of(const F& f, const Tensor& x) {
  const Program program = trace({&x, 1}, [&](auto inputs) { return f(inputs[0]); });
  return program.nodes.size() - 1;
}

void expect_near(const std::vector<double>& actual, const std::vector<double>& expected,
                 double tolerance) {
  ASSERT_EQ(actual.size(), expected.size());
  for (std::size_t i = 0; i < actual.size(); ++i) {
    if (std::isnan(expected[i])) {
      EXPECT_TRUE(std::isnan(actual[i])) << "entry " << i;
    } else if (!std::isfinite(expected[i])) {
      EXPECT_EQ(actual[i], expected[i]) << "entry " << i;
    } else {
      EXPECT_NEAR(actual[i], expected[i], tolerance * (1 + std::abs(expected[i]))) << "entry " << i;
    }
  }
}

using Doubles = std::vector<double>;

// ---------------------------------------------------------------- views

TEST(Views, values) {
  const Tensor x = counting({2, 3});
  EXPECT_EQ(values_of(value([](Array a) { return transpose(a); }, x)), (Doubles{0, 3, 1, 4, 2, 5}));
  EXPECT_EQ(values_of(value(
                [](Array a) {
                  return slice(a, {0, 2}, {2, -1}, {1, -2});
                },
                x)),
            (Doubles{2, 0, 5, 3}));
  EXPECT_EQ(values_of(value([](Array a) { return a[-1]; }, x)), (Doubles{3, 4, 5}));
  EXPECT_EQ(values_of(value(
                [](Array a) {
                  return broadcast_to(a[1], {2, 3});
                },
                x)),
            (Doubles{3, 4, 5, 3, 4, 5}));
  EXPECT_EQ(values_of(value([](Array a) { return pad(a[0], {1}, {2}); }, x)),
            (Doubles{0, 0, 1, 2, 0, 0}));
  EXPECT_EQ(values_of(value([](Array a) { return pad(a[1], {0}, {1}, {2}); }, x)),
            (Doubles{3, 0, 0, 4, 0, 0, 5, 0}));
}

TEST(Views, slice_counts_agree_with_a_loop) {
  const Tensor x = counting({7});
  for (std::int64_t start = 0; start < 7; ++start) {
    for (const std::int64_t step : {-3, -2, -1, 1, 2, 3}) {
      for (std::int64_t stop = -1; stop <= 7; ++stop) {
        if (step > 0 ? stop < 0 : stop > 6) continue;
        Doubles expected;
        for (std::int64_t i = start; step > 0 ? i < stop : i > stop; i += step) {
          expected.push_back(static_cast<double>(i));
        }
        const auto f = [&](Array a) { return slice(a, {start}, {stop}, {step}); };
        ASSERT_EQ(values_of(value(f, x)), expected) << start << ":" << stop << ":" << step;
      }
    }
  }
}

TEST(Views, simplify_to_at_most_one_node) {
  const Tensor x = counting({2, 3, 4});
  EXPECT_EQ(nodes_of([](Array a) { return reshape(reshape(a, {6, 4}), {2, 3, 4}); }, x), 0U);
  EXPECT_EQ(nodes_of([](Array a) { return reshape(reshape(a, {6, 4}), {24}); }, x), 1U);
  EXPECT_EQ(nodes_of([](Array a) { return transpose(transpose(a)); }, x), 0U);
  EXPECT_EQ(nodes_of([](Array a) { return transpose(transpose(a, {2, 0, 1}), {2, 1, 0}); }, x), 1U);
  EXPECT_EQ(nodes_of([](Array a) { return slice(a, {0, 0, 0}, {2, 3, 4}); }, x), 0U);
  EXPECT_EQ(nodes_of([](Array a) { return slice(a[0], {1, 0}, {3, 4})[0]; }, x), 2U);
  EXPECT_EQ(nodes_of([](Array a) { return pad(a, {0, 0, 0}, {0, 0, 0}); }, x), 0U);
  EXPECT_EQ(nodes_of(
                [](Array a) {
                  return pad(pad(a, {1, 0, 0}, {0, 0, 0}), {0, 0, 1}, {0, 0, 0});
                },
                x),
            1U);
  EXPECT_EQ(nodes_of(
                [](Array a) {
                  return broadcast_to(broadcast_to(a, {1, 2, 3, 4}), {5, 2, 3, 4});
                },
                x),
            1U);
}

TEST(Views, slice_of_slice_keeps_its_entries) {
  const Tensor x = counting({20});
  const auto f = [](Array a) { return slice(slice(a, {17}, {1}, {-3}), {4}, {-1}, {-2}); };
  EXPECT_EQ(values_of(value(f, x)), (Doubles{5, 11, 17}));
  EXPECT_EQ(nodes_of(f, x), 1U);
}

TEST(Views, errors_name_what_does_not_fit) {
  const Tensor x = counting({2, 3});
  const auto kind_of = [&](auto f) {
    try {
      value(f, x);
    } catch (const Error& error) {
      EXPECT_NE(std::string(error.what()).find("["), std::string::npos);
      return error.kind();
    }
    ADD_FAILURE() << "no error";
    return ErrorKind::usage;
  };
  EXPECT_EQ(kind_of([](Array a) { return reshape(a, {7}); }), ErrorKind::shape);
  EXPECT_EQ(kind_of([](Array a) { return broadcast_to(a, {3, 2}); }), ErrorKind::shape);
  EXPECT_EQ(kind_of([](Array a) { return transpose(a, {0, 0}); }), ErrorKind::shape);
  EXPECT_EQ(kind_of([](Array a) { return slice(a, {0, 0}, {2, 4}); }), ErrorKind::shape);
  EXPECT_EQ(kind_of([](Array a) { return slice(a, {0, 0}, {2, 3}, {1, 0}); }), ErrorKind::shape);
  EXPECT_EQ(kind_of([](Array a) { return pad(a, {0, -1}, {0, 0}); }), ErrorKind::shape);
  EXPECT_EQ(kind_of([](Array a) { return a[2]; }), ErrorKind::shape);
  EXPECT_EQ(kind_of([](Array a) { return matmul(a, a); }), ErrorKind::shape);
  EXPECT_EQ(kind_of([](Array a) { return matmul(a, 2.0); }), ErrorKind::shape);
  EXPECT_EQ(kind_of([](Array a) { return gather(a, a); }), ErrorKind::type);
  EXPECT_EQ(kind_of([](Array a) { return gather(a, 5.0); }), ErrorKind::value);
  EXPECT_EQ(kind_of([](Array a) { return sum(a, {2}); }), ErrorKind::shape);
  EXPECT_EQ(kind_of([](Array a) { return max(slice(a, {0, 0}, {2, 0}), {1}); }), ErrorKind::shape);
}

// ---------------------------------------------------------------- joining and picking

TEST(Concat, values_and_promotion) {
  const auto f = [](Array a, Array b) {
    const Array parts[] = {a, b, a};
    return concat(parts, 1);
  };
  EXPECT_EQ(values_of(value(f, counting({2, 2}), counting({2, 1}, DType::f32))),
            (Doubles{0, 1, 0, 0, 1, 2, 3, 1, 2, 3}));
  const auto numbers = [](Array a) {
    const Array parts[] = {a, 7.0, a};
    return concat(parts);
  };
  EXPECT_EQ(values_of(value(numbers, Tensor::scalar(2, DType::f64))), (Doubles{2, 7, 2}));
}

TEST(Gather, takes_entries_and_scatter_adds_them_back) {
  const Tensor x = counting({3, 2});
  Tensor indices(Type{DType::i64, {4}});
  for (const auto& [i, v] : {std::pair{0, 2}, {1, 0}, {2, 2}, {3, 1}}) indices.set(i, v);
  EXPECT_EQ(values_of(value([](Array a, Array i) { return gather(a, i); }, x, indices)),
            (Doubles{4, 5, 0, 1, 4, 5, 2, 3}));
  // Index 2 occurs twice, so its entries arrive doubled.
  EXPECT_EQ(values_of(value([](Array a, Array i) { return scatter_add(gather(a, i), i, 3); }, x,
                            indices)),
            (Doubles{0, 1, 2, 3, 8, 10}));
}

// ---------------------------------------------------------------- reductions

TEST(Reductions, every_subset_of_axes_agrees_with_a_loop) {
  const Shape shape{3, 1, 4, 5};
  for (const DType dtype : {DType::f64, DType::f32}) {
    const Tensor x = random_tensor({dtype, shape}, 7);
    for (unsigned mask = 1; mask < 16; ++mask) {
      Dims axes;
      for (std::int64_t axis = 0; axis < 4; ++axis) {
        if ((mask >> axis & 1U) != 0) axes.push_back(axis);
      }
      std::vector<double> sums, products, largest, smallest;
      Shape kept = shape;
      for (const std::int64_t axis : axes) kept[static_cast<std::size_t>(axis)] = 1;
      const auto count = static_cast<std::size_t>(num_elements(kept));
      sums.assign(count, 0);
      products.assign(count, 1);
      largest.assign(count, -infinity);
      smallest.assign(count, infinity);
      const Dims strides = contiguous_strides(shape), kept_strides = contiguous_strides(kept);
      for (std::int64_t i = 0; i < x.size(); ++i) {
        std::int64_t at = 0;
        for (std::size_t d = 0; d < 4; ++d) {
          if (kept[d] != 1) at += i / strides[d] % shape[d] * kept_strides[d];
        }
        const auto to = static_cast<std::size_t>(at);
        sums[to] += x.at(i);
        products[to] *= x.at(i);
        largest[to] = std::max(largest[to], x.at(i));
        smallest[to] = std::min(smallest[to], x.at(i));
      }
      const double tolerance = dtype == DType::f64 ? 1e-14 : 2e-6;
      expect_near(values_of(value([&](Array a) { return sum(a, axes); }, x)), sums, tolerance);
      expect_near(values_of(value([&](Array a) { return prod(a, axes, true); }, x)), products,
                  tolerance);
      expect_near(values_of(value([&](Array a) { return max(a, axes); }, x)), largest, 0);
      expect_near(values_of(value([&](Array a) { return min(a, axes); }, x)), smallest, 0);
    }
  }
}

TEST(Reductions, float_sums_run_in_double) {
  // In single precision the ones would vanish beside 2^24.
  const std::int64_t count = 1000;
  Tensor x(Type{DType::f32, {count, 2}});
  for (std::int64_t i = 0; i < x.size(); ++i) x.set(i, 1);
  x.set(0, 0x1p24);
  x.set(1, 0x1p24);
  const double expected = static_cast<float>(0x1p24 + 999);
  EXPECT_EQ(values_of(value([](Array a) { return sum(a, {0}); }, x)),
            (Doubles{expected, expected}));
  EXPECT_EQ(values_of(value([](Array a) { return sum(transpose(a), {1}); }, x)),
            (Doubles{expected, expected}));
}

TEST(Reductions, empty_and_special_values) {
  const Tensor none(Type{DType::f64, {0, 2}});
  EXPECT_EQ(values_of(value([](Array a) { return sum(a, {0}); }, none)), (Doubles{0, 0}));
  EXPECT_EQ(values_of(value([](Array a) { return prod(a, {0}); }, none)), (Doubles{1, 1}));
  const Tensor odd = vector_of({1, nan, infinity, -infinity});
  for (const auto& reduce : {std::function<Array(Array)>([](Array a) { return max(a); }),
                             std::function<Array(Array)>([](Array a) { return min(a); }),
                             std::function<Array(Array)>([](Array a) { return logsumexp(a); }),
                             std::function<Array(Array)>([](Array a) { return norm(a); })}) {
    EXPECT_TRUE(std::isnan(value(reduce, odd).at(0)));
  }
  const Tensor flags = value([](Array a) { return a > 1.0; }, counting({5}));
  EXPECT_EQ(value([](Array a) { return sum(a); }, flags).at(0), 3);
}

TEST(Reductions, sum_of_a_broadcast_is_a_product) {
  const Tensor x = counting({3});
  const auto f = [](Array a) { return sum(broadcast_to(a, {5, 3}), {0}); };
  EXPECT_EQ(values_of(value(f, x)), (Doubles{0, 5, 10}));
  const Program program = trace({&x, 1}, [&](auto inputs) { return f(inputs[0]); });
  EXPECT_EQ(print(program).find("reduce_sum"), std::string::npos) << print(program);
}

TEST(Reductions, ties_share_the_derivative) {
  expect_near(gradient([](Array a) { return max(a); }, vector_of({1, 3, 3, 2})), {0, 0.5, 0.5, 0},
              1e-15);
  expect_near(gradient([](Array a) { return min(a); }, vector_of({1, 3, 1, 1})),
              {1.0 / 3, 0, 1.0 / 3, 1.0 / 3}, 1e-15);
}

TEST(Product, derivatives_with_zeros_among_the_factors) {
  const auto f = [](Array a) { return prod(a); };
  // d/dx_i is the product of the others; d²/dx_i dx_j of the others but i and j; 0 on the diagonal.
  for (const auto& x : {Doubles{2, 3, 5, 7, 11}, Doubles{2, 0, 5, 7, 11}, Doubles{2, 0, 5, 0, 11},
                        Doubles{0, 0, 0, 7, 11}}) {
    Doubles first, second;
    for (std::size_t i = 0; i < x.size(); ++i) {
      double others = 1;
      for (std::size_t k = 0; k < x.size(); ++k) others *= k == i ? 1 : x[k];
      first.push_back(others);
      for (std::size_t j = 0; j < x.size(); ++j) {
        double rest = i == j ? 0 : 1;
        for (std::size_t k = 0; k < x.size(); ++k) rest *= k == i || k == j ? 1 : x[k];
        second.push_back(rest);
      }
    }
    expect_near(gradient(f, vector_of(x)), first, 1e-15);
    expect_near(hessian(f, vector_of(x)), second, 1e-15);
  }
}

TEST(Cumsum, both_directions) {
  const Tensor x = counting({2, 3});
  EXPECT_EQ(values_of(value([](Array a) { return cumsum(a, 0); }, x)), (Doubles{0, 1, 2, 3, 5, 7}));
  EXPECT_EQ(values_of(value([](Array a) { return cumsum(a, -1, true); }, x)),
            (Doubles{3, 3, 2, 12, 9, 5}));
  // The k-th entry takes part in n - k running sums.
  expect_near(gradient([](Array a) { return sum(cumsum(a)); }, counting({4})), {4, 3, 2, 1}, 0);
}

TEST(Norm, derivative_at_zero_is_zero) {
  const auto f = [](Array a) { return norm(a); };
  EXPECT_DOUBLE_EQ(value(f, vector_of({3, 4})).at(0), 5);
  expect_near(gradient(f, vector_of({3, 4})), {0.6, 0.8}, 1e-15);
  expect_near(gradient(f, vector_of({0, 0})), {0, 0}, 0);
  expect_near(hessian(f, vector_of({0, 0})), {0, 0, 0, 0}, 0);
  // H = (I - u uᵀ) / |x|, u = x / |x|.
  expect_near(hessian(f, vector_of({3, 4})), {0.128, -0.096, -0.096, 0.072}, 1e-14);
}

// ---------------------------------------------------------------- softmax and its kin

TEST(Softmax, agrees_with_the_definition) {
  for (const DType dtype : {DType::f64, DType::f32}) {
    for (const std::int64_t columns : {1, 3, 8, 10, 16, 37, 130}) {
      const Tensor x = random_tensor({dtype, {4, columns}}, 3, -20, 20);
      Doubles soft, lse;
      for (std::int64_t r = 0; r < 4; ++r) {
        double total = 0;
        for (std::int64_t j = 0; j < columns; ++j) total += std::exp(x.at(r * columns + j));
        for (std::int64_t j = 0; j < columns; ++j) {
          soft.push_back(std::exp(x.at(r * columns + j)) / total);
        }
        lse.push_back(std::log(total));
      }
      const double tolerance = dtype == DType::f64 ? 2e-15 : 1e-6;
      expect_near(values_of(value([](Array a) { return softmax(a); }, x)), soft, tolerance);
      expect_near(values_of(value([](Array a) { return logsumexp(a, {1}); }, x)), lse, tolerance);
      expect_near(values_of(value([](Array a) { return transpose(softmax(transpose(a), 0)); }, x)),
                  soft, tolerance);
    }
  }
}

TEST(Softmax, over_columns_is_over_rows_of_the_transpose) {
  for (const DType dtype : {DType::f64, DType::f32}) {
    for (const std::int64_t columns : {64, 67, 130}) {
      const Tensor x = random_tensor({dtype, {2, 3, columns}}, 3, -20, 20);
      const auto turned = [](Array a) { return transpose(a, {0, 2, 1}); };
      const double tolerance = dtype == DType::f64 ? 4e-15 : 2e-6;
      expect_near(values_of(value([](Array a) { return softmax(a, 1); }, x)),
                  values_of(value([&](Array a) { return turned(softmax(turned(a))); }, x)),
                  tolerance);
      expect_near(values_of(value([](Array a) { return logsumexp(a, {1}); }, x)),
                  values_of(value([&](Array a) { return logsumexp(turned(a), {2}); }, x)),
                  tolerance);
      expect_near(values_of(value(
                      [](Array a) {
                        return logsumexp(a, {0, 1}, true);
                      },
                      x)),
                  values_of(value(
                      [&](Array a) {
                        return logsumexp(turned(a), {0, 2});
                      },
                      x)),
                  tolerance);
    }
  }
  const Tensor odd =
      vector_of({-infinity, 0, 1000, infinity, nan, -infinity, -infinity, 1000, 0, 0});
  const auto columns = [](Array a) { return pad(reshape(a, {2, 5}), {0, 0}, {0, 60}); };
  const Tensor lse = value([&](Array a) { return logsumexp(columns(a), {0}); }, odd);
  const Tensor soft = value([&](Array a) { return softmax(columns(a), 0); }, odd);
  const Doubles expected{-infinity, 0, 1000 + std::log(2.0), infinity, nan};
  expect_near({lse.at(0), lse.at(1), lse.at(2), lse.at(3), lse.at(4)}, expected, 1e-12);
  expect_near({soft.at(0), soft.at(1), soft.at(2), soft.at(3), soft.at(4)}, {nan, 1, 0.5, nan, nan},
              1e-15);
}

TEST(Softmax, special_values) {
  const auto soft = [](Array a) { return softmax(a); };
  const auto lse = [](Array a) { return logsumexp(a); };
  EXPECT_EQ(value(lse, vector_of({-infinity, -infinity})).at(0), -infinity);
  EXPECT_EQ(value(lse, vector_of({infinity, 0})).at(0), infinity);
  EXPECT_DOUBLE_EQ(value(lse, vector_of({1000, 1000})).at(0), 1000 + std::log(2.0));
  expect_near(values_of(value(soft, vector_of({-infinity, 0, 0}))), {0, 0.5, 0.5}, 1e-15);
  expect_near(values_of(value(soft, vector_of({infinity, 0}))), {nan, nan}, 0);
  expect_near(values_of(value(soft, vector_of({nan, 0}))), {nan, nan}, 0);
}

TEST(Softmax, hessian_of_logsumexp_is_a_covariance) {
  // ∇² log Σ exp = diag(p) - p pᵀ.
  const Tensor x = vector_of({0.3, -1.2, 2, 0.5});
  const Doubles p = values_of(value([](Array a) { return softmax(a); }, x));
  Doubles expected;
  for (std::size_t i = 0; i < 4; ++i) {
    for (std::size_t j = 0; j < 4; ++j) expected.push_back((i == j ? p[i] : 0) - p[i] * p[j]);
  }
  expect_near(gradient([](Array a) { return logsumexp(a); }, x), p, 1e-15);
  expect_near(hessian([](Array a) { return logsumexp(a); }, x), expected, 1e-15);
  // -log_softmax differs from it by a linear function.
  expect_near(hessian([](Array a) { return -log_softmax(a)[1]; }, x), expected, 1e-15);
}

// ---------------------------------------------------------------- matrix products

Doubles naive_product(const Tensor& a, const Tensor& b, bool ta, bool tb) {
  const std::int64_t rows = a.shape()[ta ? 1 : 0], inner = a.shape()[ta ? 0 : 1];
  const std::int64_t columns = b.shape()[tb ? 0 : 1];
  Doubles result;
  for (std::int64_t i = 0; i < rows; ++i) {
    for (std::int64_t j = 0; j < columns; ++j) {
      double total = 0;
      for (std::int64_t k = 0; k < inner; ++k) {
        total +=
            a.at(ta ? k * rows + i : i * inner + k) * b.at(tb ? j * inner + k : k * columns + j);
      }
      result.push_back(total);
    }
  }
  return result;
}

TEST(Matmul, agrees_with_a_loop_for_every_flag_and_size) {
  for (const DType dtype : {DType::f64, DType::f32, DType::i64}) {
    for (const auto& [m, n, k] : {std::tuple{1, 1, 5},
                                  {1, 7, 3},
                                  {6, 1, 9},
                                  {3, 3, 3},
                                  {17, 5, 31},
                                  {40, 50, 60},
                                  {130, 10, 70},
                                  {5, 4, 1}}) {
      for (const bool ta : {false, true}) {
        for (const bool tb : {false, true}) {
          const Tensor a = random_tensor({dtype, ta ? Shape{k, m} : Shape{m, k}}, 1, -9, 9);
          const Tensor b = random_tensor({dtype, tb ? Shape{n, k} : Shape{k, n}}, 2, -9, 9);
          const auto f = [&](Array x, Array y) { return matmul(x, y, ta, tb); };
          expect_near(values_of(value(f, a, b)), naive_product(a, b, ta, tb),
                      dtype == DType::f32 ? 1e-4 : 1e-12);
        }
      }
    }
  }
}

TEST(Matmul, vectors_as_numpy_has_them) {
  const Tensor m = counting({2, 3}), v = vector_of({1, 10, 100}), w = vector_of({1, 10});
  const Tensor row = value([](Array a, Array b) { return matmul(a, b); }, m, v);
  EXPECT_EQ(row.shape(), (Shape{2}));
  EXPECT_EQ(values_of(row), (Doubles{210, 543}));
  EXPECT_EQ(values_of(value([](Array a, Array b) { return matmul(b, a); }, m, w)),
            (Doubles{30, 41, 52}));
  const Tensor inner = value([](Array a, Array b) { return matmul(a, b); }, v, v);
  EXPECT_EQ(inner.shape(), Shape{});
  EXPECT_EQ(inner.at(0), 10101);
}

TEST(Matmul, batch_axes_broadcast) {
  const Tensor a = random_tensor({DType::f64, {3, 1, 2, 4}}, 1);
  const Tensor b = random_tensor({DType::f64, {2, 4, 5}}, 2);
  const Tensor c = value([](Array x, Array y) { return matmul(x, y); }, a, b);
  ASSERT_EQ(c.shape(), (Shape{3, 2, 2, 5}));
  for (std::int64_t i = 0; i < 3; ++i) {
    for (std::int64_t j = 0; j < 2; ++j) {
      const Tensor expected = value([&](Array x, Array y) { return matmul(x[i][0], y[j]); }, a, b);
      for (std::int64_t e = 0; e < 10; ++e) {
        EXPECT_NEAR(c.at((i * 2 + j) * 10 + e), expected.at(e), 1e-14);
      }
    }
  }
}

TEST(Matmul, rewriting) {
  const auto text = [](auto f, const Tensor& a, const Tensor& b) {
    const Tensor inputs[] = {a, b};
    return print(trace(inputs, [&](auto x) { return f(x[0], x[1]); }));
  };
  const auto has = [](const std::string& program, const char* what) {
    return program.find(what) != std::string::npos;
  };
  const Tensor square = counting({3, 3});
  const std::string flags =
      text([](Array x, Array y) { return matmul(transpose(x), transpose(y)); }, square, square);
  EXPECT_FALSE(has(flags, "= transpose")) << flags;
  EXPECT_TRUE(has(flags, "transpose_a=1, transpose_b=1")) << flags;
  // A batch of left operands becomes rows of one product.
  const std::string folded =
      text([](Array x, Array y) { return matmul(x, y); }, counting({4, 2, 3}), square);
  EXPECT_TRUE(has(folded, "matmul f64(8, 3)")) << folded;
  const std::string outer =
      text([](Array x, Array y) { return matmul(x, y); }, counting({3, 1}), counting({1, 4}));
  EXPECT_FALSE(has(outer, "matmul")) << outer;
}

TEST(Matmul, hessian_of_a_quadratic_form) {
  // ½ xᵀAx has Hessian (A + Aᵀ)/2.
  const Doubles a{1, 2, 3, 4, 5, 6, 7, 8, 10};
  const auto f = [&](Array x) { return 0.5 * matmul(x, matmul(constant(x, a, {3, 3}), x)); };
  expect_near(hessian(f, vector_of({1, -1, 2})), {1, 3, 5, 3, 5, 7, 5, 7, 10}, 1e-15);
}

TEST(Matmul, accumulates) {
  const Primitive& matmul_primitive = *find_primitive("matmul");
  for (const DType dtype : {DType::f64, DType::f32}) {
    for (const std::int64_t n : {3, 40}) {
      const Type type{dtype, {n, n}};
      const Tensor a = random_tensor(type, 1), b = random_tensor(type, 2),
                   c = random_tensor(type, 3);
      Doubles expected = naive_product(a, b, false, false);
      for (std::size_t i = 0; i < expected.size(); ++i) {
        expected[i] += c.at(static_cast<std::int64_t>(i));
      }
      const Attributes attributes{{"transpose_a", std::int64_t{0}},
                                  {"transpose_b", std::int64_t{0}}};
      const Type types[] = {type, type};
      const void* inputs[] = {a.data(), b.data()};
      matmul_primitive.kernel.run({attributes, types, type, inputs, c.data(), true, nullptr});
      expect_near(values_of(c), expected, dtype == DType::f64 ? 1e-14 : 1e-5);
    }
  }
}

// ---------------------------------------------------------------- rules of every primitive here

Tensor sample_operand(const Sample& sample, std::size_t i, std::int64_t leading, unsigned seed) {
  Type type = sample.operands[i];
  if (leading > 0) type.shape.insert(type.shape.begin(), leading);
  const auto [low, high] = sample.ranges.empty() ? std::pair{-2.0, 2.0} : sample.ranges[i];
  return random_tensor(type, seed, low, high);
}

// Entry k of a batched operand.
Tensor entry(const Tensor& batched, std::int64_t k) {
  Tensor result(Type{batched.dtype(), {batched.shape().begin() + 1, batched.shape().end()}});
  for (std::int64_t i = 0; i < result.size(); ++i) result.set(i, batched.at(k * result.size() + i));
  return result;
}

Program program_of(const Primitive& primitive, const Sample& sample) {
  Builder builder;
  std::vector<Array> operands;
  for (const Type& type : sample.operands) operands.push_back(builder.input(type));
  const Array output = builder.apply(primitive, sample.attributes, operands);
  return builder.finish({&output, 1});
}

template <class F>
void for_each_sample(const F& f) {
  for (const Primitive* primitive : all_primitives()) {
    if (primitive->elementwise() || !primitive->samples) continue;
    for (const Sample& sample : primitive->samples()) {
      SCOPED_TRACE(primitive->name + " {" + sample.attributes.print() + "} " +
                   to_string(sample.operands[0]));
      f(*primitive, sample);
    }
  }
}

TEST(Rules, batched_equals_looped) {
  constexpr std::int64_t extent = 3;
  for_each_sample([](const Primitive& primitive, const Sample& sample) {
    const Program single = program_of(primitive, sample);
    const std::size_t count = sample.operands.size();
    for (unsigned mask = 1; mask < 1U << count; ++mask) {
      std::vector<bool> flags(count);
      std::vector<Tensor> inputs;
      for (std::size_t i = 0; i < count; ++i) {
        flags[i] = (mask >> i & 1U) != 0;
        inputs.push_back(
            sample_operand(sample, i, flags[i] ? extent : 0, static_cast<unsigned>(i) + 1));
      }
      const Program together = batch(single, flags, extent);
      verify(together);
      const Tensor actual = evaluate(together, inputs)[0];
      for (std::int64_t k = 0; k < extent; ++k) {
        std::vector<Tensor> one = inputs;
        for (std::size_t i = 0; i < count; ++i) {
          if (flags[i]) one[i] = entry(inputs[i], k);
        }
        expect_near(values_of(entry(actual, k)), values_of(evaluate(single, one)[0]), 1e-13);
      }
    }
  });
}

TEST(Rules, tangent_and_cotangent_are_adjoint) {
  // <J v, u> = <v, Jᵀ u> for every primitive; J v against a central difference for its value.
  for_each_sample([](const Primitive& primitive, const Sample& sample) {
    const Program program = program_of(primitive, sample);
    const std::size_t count = sample.operands.size();
    std::vector<bool> varying;
    std::vector<Tensor> inputs, directions;
    for (std::size_t i = 0; i < count; ++i) {
      varying.push_back(is_floating(sample.operands[i].dtype));
      inputs.push_back(sample_operand(sample, i, 0, static_cast<unsigned>(i) + 1));
    }
    std::vector<Tensor> given = inputs;
    for (std::size_t i = 0; i < count; ++i) {
      if (!varying[i]) continue;
      directions.push_back(random_tensor(sample.operands[i], static_cast<unsigned>(i) + 11));
      given.push_back(directions.back());
    }
    const Tensor tangent = evaluate(jacobian_product(program, varying), given)[1];

    Builder builder;
    std::vector<Array> arrays;
    for (const Type& type : sample.operands) arrays.push_back(builder.input(type));
    const Array cotangent = builder.input(program.output_type(0));
    const std::vector<Array> pulled = pull_back(builder, program, arrays, varying, {&cotangent, 1});
    const Tensor u = random_tensor(program.output_type(0), 21);
    double left = 0, right = 0, scale = 0;
    for (std::int64_t i = 0; i < u.size(); ++i) {
      left += tangent.at(i) * u.at(i);
      scale += std::abs(tangent.at(i) * u.at(i));
    }
    std::vector<Array> outputs;
    for (std::size_t i = 0; i < count; ++i) {
      if (varying[i]) outputs.push_back(pulled[i].defined() ? pulled[i] : zeros_like(arrays[i]));
    }
    std::vector<Tensor> pull_inputs = inputs;
    pull_inputs.push_back(u);
    const std::vector<Tensor> results = evaluate(builder.finish(outputs), pull_inputs);
    for (std::size_t d = 0; d < directions.size(); ++d) {
      for (std::int64_t i = 0; i < directions[d].size(); ++i) {
        right += results[d].at(i) * directions[d].at(i);
      }
    }
    EXPECT_NEAR(left, right, 1e-13 * (1 + scale));

    constexpr double step = 1e-5;
    const auto moved = [&](double by) {
      std::vector<Tensor> at;
      std::size_t d = 0;
      for (std::size_t i = 0; i < count; ++i) {
        Tensor x(inputs[i].type());
        for (std::int64_t e = 0; e < x.size(); ++e) {
          x.set(e, inputs[i].at(e) + (varying[i] ? by * directions[d].at(e) : 0));
        }
        d += varying[i] ? 1 : 0;
        at.push_back(x);
      }
      return evaluate(program, at)[0];
    };
    const Tensor up = moved(step), down = moved(-step);
    Doubles difference;
    for (std::int64_t i = 0; i < up.size(); ++i) {
      difference.push_back((up.at(i) - down.at(i)) / (2 * step));
    }
    expect_near(values_of(tangent), difference, 1e-7);
  });
}

TEST(Printing, formula_text) {
  const auto text = [](const char* name, const Attributes& attributes,
                       std::vector<std::pair<std::string, int>> operands) {
    return find_primitive(name)->print(attributes, operands).first;
  };
  EXPECT_EQ(
      text("slice", {{"starts", Dims{1}}, {"stops", Dims{5}}, {"steps", Dims{2}}}, {{"x", 9}}),
      "x[1:5:2]");
  EXPECT_EQ(text("slice", {{"starts", Dims{4}}, {"stops", Dims{-1}}, {"steps", Dims{-1}}},
                 {{"a + b", 2}}),
            "(a + b)[4::-1]");
  EXPECT_EQ(
      text("slice", {{"starts", Dims{2}}, {"stops", Dims{3}}, {"steps", Dims{1}}}, {{"x", 9}}),
      "x[2]");
  const Attributes left{{"transpose_a", std::int64_t{1}}, {"transpose_b", std::int64_t{0}}};
  EXPECT_EQ(text("matmul", left, {{"A", 9}, {"x@y", 3}}), "A.T@(x@y)");
  EXPECT_EQ(text("reduce_sum", {{"axes", Dims{1}}}, {{"x", 9}}), "sum(x, axis=1)");
}

}  // namespace
}  // namespace kappa
