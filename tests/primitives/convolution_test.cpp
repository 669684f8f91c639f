// Convolutions and pooling against their definitions as explicit sums, on random shapes, in both
// orders of axes and both precisions.

#include "kappa/convolution.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>

#include "kappa/error.h"
#include "primitives/convolution.h"
#include "program/builder.h"

namespace kappa {
namespace {

struct Shapes {
  std::int64_t samples, channels, outputs, groups;
  Dims extents, kernel;
  Window window;
};

Shapes random_shapes(std::mt19937& random) {
  const auto pick = [&](std::int64_t low, std::int64_t high) {
    return std::uniform_int_distribution<std::int64_t>(low, high)(random);
  };
  Shapes s;
  const std::int64_t samples[] = {1, 3, 8, 16, 19, 32, 67};
  s.samples = samples[pick(0, 6)];
  s.groups = pick(0, 2) == 0 ? pick(1, 3) : 1;
  s.channels = s.groups * pick(1, 4);
  s.outputs = s.groups * pick(1, 8);
  const std::int64_t rank = pick(1, 3);
  for (std::int64_t i = 0; i < rank; ++i) {
    const std::int64_t kernel = pick(1, rank == 1 ? 6 : 3), dilation = pick(1, 2);
    s.kernel.push_back(kernel);
    s.window.dilations.push_back(dilation);
    s.window.strides.push_back(pick(1, 3));
    s.window.pads_low.push_back(pick(0, kernel));
    s.window.pads_high.push_back(pick(0, kernel));
    s.extents.push_back((kernel - 1) * dilation + pick(1, rank == 3 ? 2 : 6));
  }
  return s;
}

// Images that kernels cut: more rows, columns and samples than are copied at a time.
const Shapes cut_shapes[] = {
    {33, 9, 5, 1, {40, 9}, {3, 3}, {{1, 1}, {1, 1}, {1, 1}, {1, 1}}},
    {16, 8, 7, 1, {9, 90}, {3, 3}, {{2, 1}, {1, 2}, {1, 0}, {2, 3}}},
    {40, 16, 8, 2, {35, 4}, {4, 2}, {{3, 2}, {2, 1}, {5, 1}, {0, 2}}},
    {21, 8, 6, 1, {700}, {6}, {{1}, {3}, {4}, {9}}},
    {19, 8, 4, 1, {14, 4, 5}, {2, 3, 2}, {{1, 1, 1}, {2, 1, 1}, {1, 0, 1}, {1, 1, 0}}},
    {8, 8, 4, 1, {64, 3}, {2, 2}, {{1, 40}, {60, 1}, {30, 45}, {2, 40}}},
};

Shape with(std::int64_t a, std::int64_t b, const Dims& rest) {
  Shape shape{a, b};
  shape.insert(shape.end(), rest.begin(), rest.end());
  return shape;
}

Tensor random_tensor(const Type& type, std::mt19937& random) {
  std::uniform_real_distribution<double> uniform(-1, 1);
  Tensor x(type);
  for (std::int64_t i = 0; i < x.size(); ++i) x.set(i, static_cast<float>(uniform(random)));
  return x;
}

// Calls body(n, o, c, x index, weight index, y index) for every product of the sum.
template <class Body>
void for_each_product(const Shapes& s, const Dims& result, Body body) {
  const std::int64_t inputs = s.channels / s.groups, outputs = s.outputs / s.groups;
  WindowAttributes window;
  window.strides = s.window.strides;
  window.dilations = s.window.dilations;
  window.pads_low = s.window.pads_low;
  const std::int64_t area = num_elements(s.extents), taps = num_elements(s.kernel),
                     positions = num_elements(result);
  for_each_position(result, [&](const Dims& at, std::int64_t p) {
    for_each_position(s.kernel, [&](const Dims& tap, std::int64_t t) {
      std::int64_t q = 0;
      for (std::size_t i = 0; i < at.size(); ++i) {
        const std::int64_t place =
            at[i] * window.strides[i] - window.pads_low[i] + tap[i] * window.dilations[i];
        if (place < 0 || place >= s.extents[i]) return;
        q = q * s.extents[i] + place;
      }
      for (std::int64_t n = 0; n < s.samples; ++n) {
        for (std::int64_t o = 0; o < s.outputs; ++o) {
          for (std::int64_t i = 0; i < inputs; ++i) {
            const std::int64_t c = o / outputs * inputs + i;
            body((n * s.channels + c) * area + q, (o * inputs + i) * taps + t,
                 (n * s.outputs + o) * positions + p);
          }
        }
      }
    });
  });
}

void expect_close(const Tensor& got, const std::vector<double>& expected, double tolerance,
                  const std::string& what) {
  ASSERT_EQ(static_cast<std::size_t>(got.size()), expected.size()) << what;
  double scale = 1, worst = 0;
  for (const double x : expected) scale = std::max(scale, std::abs(x));
  for (std::int64_t i = 0; i < got.size(); ++i) {
    worst = std::max(worst, std::abs(got.at(i) - expected[static_cast<std::size_t>(i)]));
  }
  EXPECT_LE(worst, tolerance * scale) << what;
}

Array samples_to_last(const Array& x) {
  Dims permutation;
  for (std::int64_t i = 1; i < x.rank(); ++i) permutation.push_back(i);
  permutation.push_back(0);
  return transpose(x, permutation);
}
Array samples_to_first(const Array& x) {
  Dims permutation{x.rank() - 1};
  for (std::int64_t i = 0; i + 1 < x.rank(); ++i) permutation.push_back(i);
  return transpose(x, permutation);
}

TEST(Convolution, IsItsSum) {
  std::mt19937 random(5);
  for (std::size_t trial = 0; trial < 60 + std::size(cut_shapes); ++trial) {
    const Shapes s = trial < 60 ? random_shapes(random) : cut_shapes[trial - 60];
    const Dims result = window_extents("test", s.extents, s.kernel, s.window);
    const std::string what =
        "N " + std::to_string(s.samples) + ", x " + to_string(with(s.channels, 0, s.extents)) +
        ", w " + to_string(with(s.outputs, s.channels / s.groups, s.kernel)) + ", strides " +
        to_string(s.window.strides) + ", dilations " + to_string(s.window.dilations) + ", pads " +
        to_string(s.window.pads_low) + to_string(s.window.pads_high);
    for (const DType dtype : {DType::f64, DType::f32}) {
      const Tensor x = random_tensor({dtype, with(s.samples, s.channels, s.extents)}, random);
      const Tensor w =
          random_tensor({dtype, with(s.outputs, s.channels / s.groups, s.kernel)}, random);
      const Tensor y = random_tensor({dtype, with(s.samples, s.outputs, result)}, random);
      std::vector<double> by_y(static_cast<std::size_t>(y.size())),
          by_x(static_cast<std::size_t>(x.size())), by_w(static_cast<std::size_t>(w.size()));
      for_each_product(s, result, [&](std::int64_t i, std::int64_t j, std::int64_t k) {
        by_y[static_cast<std::size_t>(k)] += x.at(i) * w.at(j);
        by_x[static_cast<std::size_t>(i)] += y.at(k) * w.at(j);
        by_w[static_cast<std::size_t>(j)] += x.at(i) * y.at(k);
      });
      const double tolerance = dtype == DType::f64 ? 1e-13 : 1e-5;
      Builder builder;
      const Array ax = builder.input(x.type()), aw = builder.input(w.type()),
                  ay = builder.input(y.type());
      WindowAttributes window;
      window.strides = s.window.strides;
      window.dilations = s.window.dilations;
      window.pads_low = s.window.pads_low;
      window.groups = s.groups;
      const auto call = [&](const char* name, bool last, const Dims& extents, const Array& a,
                            const Array& b) {
        window.extents = extents;
        window.samples_last = last;
        const Array operands[] = {a, b};
        return builder.apply(*find_primitive(name), window.attributes(), operands);
      };
      std::vector<Array> outputs{convolution(ax, aw, s.window, s.groups)};
      outputs.push_back(call("convolution_data", false, s.extents, ay, aw));
      outputs.push_back(call("convolution_weight", false, s.kernel, ax, ay));
      const Array lx = samples_to_last(ax), ly = samples_to_last(ay);
      outputs.push_back(samples_to_first(call("convolution", true, result, lx, aw)));
      outputs.push_back(samples_to_first(call("convolution_data", true, s.extents, ly, aw)));
      outputs.push_back(call("convolution_weight", true, s.kernel, lx, ly));
      const std::vector<Tensor> got =
          evaluate(builder.finish(outputs), std::vector<Tensor>{x, w, y});
      for (const std::size_t layout : {0, 3}) {
        const std::string where = what + (layout == 0 ? " samples first " : " samples last ");
        expect_close(got[layout], by_y, tolerance, where + "output");
        expect_close(got[layout + 1], by_x, tolerance, where + "data");
        expect_close(got[layout + 2], by_w, tolerance, where + "weight");
      }
    }
  }
}

TEST(Convolution, ABlockOfCallsIsTheCalls) {
  std::mt19937 random(7);
  constexpr std::int64_t blocks = 3;
  for (const Shapes& s : cut_shapes) {
    const Dims result = window_extents("test", s.extents, s.kernel, s.window);
    WindowAttributes window;
    window.strides = s.window.strides;
    window.dilations = s.window.dilations;
    window.pads_low = s.window.pads_low;
    window.groups = s.groups;
    window.samples_last = true;
    Image image;
    image.samples = s.samples;
    image.channels = s.channels;
    image.extents = s.extents;
    const Shape x = image.shape(true);
    image.channels = s.outputs;
    image.extents = result;
    const Shape y = image.shape(true), w = with(s.outputs, s.channels / s.groups, s.kernel);
    const struct {
      const char* name;
      Shape a, b;
      Dims extents;
    } parts[] = {{"convolution", x, w, result},
                 {"convolution_data", y, w, s.extents},
                 {"convolution_weight", x, y, s.kernel}};
    for (const auto& part : parts) {
      window.extents = part.extents;
      for (int lead = 1; lead < 4; ++lead) {
        Builder builder;
        std::vector<Tensor> values;
        std::vector<Array> operands;
        for (const int i : {0, 1}) {
          Shape shape = i == 0 ? part.a : part.b;
          if ((lead >> i & 1) != 0) shape.insert(shape.begin(), blocks);
          values.push_back(random_tensor({DType::f32, shape}, random));
          operands.push_back(builder.input(values.back().type()));
        }
        const auto call = [&](const Array& a, const Array& b) {
          const Array both[] = {a, b};
          return builder.apply(*find_primitive(part.name), window.attributes(), both);
        };
        const auto own = [&](int i, std::int64_t k) {
          const auto at = static_cast<std::size_t>(i);
          if ((lead >> i & 1) == 0) return operands[at];
          const Shape& shape = i == 0 ? part.a : part.b;
          Dims starts(shape.size() + 1, 0), stops{k + 1};
          starts[0] = k;
          stops.insert(stops.end(), shape.begin(), shape.end());
          return reshape(slice(operands[at], starts, stops), shape);
        };
        std::vector<Array> outputs{call(operands[0], operands[1])};
        for (std::int64_t k = 0; k < blocks; ++k) outputs.push_back(call(own(0, k), own(1, k)));
        const std::vector<Tensor> got = evaluate(builder.finish(outputs), values);
        std::vector<double> expected;
        for (std::int64_t k = 1; k <= blocks; ++k) {
          const Tensor& one = got[static_cast<std::size_t>(k)];
          for (std::int64_t i = 0; i < one.size(); ++i) expected.push_back(one.at(i));
        }
        expect_close(got[0], expected, 1e-6,
                     std::string(part.name) + (lead == 1   ? ", first"
                                               : lead == 2 ? ", second"
                                                           : ", both"));
      }
    }
  }
}

TEST(Convolution, TransposeHasTheExtentsOfItsFormula) {
  Builder builder;
  const Array x = builder.input({DType::f64, {2, 3, 4, 5}});
  const Array w = builder.input({DType::f64, {3, 2, 3, 2}});
  const Window window{{2, 3}, {1, 2}, {1, 0}, {0, 1}};
  // (4 - 1) 2 + (3 - 1) 1 + 1 - 1 + 1 and (5 - 1) 3 + (2 - 1) 2 + 1 - 1.
  const Array y = convolution_transpose(x, w, window, {1, 0});
  EXPECT_EQ(y.shape(), (Shape{2, 2, 9, 14}));
  const Array grouped =
      convolution_transpose(x, builder.input({DType::f64, {3, 2, 1, 1}}), {}, {}, 3);
  EXPECT_EQ(grouped.shape(), (Shape{2, 6, 4, 5}));
}

TEST(Pooling, IsItsDefinition) {
  std::mt19937 random(11);
  for (int trial = 0; trial < 40; ++trial) {
    Shapes s = random_shapes(random);
    for (std::size_t i = 0; i < s.kernel.size(); ++i) {  // no window of padding alone
      s.window.dilations[i] = 1;
      s.window.pads_low[i] = std::min(s.window.pads_low[i], s.kernel[i] - 1);
      s.window.pads_high[i] = std::min(s.window.pads_high[i], s.kernel[i] - 1);
    }
    s.outputs = s.groups = s.channels;
    const Dims result = window_extents("test", s.extents, s.kernel, s.window);
    const Tensor x = random_tensor({DType::f64, with(s.samples, s.channels, s.extents)}, random);
    const auto count = static_cast<std::size_t>(s.samples * s.channels * num_elements(result));
    std::vector<double> most(count, -std::numeric_limits<double>::infinity()), sum(count),
        inside(count);
    for_each_product(s, result, [&](std::int64_t i, std::int64_t, std::int64_t k) {
      const auto at = static_cast<std::size_t>(k);
      most[at] = std::max(most[at], x.at(i));
      sum[at] += x.at(i);
      inside[at] += 1;
    });
    std::vector<double> mean(count), padded(count);
    for (std::size_t i = 0; i < count; ++i) {
      mean[i] = sum[i] / inside[i];
      padded[i] = sum[i] / static_cast<double>(num_elements(s.kernel));
    }
    Builder builder;
    const Array a = builder.input(x.type());
    const std::vector<Array> outputs{max_pool(a, s.kernel, s.window),
                                     average_pool(a, s.kernel, s.window, false),
                                     average_pool(a, s.kernel, s.window, true)};
    const std::vector<Tensor> got = evaluate(builder.finish(outputs), std::vector<Tensor>{x});
    expect_close(got[0], most, 0, "max");
    expect_close(got[1], mean, 1e-14, "mean of what lies inside");
    expect_close(got[2], padded, 1e-14, "mean with padding");
  }
}

TEST(Pooling, NanWinsAndTheFirstOfEqualElementsCounts) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  Builder builder;
  const Array x = builder.input({DType::f64, {1, 1, 6}});
  const Array result = max_pool(x, {3}, {{3}});
  const Array taps = {result.builder(), result.node().operands[1]};
  const Tensor input =
      Tensor::from_doubles(std::vector<double>{2, 5, 5, 1, nan, 7}, {1, 1, 6}, DType::f64);
  const auto got =
      evaluate(builder.finish(std::vector<Array>{result, taps}), std::vector<Tensor>{input});
  EXPECT_EQ(got[0].at(0), 5);
  EXPECT_EQ(got[1].at(0), 1);
  EXPECT_TRUE(std::isnan(got[0].at(1)));
}

TEST(Convolution, WhatDoesNotFitIsRefusedInOneLine) {
  Builder builder;
  const Array x = builder.input({DType::f64, {2, 4, 5, 5}});
  const Array w = builder.input({DType::f64, {6, 4, 3, 3}});
  const auto refused = [](auto call) {
    try {
      call();
    } catch (const Error& error) {
      const std::string text = error.what();
      EXPECT_NE(text.find('['), std::string::npos) << text;
      return text.find('\n') == std::string::npos;
    }
    return false;
  };
  EXPECT_TRUE(refused([&] { convolution(x, w, {}, 2); }));
  EXPECT_TRUE(refused([&] { convolution(x, builder.input({DType::f64, {6, 4, 6, 3}})); }));
  EXPECT_TRUE(refused([&] { convolution(x, w, {{0, 1}}); }));
  EXPECT_TRUE(refused([&] { convolution(x, w, {{1}}); }));
  EXPECT_TRUE(refused([&] { convolution(x, w, {{}, {}, {-1, 0}}); }));
  EXPECT_TRUE(refused([&] { convolution(builder.input({DType::f64, {2, 4}}), w); }));
  EXPECT_TRUE(refused([&] { max_pool(x, {2, 2}, {{}, {}, {2, 0}}); }));
  EXPECT_TRUE(refused([&] { max_pool(x, {2}); }));
  const std::int64_t huge = std::int64_t{1} << 62;
  EXPECT_TRUE(refused([&] { convolution(x, w, {{}, {}, {huge, huge}, {huge, huge}}); }));
  EXPECT_TRUE(refused([&] { convolution(x, w, {{}, {huge, 1}}); }));
  EXPECT_TRUE(refused([&] { max_pool(x, {huge, huge}); }));
  EXPECT_TRUE(refused([&] { average_pool(x, {2, 2}, {{}, {}, {1 << 29, 0}}); }));
  EXPECT_TRUE(refused([&] { convolution(x, w, {{}, {}, {1 << 20, 0}, {0, 1 << 20}}); }));
}

}  // namespace
}  // namespace kappa
