#include "frontend/layers.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <numbers>

#include "frontend/nearest.h"
#include "kappa/error.h"
#include "program/builder.h"

namespace kappa {
namespace {

constexpr std::int64_t max_width = 100'000'000;
constexpr std::int64_t max_parameters = std::int64_t{1} << 36;
constexpr std::size_t max_layers = 10'000;
constexpr std::string_view form =
    "write mlp:IN-HIDDEN-...-OUT:ACTIVATION, e.g. mlp:784-128-10:tanh";

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

// What is quoted of a string that may be long or hold anything.
std::string quoted(std::string_view text) {
  std::string shown(text.substr(0, 60));
  for (char& c : shown) {
    if (static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) >= 0x7f) c = '?';
  }
  return "'" + shown + (text.size() > 60 ? "...'" : "'");
}

std::int64_t read_width(std::string_view part, std::string_view text) {
  std::int64_t width = 0;
  const auto [end, status] = std::from_chars(part.data(), part.data() + part.size(), width);
  if (status == std::errc::result_out_of_range || width > max_width) {
    throw Error(ErrorKind::resource, fmt::format("layers {}: a width of {} is more than {}",
                                                 quoted(text), quoted(part), max_width));
  }
  if (part.empty() || status != std::errc() || end != part.data() + part.size() || width < 1) {
    throw Error(ErrorKind::parse,
                fmt::format("layers {}: width {} is not a whole number above 0; {}", quoted(text),
                            quoted(part), form));
  }
  return width;
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
                              quoted(name)));
    }
    return {Distribution::normal, sigma, 0};
  }
  const std::vector<std::string> known{"uniform", "xavier", "he", "kaiming", "zeros", "normal:0.1"};
  throw Error(ErrorKind::name,
              fmt::format("init {}: no such scheme; known are uniform, xavier, he, kaiming, "
                          "normal:SIGMA, zeros{}",
                          quoted(name), did_you_mean(name, known)));
}

}  // namespace

const std::vector<std::string>& layer_activations() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> list;
    for (const Activation& activation : activations()) list.push_back(activation.name);
    return list;
  }();
  return names;
}

LayersSpec parse_layers(std::string_view text) {
  LayersSpec spec;
  spec.text = std::string(text);
  std::string_view rest = text;
  if (!rest.starts_with("mlp:")) {
    throw Error(ErrorKind::parse, fmt::format("layers {}: {}", quoted(text), form));
  }
  rest.remove_prefix(4);
  const std::size_t colon = rest.find(':');
  std::string_view widths = rest.substr(0, colon);
  for (;;) {
    const std::size_t dash = widths.find('-');
    spec.widths.push_back(read_width(widths.substr(0, dash), text));
    if (spec.widths.size() > max_layers) {
      throw Error(ErrorKind::resource,
                  fmt::format("layers {}: more than {} layers", quoted(text), max_layers));
    }
    if (dash == std::string_view::npos) break;
    widths.remove_prefix(dash + 1);
  }
  if (spec.widths.size() < 2) {
    throw Error(ErrorKind::parse,
                fmt::format("layers {}: one width alone; {}", quoted(text), form));
  }
  if (colon != std::string_view::npos) {
    spec.activation = std::string(rest.substr(colon + 1));
    const auto& known = layer_activations();
    if (std::find(known.begin(), known.end(), spec.activation) == known.end()) {
      throw Error(ErrorKind::name,
                  fmt::format("layers {}: unknown activation {}; known are {}{}", quoted(text),
                              quoted(spec.activation), fmt::join(known, ", "),
                              did_you_mean(spec.activation, known)));
    }
  } else if (spec.widths.size() > 2) {
    throw Error(ErrorKind::parse, fmt::format("layers {}: the hidden layers have no activation; "
                                              "append e.g. :tanh",
                                              quoted(text)));
  }
  double total = 0;
  for (std::size_t i = 1; i < spec.widths.size(); ++i) {
    total += static_cast<double>(spec.widths[i]) * static_cast<double>(spec.widths[i - 1] + 1);
  }
  if (total > static_cast<double>(max_parameters)) {
    throw Error(
        ErrorKind::resource,
        fmt::format("layers {}: {:.3g} parameters ({:.3g} GB in single precision); at most "
                    "{:.3g} are allowed",
                    quoted(text), total, total * 4e-9, static_cast<double>(max_parameters)));
  }
  return spec;
}

std::vector<LayerParameter> layer_parameters(const LayersSpec& spec) {
  std::vector<LayerParameter> parameters;
  for (std::size_t i = 0; i + 1 < spec.widths.size(); ++i) {
    const std::int64_t in = spec.widths[i], out = spec.widths[i + 1];
    parameters.push_back({fmt::format("layers.{}.weight", i), {out, in}});
    parameters.push_back({fmt::format("layers.{}.bias", i), {out}});
  }
  return parameters;
}

Program build_layers(const LayersSpec& spec, std::int64_t batch, DType dtype) {
  Builder builder;
  std::vector<Array> parameters;
  for (const LayerParameter& parameter : layer_parameters(spec)) {
    parameters.push_back(builder.input({dtype, parameter.shape}, parameter.name));
  }
  Array x = builder.input({dtype, {batch, spec.widths[0]}}, "x");
  const std::size_t num_layers = spec.widths.size() - 1;
  for (std::size_t i = 0; i < num_layers; ++i) {
    x = matmul(x, parameters[2 * i], false, true) + parameters[2 * i + 1];
    if (i + 1 == num_layers) break;
    for (const Activation& activation : activations()) {
      if (activation.name == spec.activation) {
        x = activation.function(x);
        break;
      }
    }
  }
  return builder.finish(std::vector{x});
}

std::vector<Tensor> initial_weights(const LayersSpec& spec, std::string_view scheme,
                                    std::uint64_t seed, DType dtype) {
  std::vector<Tensor> values;
  for (const LayerParameter& parameter : layer_parameters(spec)) {
    const std::size_t index = values.size();
    const auto in = static_cast<double>(spec.widths[index / 2]);
    const auto out = static_cast<double>(spec.widths[index / 2 + 1]);
    const Scheme chosen = read_scheme(scheme, in, out);
    const bool bias = index % 2 == 1;
    const Stream stream(seed, index);
    Tensor tensor(Type{dtype, parameter.shape});
    for (std::int64_t i = 0; i < tensor.size(); ++i) {
      const auto counter = static_cast<std::uint64_t>(i);
      double value = 0;
      if (bias) {
        value = chosen.bias_bound * (2 * stream.uniform(counter) - 1);
      } else if (chosen.distribution == Distribution::uniform) {
        value = chosen.scale * (2 * stream.uniform(counter) - 1);
      } else if (chosen.distribution == Distribution::normal) {
        value = chosen.scale * stream.normal(counter);
      }
      tensor.set(i, value);
    }
    values.push_back(std::move(tensor));
  }
  return values;
}

}  // namespace kappa
