#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "frontend/network.h"

namespace kappa {

/// A dense network as it is written: `mlp:784-128-10:tanh`.
struct LayersSpec {
  std::vector<std::int64_t> widths;  // input, hidden ..., output
  std::string activation;            // of the hidden layers; empty where there are none
  std::string text;
};

NetworkPreset mlp_preset();

/// Reads a layer string. Throws Error(parse | name | resource) in one line.
LayersSpec parse_layers(std::string_view text);

/// Names of the activations a layer string may end with.
const std::vector<std::string>& layer_activations();

/// layers.0.weight, layers.0.bias, layers.1.weight, ... in the order of the parameter vector.
std::vector<LayerParameter> layer_parameters(const LayersSpec& spec);

/// The network on a micro-batch of `batch` samples: inputs are the parameters in order, then x of
/// shape (batch, in); the output is (batch, out). Each layer is z = x W' + b, hidden layers apply
/// the activation to it.
Program build_layers(const LayersSpec& spec, std::int64_t batch, DType dtype);

/// Initial values of a dense network's parameters, see network.h.
std::vector<Tensor> initial_weights(const LayersSpec& spec, std::string_view scheme,
                                    std::uint64_t seed, DType dtype);

}  // namespace kappa
