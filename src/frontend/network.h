#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "kappa/array.h"
#include "program/program.h"
#include "program/tensor.h"

namespace kappa {

/// One parameter of a network.
struct LayerParameter {
  std::string name;  // layers.0.weight
  Shape shape;       // a dense layer's weight: out x in; bias: out
  double in = 1;     // numbers that an output of its layer is made of; initial values scale by it
  double out = 1;
  enum class Kind { weight, bias, gain, offset } kind = Kind::weight;  // the last two of a norm
};

/// A network as a layer string describes it: `mlp:784-128-10:tanh`.
struct Network {
  std::string kind;  // the preset's name
  std::string text;
  std::int64_t num_inputs = 0, num_outputs = 0;  // numbers a sample
  std::vector<LayerParameter> parameters;        // in the order of the parameter vector
  /// z (batch, num_outputs) from the parameters and x (batch, num_inputs).
  std::function<Array(std::span<const Array> parameters, const Array& x)> build;
};

/// A kind of network: its layer strings begin with `name` and a colon. One file each; the list of
/// them is in network.cpp.
struct NetworkPreset {
  std::string name;
  std::string form;  // what is written, for messages: "mlp:IN-...-OUT:ACTIVATION"
  std::string text;  // one line for the help
  Network (*parse)(std::string_view text) = nullptr;
};
std::span<const NetworkPreset> network_presets();

/// Whether a text begins as a layer string of some preset does.
bool is_layer_string(std::string_view text);

/// Reads a layer string. Throws Error(parse | name | resource) in one line.
Network parse_network(std::string_view text);

/// The network on a micro-batch of `batch` samples: inputs are the parameters in order, then x of
/// shape (batch, num_inputs); the output is (batch, num_outputs).
Program build_network(const Network& network, std::int64_t batch, DType dtype);

/// Initial values of a network's parameters, in order; the same on every platform (normal values up
/// to the last bit of the C library's log and cos).
///
///   uniform        weights and biases uniform on +-1/sqrt(in) (LeCun et al. 1998; as
///                  torch.nn.Linear)
///   xavier         weights uniform on +-sqrt(6/(in + out)), biases 0 (Glorot & Bengio 2010, eq.
///                  16)
///   he             weights normal with variance 2/in, biases 0 (He et al. 2015, eq. 10); also
///                  kaiming
///   normal:SIGMA   weights normal with standard deviation SIGMA, biases 0
///   zeros          all 0
///
/// Gains of normalisations start at 1, their offsets at 0. Entry i of parameter p is a function of
/// (seed, p, i) alone: splitmix64 of a counter, the top 53 bits as a fraction; normal values by the
/// Box-Muller transform. Values are made in double, then rounded to `dtype`. Throws
/// Error(name | value) for a scheme that is none of these.
std::vector<Tensor> initial_weights(std::span<const LayerParameter> parameters,
                                    std::string_view scheme, std::uint64_t seed, DType dtype);

/// @name For presets
/// @{

/// What is quoted of a layer string that may be long or hold anything.
std::string quoted_layers(std::string_view text);
/// The activation of that name; throws Error(name) with a suggestion, in the name of `layers`.
Array (*find_activation(std::string_view name, std::string_view layers))(const Array&);
/// A whole number above 0; throws Error(parse | resource) saying `form`.
std::int64_t read_extent(std::string_view part, std::string_view layers, std::string_view form);
/// Throws Error(resource) where a network has more parameters than memory could hold.
void check_parameter_count(double total, std::string_view layers);
/// @}

}  // namespace kappa
