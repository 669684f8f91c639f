// Layer strings of transformer encoders. That the network is PyTorch's is golden.networks' matter.

#include "frontend/transformer.h"

#include <gtest/gtest.h>

#include "frontend/network_helpers.h"
#include "kappa/error.h"
#include "program/builder.h"

namespace kappa {
namespace {

using testing::expect_refused;
using testing::Refusal;

TEST(Transformer, PartsAreReadInAnyOrder) {
  const TransformerSpec spec = parse_transformer("transformer:28x14-h4-l2-d64-10");
  EXPECT_EQ(spec.tokens, 28);
  EXPECT_EQ(spec.features, 14);
  EXPECT_EQ(spec.width, 64);
  EXPECT_EQ(spec.heads, 4);
  EXPECT_EQ(spec.layers, 2);
  EXPECT_EQ(spec.feed_forward, 256);
  EXPECT_EQ(spec.outputs, 10);
  EXPECT_EQ(spec.activation, "gelu");
  const TransformerSpec other = parse_transformer("transformer:2x3-d4-f5-6:relu");
  EXPECT_EQ(other.feed_forward, 5);
  EXPECT_EQ(other.heads, 1);
  EXPECT_EQ(other.activation, "relu");
}

// 2 layers of width 128: 4 d^2 + 4 d for attention, 8 d^2 + 5 d feed-forward, 4 d for the norms.
TEST(Transformer, ParametersAreThoseOfPyTorch) {
  const Network network = parse_network("transformer:64x16-d128-h4-l2-10");
  EXPECT_EQ(network.num_inputs, 1024);
  EXPECT_EQ(network.num_outputs, 10);
  std::int64_t count = 0;
  for (const LayerParameter& p : network.parameters) count += num_elements(p.shape);
  EXPECT_EQ(count, 2 * (12 * 128 * 128 + 13 * 128) + 128 * (16 + 1 + 64) + 10 * 129);
  EXPECT_EQ(network.parameters[0].name, "position");
  EXPECT_EQ(network.parameters[3].name, "layers.0.self_attn.in_proj_weight");
  EXPECT_EQ(network.parameters[26].name, "layers.1.norm2.bias");
  EXPECT_EQ(network.parameters.back().name, "head.bias");
  const Program program = build_network(network, 3, DType::f32);
  EXPECT_EQ(to_string(program.output_type(0)), "f32(3, 10)");
}

// A normalisation that starts at 0 would cut every gradient.
TEST(Transformer, GainsStartAtOneUnderAnyScheme) {
  const Network network = parse_network("transformer:2x2-d4-h2-l1-3");
  for (const char* scheme : {"uniform", "xavier", "he", "normal:0.1", "zeros"}) {
    const auto values = initial_weights(network.parameters, scheme, 1, DType::f64);
    for (std::size_t i = 0; i < values.size(); ++i) {
      const std::string& name = network.parameters[i].name;
      if (name.find("norm") == std::string::npos) continue;
      EXPECT_EQ(values[i].at(0), name.ends_with("weight") ? 1 : 0) << name << " " << scheme;
    }
  }
}

TEST(Transformer, BadStringsAreRefusedInOneLine) {
  expect_refused(
      std::vector<Refusal>{
          {"transformer:", ErrorKind::parse, "begins with no TOKENSxFEATURES"},
          {"transformer:28x28", ErrorKind::parse, "too few or too many parts"},
          {"transformer:28-d4-3", ErrorKind::parse, "begins with no TOKENSxFEATURES"},
          {"transformer:2x2-3", ErrorKind::parse, "the width is missing"},
          {"transformer:2x2-d4-h3-3", ErrorKind::value, "4 cannot be shared among 3 heads"},
          {"transformer:2x2-d4-q3-3", ErrorKind::parse, "'q3' begins with none of the letters"},
          {"transformer:2x2-d0-3", ErrorKind::parse, "'0'"},
          {"transformer:2x2-d4--3", ErrorKind::parse, "'' begins with none of the letters"},
          {"transformer:2x2-d4-h2-l1-3:tahn", ErrorKind::name, "did you mean 'tanh'?"},
          {"transformer:2x2-d4-l9999-3", ErrorKind::resource, "more than"},
          {"transformer:2x2-d99999999-l900-3", ErrorKind::resource, "parameters"},
          {"transformer:2x2-d4-h2-l1-f4-d4-h2-l1-3", ErrorKind::parse, "too many parts"},
          {"transformer:99999999999999999999x1-d4-3", ErrorKind::resource, "more than"}},
      parse_network);
}

}  // namespace
}  // namespace kappa
