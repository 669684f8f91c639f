#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "kappa/array.h"
#include "program/program.h"
#include "program/tensor.h"

namespace kappa {

/// A dense network as it is written: `mlp:784-128-10:tanh`.
struct LayersSpec {
  std::vector<std::int64_t> widths;  // input, hidden ..., output
  std::string activation;            // of the hidden layers; empty where there are none
  std::string text;
};

/// Reads a layer string. Throws Error(parse | name | resource) in one line.
LayersSpec parse_layers(std::string_view text);

/// Names of the activations a layer string may end with.
const std::vector<std::string>& layer_activations();

/// One parameter of a network.
struct LayerParameter {
  std::string name;  // layers.0.weight
  Shape shape;       // weight: out x in; bias: out
};
/// layers.0.weight, layers.0.bias, layers.1.weight, ... in the order of the parameter vector.
std::vector<LayerParameter> layer_parameters(const LayersSpec& spec);

/// The network on a micro-batch of `batch` samples: inputs are the parameters in order, then x of
/// shape (batch, in); the output is (batch, out). Each layer is z = x W' + b, hidden layers apply
/// the activation to it.
Program build_layers(const LayersSpec& spec, std::int64_t batch, DType dtype);

/// Initial values of a network's parameters, in order; the same on every platform (normal values up
/// to the last bit of the C library's log and cos).
///
///   uniform        weights and biases uniform on +-1/sqrt(in) (LeCun et al. 1998; as
///   torch.nn.Linear) xavier         weights uniform on +-sqrt(6/(in + out)), biases 0 (Glorot &
///   Bengio 2010, eq. 16) he             weights normal with variance 2/in, biases 0 (He et al.
///   2015, eq. 10); also kaiming normal:SIGMA   weights normal with standard deviation SIGMA,
///   biases 0 zeros          all 0
///
/// Entry i of parameter p is a function of (seed, p, i) alone: splitmix64 of a counter, the top 53
/// bits as a fraction; normal values by the Box-Muller transform. Values are made in double, then
/// rounded to `dtype`. Throws Error(name | value) for a scheme that is none of these.
std::vector<Tensor> initial_weights(const LayersSpec& spec, std::string_view scheme,
                                    std::uint64_t seed, DType dtype);

}  // namespace kappa
