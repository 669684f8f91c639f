#include "frontend/layers.h"

#include <fmt/format.h>

#include "kappa/error.h"

namespace kappa {
namespace {

constexpr std::size_t max_layers = 10'000;
constexpr std::string_view form = "mlp:IN-HIDDEN-...-OUT:ACTIVATION, e.g. mlp:784-128-10:tanh";

Network mlp_network(std::string_view text) {
  const LayersSpec spec = parse_layers(text);
  return {.kind = "mlp",
          .text = spec.text,
          .num_inputs = spec.widths.front(),
          .num_outputs = spec.widths.back(),
          .parameters = layer_parameters(spec),
          .build = [spec](std::span<const Array> parameters, const Array& x) {
            Array z = x;
            const std::size_t num_layers = spec.widths.size() - 1;
            for (std::size_t i = 0; i < num_layers; ++i) {
              z = matmul(z, parameters[2 * i], false, true) + parameters[2 * i + 1];
              if (i + 1 < num_layers) z = find_activation(spec.activation, spec.text)(z);
            }
            return z;
          }};
}

}  // namespace

NetworkPreset mlp_preset() { return {"mlp", std::string(form), "a dense network", mlp_network}; }

LayersSpec parse_layers(std::string_view text) {
  LayersSpec spec;
  spec.text = std::string(text);
  std::string_view rest = text;
  if (!rest.starts_with("mlp:")) {
    throw Error(ErrorKind::parse, fmt::format("layers {}: write {}", quoted_layers(text), form));
  }
  rest.remove_prefix(4);
  const std::size_t colon = rest.find(':');
  std::string_view widths = rest.substr(0, colon);
  for (;;) {
    const std::size_t dash = widths.find('-');
    spec.widths.push_back(read_extent(widths.substr(0, dash), text, form));
    if (spec.widths.size() > max_layers) {
      throw Error(ErrorKind::resource,
                  fmt::format("layers {}: more than {} layers", quoted_layers(text), max_layers));
    }
    if (dash == std::string_view::npos) break;
    widths.remove_prefix(dash + 1);
  }
  if (spec.widths.size() < 2) {
    throw Error(ErrorKind::parse,
                fmt::format("layers {}: one width alone; write {}", quoted_layers(text), form));
  }
  if (colon != std::string_view::npos) {
    spec.activation = std::string(rest.substr(colon + 1));
    find_activation(spec.activation, text);  // throws where there is none
  } else if (spec.widths.size() > 2) {
    throw Error(ErrorKind::parse, fmt::format("layers {}: the hidden layers have no activation; "
                                              "append e.g. :tanh",
                                              quoted_layers(text)));
  }
  double total = 0;
  for (std::size_t i = 1; i < spec.widths.size(); ++i) {
    total += static_cast<double>(spec.widths[i]) * static_cast<double>(spec.widths[i - 1] + 1);
  }
  check_parameter_count(total, text);
  return spec;
}

std::vector<LayerParameter> layer_parameters(const LayersSpec& spec) {
  std::vector<LayerParameter> parameters;
  for (std::size_t i = 0; i + 1 < spec.widths.size(); ++i) {
    const std::int64_t in = spec.widths[i], out = spec.widths[i + 1];
    const auto fan_in = static_cast<double>(in), fan_out = static_cast<double>(out);
    parameters.push_back({fmt::format("layers.{}.weight", i), {out, in}, fan_in, fan_out});
    parameters.push_back(
        {fmt::format("layers.{}.bias", i), {out}, fan_in, fan_out, LayerParameter::Kind::bias});
  }
  return parameters;
}

Program build_layers(const LayersSpec& spec, std::int64_t batch, DType dtype) {
  return build_network(mlp_network(spec.text), batch, dtype);
}

std::vector<Tensor> initial_weights(const LayersSpec& spec, std::string_view scheme,
                                    std::uint64_t seed, DType dtype) {
  return initial_weights(layer_parameters(spec), scheme, seed, dtype);
}

}  // namespace kappa
