#include "frontend/network.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <numbers>

#include "frontend/cnn.h"
#include "frontend/layers.h"
#include "frontend/nearest.h"
#include "frontend/transformer.h"
#include "kappa/error.h"
#include "program/builder.h"

namespace kappa {
namespace {

constexpr std::int64_t max_extent = 100'000'000;
constexpr double max_parameters = 0x1p36;

struct Activation {
  std::string name;
  Array (*function)(const Array&);
};

const std::vector<Activation>& activations() {
  static const std::vector<Activation> list{{"tanh", tanh},
                                            {"relu", relu},
                                            {"sigmoid", sigmoid},
                                            {"softplus", softplus},
                                            {"gelu", gelu},
                                            {"silu", silu},
                                            {"identity", [](const Array& x) { return x; }}};
  return list;
}

// splitmix64 (Steele, Lea & Flood 2014) used as a hash of a counter.
std::uint64_t mix(std::uint64_t z) {
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

// Numbers for parameter p: entry i is a function of (seed, p, i).
class Stream {
 public:
  Stream(std::uint64_t seed, std::uint64_t parameter)
      : key_(mix(mix(seed + 0x9e3779b97f4a7c15u) + 0xd1342543de82ef95u * (parameter + 1))) {}

  /// Uniform on [0, 1).
  [[nodiscard]] double uniform(std::uint64_t counter) const {
    return static_cast<double>(mix(key_ + 0x9e3779b97f4a7c15u * (counter + 1)) >> 11) * 0x1p-53;
  }
  /// Standard normal (Box & Muller 1958), one value from two uniform ones.
  [[nodiscard]] double normal(std::uint64_t counter) const {
    const double radius = std::sqrt(-2 * std::log1p(-uniform(2 * counter)));
    return radius * std::cos(2 * std::numbers::pi * uniform(2 * counter + 1));
  }

 private:
  std::uint64_t key_;
};

enum class Distribution { zero, uniform, normal };

struct Scheme {
  Distribution distribution = Distribution::zero;
  double scale = 0;       // bound of the uniform, deviation of the normal
  double bias_bound = 0;  // biases uniform on +-bias_bound
};

Scheme read_scheme(std::string_view name, double in, double out) {
  if (name == "uniform" || name.empty()) {
    return {Distribution::uniform, 1 / std::sqrt(in), 1 / std::sqrt(in)};
  }
  if (name == "xavier") return {Distribution::uniform, std::sqrt(6 / (in + out)), 0};
  if (name == "he" || name == "kaiming") return {Distribution::normal, std::sqrt(2 / in), 0};
  if (name == "zeros") return {};
  if (name.starts_with("normal:")) {
    const std::string_view number = name.substr(7);
    double sigma = -1;
    const auto [end, status] = std::from_chars(number.data(), number.data() + number.size(), sigma);
    if (status != std::errc() || end != number.data() + number.size() || !(sigma >= 0) ||
        !std::isfinite(sigma)) {
      throw Error(ErrorKind::value,
                  fmt::format("init {}: the standard deviation must be a number >= 0, as in "
                              "normal:0.1",
                              quoted_layers(name)));
    }
    return {Distribution::normal, sigma, 0};
  }
  const std::vector<std::string> known{"uniform", "xavier", "he", "kaiming", "zeros", "normal:0.1"};
  throw Error(ErrorKind::name,
              fmt::format("init {}: no such scheme; known are uniform, xavier, he, kaiming, "
                          "normal:SIGMA, zeros{}",
                          quoted_layers(name), did_you_mean(name, known)));
}

}  // namespace

std::span<const NetworkPreset> network_presets() {
  static const std::vector<NetworkPreset> list{mlp_preset(), cnn_preset(), transformer_preset()};
  return list;
}

bool is_layer_string(std::string_view text) {
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos) return false;
  return std::ranges::any_of(network_presets(), [&](const NetworkPreset& preset) {
    return preset.name == text.substr(0, colon);
  });
}

Network parse_network(std::string_view text) {
  const std::string_view kind = text.substr(0, text.find(':'));
  for (const NetworkPreset& preset : network_presets()) {
    if (preset.name == kind && kind.size() < text.size()) return preset.parse(text);
  }
  std::vector<std::string> forms;
  for (const NetworkPreset& preset : network_presets()) forms.push_back(preset.form);
  throw Error(ErrorKind::parse,
              fmt::format("layers {}: write {}", quoted_layers(text), fmt::join(forms, " or ")));
}

Program build_network(const Network& network, std::int64_t batch, DType dtype) {
  Builder builder;
  std::vector<Array> parameters;
  for (const LayerParameter& parameter : network.parameters) {
    parameters.push_back(builder.input({dtype, parameter.shape}, parameter.name));
  }
  const Array x = builder.input({dtype, {batch, network.num_inputs}}, "x");
  return builder.finish(std::vector{network.build(parameters, x)});
}

std::vector<Tensor> initial_weights(std::span<const LayerParameter> parameters,
                                    std::string_view scheme, std::uint64_t seed, DType dtype) {
  std::vector<Tensor> values;
  for (const LayerParameter& parameter : parameters) {
    using Kind = LayerParameter::Kind;
    const Scheme chosen = read_scheme(scheme, parameter.in, parameter.out);
    const Stream stream(seed, values.size());
    Tensor tensor(Type{dtype, parameter.shape});
    for (std::int64_t i = 0; i < tensor.size(); ++i) {
      const auto counter = static_cast<std::uint64_t>(i);
      double value = parameter.kind == Kind::gain ? 1 : 0;
      if (parameter.kind == Kind::bias) {
        value = chosen.bias_bound * (2 * stream.uniform(counter) - 1);
      } else if (parameter.kind == Kind::weight && chosen.distribution == Distribution::uniform) {
        value = chosen.scale * (2 * stream.uniform(counter) - 1);
      } else if (parameter.kind == Kind::weight && chosen.distribution == Distribution::normal) {
        value = chosen.scale * stream.normal(counter);
      }
      tensor.set(i, value);
    }
    values.push_back(std::move(tensor));
  }
  return values;
}

std::string quoted_layers(std::string_view text) {
  std::string shown(text.substr(0, 60));
  for (char& c : shown) {
    if (static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) >= 0x7f) c = '?';
  }
  return "'" + shown + (text.size() > 60 ? "...'" : "'");
}

const std::vector<std::string>& layer_activations() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> list;
    for (const Activation& activation : activations()) list.push_back(activation.name);
    return list;
  }();
  return names;
}

Array (*find_activation(std::string_view name, std::string_view layers))(const Array&) {
  for (const Activation& activation : activations()) {
    if (activation.name == name) return activation.function;
  }
  const auto& known = layer_activations();
  throw Error(ErrorKind::name,
              fmt::format("layers {}: unknown activation {}; known are {}{}", quoted_layers(layers),
                          quoted_layers(name), fmt::join(known, ", "), did_you_mean(name, known)));
}

std::int64_t read_extent(std::string_view part, std::string_view layers, std::string_view form) {
  std::int64_t width = 0;
  const auto [end, status] = std::from_chars(part.data(), part.data() + part.size(), width);
  if (status == std::errc::result_out_of_range || width > max_extent) {
    throw Error(ErrorKind::resource,
                fmt::format("layers {}: a width of {} is more than {}", quoted_layers(layers),
                            quoted_layers(part), max_extent));
  }
  if (part.empty() || status != std::errc() || end != part.data() + part.size() || width < 1) {
    throw Error(ErrorKind::parse,
                fmt::format("layers {}: width {} is not a whole number above 0; write {}",
                            quoted_layers(layers), quoted_layers(part), form));
  }
  return width;
}

void check_parameter_count(double total, std::string_view layers) {
  if (total <= max_parameters) return;
  throw Error(ErrorKind::resource,
              fmt::format("layers {}: {:.3g} parameters ({:.3g} GB in single precision); at most "
                          "{:.3g} are allowed",
                          quoted_layers(layers), total, total * 4e-9, max_parameters));
}

}  // namespace kappa
