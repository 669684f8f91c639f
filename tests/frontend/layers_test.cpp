#include "frontend/layers.h"

#include <gtest/gtest.h>

#include <cmath>

#include "formula_helpers.h"
#include "frontend/network_helpers.h"
#include "kappa/error.h"

namespace kappa {
namespace {

using namespace kappa::testing;

TEST(Layers, NamesAndShapes) {
  const LayersSpec spec = parse_layers("mlp:784-128-64-10:tanh");
  EXPECT_EQ(spec.widths, (std::vector<std::int64_t>{784, 128, 64, 10}));
  EXPECT_EQ(spec.activation, "tanh");
  const auto parameters = layer_parameters(spec);
  ASSERT_EQ(parameters.size(), 6u);
  EXPECT_EQ(parameters[0].name, "layers.0.weight");
  EXPECT_EQ(parameters[0].shape, (Shape{128, 784}));
  EXPECT_EQ(parameters[5].name, "layers.2.bias");
  EXPECT_EQ(parameters[5].shape, (Shape{10}));
  const Program program = build_layers(spec, 32, DType::f32);
  EXPECT_EQ(program.input_names.back(), "x");
  EXPECT_EQ(program.output_type(0), (Type{DType::f32, {32, 10}}));
}

// Each activation against its definition, by a plain loop.
TEST(Layers, ValueAgainstALoop) {
  const std::vector<std::pair<std::string, double (*)(double)>> cases{
      {"tanh", [](double z) { return std::tanh(z); }},
      {"relu", [](double z) { return std::max(z, 0.0); }},
      {"sigmoid", [](double z) { return 1 / (1 + std::exp(-z)); }},
      {"softplus", [](double z) { return std::log(1 + std::exp(z)); }},
      {"gelu", [](double z) { return z * (1 + std::erf(z / std::sqrt(2.0))) / 2; }},
      {"silu", [](double z) { return z / (1 + std::exp(-z)); }},
      {"identity", [](double z) { return z; }}};
  ASSERT_EQ(cases.size(), layer_activations().size());
  for (const auto& [name, activation] : cases) {
    const LayersSpec spec = parse_layers("mlp:3-4-2:" + name);
    std::vector<Tensor> inputs = initial_weights(spec, "uniform", 7, DType::f64);
    const List x{0.5, -1, 2, 0.1, 0.2, -0.3};
    inputs.push_back(Tensor::from_doubles(x, {2, 3}, DType::f64));
    const List z = elements(evaluate(build_layers(spec, 2, DType::f64), inputs)[0]);
    for (int b = 0; b < 2; ++b) {
      double hidden[4];
      for (int j = 0; j < 4; ++j) {
        double sum = inputs[1].at(j);
        for (int k = 0; k < 3; ++k) sum += inputs[0].at(3 * j + k) * x[3 * b + k];
        hidden[j] = activation(sum);
      }
      for (int i = 0; i < 2; ++i) {
        double sum = inputs[3].at(i);
        for (int j = 0; j < 4; ++j) sum += inputs[2].at(4 * i + j) * hidden[j];
        EXPECT_NEAR(z[2 * b + i], sum, 1e-14) << name;
      }
    }
  }
}

TEST(Layers, NoHiddenLayerNeedsNoActivation) {
  EXPECT_EQ(parse_layers("mlp:4-3").activation, "");
  EXPECT_EQ(layer_parameters(parse_layers("mlp:4-3")).size(), 2u);
}

TEST(Layers, BadStringsGiveOneLine) {
  expect_refused(
      std::vector<Refusal>{
          {"", ErrorKind::parse, "mlp:IN"},
          {"cnn:3-4", ErrorKind::parse, "mlp:IN"},
          {"mlp:", ErrorKind::parse, "width ''"},
          {"mlp:784", ErrorKind::parse, "one width alone"},
          {"mlp:784-10-", ErrorKind::parse, "width ''"},
          {"mlp:784--10", ErrorKind::parse, "width ''"},
          {"mlp:784-x-10:tanh", ErrorKind::parse, "width 'x'"},
          {"mlp:784-0-10:tanh", ErrorKind::parse, "width '0'"},
          {"mlp:784-1.5-10:tanh", ErrorKind::parse, "width '1.5'"},
          {"mlp:784-128-10", ErrorKind::parse, "append e.g. :tanh"},
          {"mlp:784-128-10:tahn", ErrorKind::name, "did you mean 'tanh'?"},
          {"mlp:784-128-10:", ErrorKind::name, "unknown activation ''"},
          {"mlp:784-999999999-10:tanh", ErrorKind::resource, "more than 100000000"},
          {"mlp:784-999999999999999999999-10:tanh", ErrorKind::resource, "more than 100000000"},
          {"mlp:90000000-90000000-10:tanh", ErrorKind::resource, "parameters"},
          {"mlp:1\n2-3", ErrorKind::parse, "width '1?2'"},
          {"mlp:99999999999999999999\n2-3", ErrorKind::resource, "more than 100000000"}},
      parse_layers);
}

TEST(Layers, InitialWeightsFollowTheirDistribution) {
  const LayersSpec spec = parse_layers("mlp:400-300-10:tanh");
  const auto moments = [](const Tensor& tensor) {
    double mean = 0, square = 0, largest = 0;
    for (std::int64_t i = 0; i < tensor.size(); ++i) {
      mean += tensor.at(i);
      square += tensor.at(i) * tensor.at(i);
      largest = std::max(largest, std::abs(tensor.at(i)));
    }
    const auto n = static_cast<double>(tensor.size());
    return std::array<double, 3>{mean / n, square / n, largest};
  };
  const double n = 400 * 300;
  // Uniform on +-a has variance a^2/3 and fourth moment a^4/5.
  const auto uniform = initial_weights(spec, "uniform", 1, DType::f64);
  const auto [m, s, a] = moments(uniform[0]);
  EXPECT_LE(a, 1.0 / 20);
  EXPECT_GT(a, 0.999 / 20);
  EXPECT_LT(std::abs(m), 4 * std::sqrt(1.0 / 1200 / n));
  EXPECT_LT(std::abs(s - 1.0 / 1200), 4 * std::sqrt((1.0 / 5 - 1.0 / 9) / n) / 400);
  EXPECT_LE(moments(uniform[1])[2], 1.0 / 20);
  EXPECT_GT(moments(uniform[1])[2], 0.9 / 20);
  // A normal's second moment has variance 2 sigma^4 / n.
  const auto he = initial_weights(spec, "he", 1, DType::f64);
  EXPECT_LT(std::abs(moments(he[0])[1] - 2.0 / 400), 4 * (2.0 / 400) * std::sqrt(2 / n));
  EXPECT_LT(std::abs(moments(he[0])[0]), 4 * std::sqrt(2.0 / 400 / n));
  EXPECT_EQ(moments(he[1])[2], 0);
  const auto xavier = initial_weights(spec, "xavier", 1, DType::f64);
  EXPECT_NEAR(moments(xavier[0])[2], std::sqrt(6.0 / 700), 1e-4);
  EXPECT_EQ(moments(initial_weights(spec, "zeros", 1, DType::f64)[0])[2], 0);
  const auto normal = initial_weights(spec, "normal:0.5", 1, DType::f64);
  EXPECT_LT(std::abs(moments(normal[0])[1] - 0.25), 4 * 0.25 * std::sqrt(2 / n));
}

TEST(Layers, SeedsRepeatAndDiffer) {
  const LayersSpec spec = parse_layers("mlp:5-4-3:tanh");
  const auto a = initial_weights(spec, "uniform", 3, DType::f64);
  const auto b = initial_weights(spec, "uniform", 3, DType::f64);
  const auto c = initial_weights(spec, "uniform", 4, DType::f64);
  const auto single = initial_weights(spec, "uniform", 3, DType::f32);
  EXPECT_EQ(a[0], b[0]);
  EXPECT_NE(a[0].at(0), c[0].at(0));
  for (std::int64_t i = 0; i < a[0].size(); ++i) {
    EXPECT_EQ(static_cast<float>(a[0].at(i)), static_cast<float>(single[0].at(i)));
  }
  EXPECT_THROW(initial_weights(spec, "unifrom", 0, DType::f64), Error);
  EXPECT_THROW(initial_weights(spec, "normal:-1", 0, DType::f64), Error);
  EXPECT_THROW(initial_weights(spec, "normal:x", 0, DType::f64), Error);
}

}  // namespace
}  // namespace kappa
