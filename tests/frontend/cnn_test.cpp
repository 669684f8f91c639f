// Layer strings of convolutional networks. That the network is PyTorch's is golden.networks'
// matter.

#include "frontend/cnn.h"

#include <gtest/gtest.h>

#include "frontend/network_helpers.h"
#include "kappa/error.h"
#include "program/builder.h"

namespace kappa {
namespace {

using testing::expect_refused;
using testing::Refusal;

using Kind = CnnSpec::Layer::Kind;

TEST(Cnn, LayersAreRead) {
  const CnnSpec spec = parse_cnn("cnn:3x32x24-16c3/2+1-r8-r12/2-p3/2-a2-20-10:silu");
  EXPECT_EQ(spec.channels, 3);
  EXPECT_EQ(spec.height, 32);
  EXPECT_EQ(spec.width, 24);
  EXPECT_EQ(spec.activation, "silu");
  ASSERT_EQ(spec.layers.size(), 7u);
  const Kind kinds[] = {Kind::convolution,  Kind::residual, Kind::residual, Kind::max_pool,
                        Kind::average_pool, Kind::dense,    Kind::dense};
  for (std::size_t i = 0; i < 7; ++i) EXPECT_EQ(spec.layers[i].kind, kinds[i]) << i;
  EXPECT_EQ(spec.layers[0].width, 16);
  EXPECT_EQ(spec.layers[0].kernel, 3);
  EXPECT_EQ(spec.layers[0].stride, 2);
  EXPECT_EQ(spec.layers[0].border, 1);
  EXPECT_EQ(spec.layers[2].width, 12);
  EXPECT_EQ(spec.layers[2].stride, 2);
  EXPECT_EQ(spec.layers[3].kernel, 3);
  EXPECT_EQ(spec.layers[3].stride, 2);
  EXPECT_EQ(spec.layers[4].stride, 2);  // side by side
  EXPECT_EQ(spec.layers[6].width, 10);
}

// LeNet-5: 6 (25 + 1) + 16 (150 + 1) + 120 (400 + 1) + 84 (120 + 1) + 10 (84 + 1).
TEST(Cnn, LeNetHasItsParameters) {
  const Network network = parse_network("cnn:1x28x28-6c5+2-p2-16c5-p2-120-84-10:tanh");
  EXPECT_EQ(network.num_inputs, 784);
  EXPECT_EQ(network.num_outputs, 10);
  std::int64_t count = 0;
  for (const LayerParameter& p : network.parameters) count += num_elements(p.shape);
  EXPECT_EQ(count, 61706);
  EXPECT_EQ(network.parameters[2].name, "layers.1.weight");
  EXPECT_EQ(network.parameters[2].shape, (Shape{16, 6, 5, 5}));
  EXPECT_EQ(network.parameters[2].in, 150);
  const Program program = build_network(network, 3, DType::f32);
  EXPECT_EQ(program.output_type(0).shape, (Shape{3, 10}));
}

TEST(Cnn, ResidualBlocksHaveAShortcutWhereShapesDiffer) {
  // The shape stays, the number of channels changes, the image shrinks.
  const Network network = parse_network("cnn:1x8x8-r1-r2-r2/2-3:relu");
  std::vector<std::string> names;
  for (const LayerParameter& p : network.parameters) {
    if (p.name.ends_with(".weight")) names.push_back(p.name);
  }
  ASSERT_EQ(names, (std::vector<std::string>{
                       "layers.0.conv1.weight", "layers.0.conv2.weight", "layers.1.conv1.weight",
                       "layers.1.conv2.weight", "layers.1.shortcut.weight", "layers.2.conv1.weight",
                       "layers.2.conv2.weight", "layers.2.shortcut.weight", "layers.3.weight"}));
  ASSERT_EQ(network.parameters.size(), 2 * names.size());
  EXPECT_EQ(network.parameters[8].shape, (Shape{2, 1, 1, 1}));
  EXPECT_EQ(network.parameters[16].shape, (Shape{3, 2 * 4 * 4}));
  EXPECT_EQ(build_network(network, 5, DType::f32).output_type(0).shape, (Shape{5, 3}));
}

TEST(Cnn, WhatCannotBeIsRefusedInOneLine) {
  expect_refused(
      std::vector<Refusal>{
          {"cnn:1x28x28-8c5-10", ErrorKind::parse, "append e.g. :relu"},
          {"cnn:1x28x28-8c5-10:rely", ErrorKind::name, "did you mean 'relu'?"},
          {"cnn:1x28-8c5-10:relu", ErrorKind::parse, "begins with no CHANNELSxHEIGHTxWIDTH"},
          {"cnn:1x28x28-8c5:relu", ErrorKind::parse, "ends with no number of outputs"},
          {"cnn:1x28x28:relu", ErrorKind::parse, "ends with no number of outputs"},
          {"cnn:1x28x28-c5-10:relu", ErrorKind::parse, "width ''"},
          {"cnn:1x28x28-8r5-10:relu", ErrorKind::parse, "'8r5'"},
          {"cnn:1x28x28-p2+1-10:relu", ErrorKind::parse, "'p2+1'"},
          {"cnn:1x28x28-10-8c5-10:relu", ErrorKind::parse, "'8c5' follows a dense layer"},
          {"cnn:1x4x4-8c5-10:relu", ErrorKind::value, "'8c5' does not fit an image of 4 x 4"},
          {"cnn:1x28x28-8c0-10:relu", ErrorKind::parse, "'0'"},
          {"cnn:99999999x9999999x99-p2-10:relu", ErrorKind::resource, "numbers before 'p2'"},
          {"cnn:1x28x28-99999999c5-10:relu", ErrorKind::resource, "numbers before '10'"},
          {"cnn:1x2x2-300000c2-300000c1-10:relu", ErrorKind::resource, "parameters"},
          {"cnn:1x28x28-8c5+99999999-10:relu", ErrorKind::resource, "numbers before '10'"},
          {"cnn:-:relu", ErrorKind::parse, "begins with no CHANNELSxHEIGHTxWIDTH"},
          {"cnn:", ErrorKind::parse, "append e.g. :relu"}},
      parse_network);
}

}  // namespace
}  // namespace kappa
