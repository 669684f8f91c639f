#include "frontend/transformer.h"

#include <fmt/format.h>

#include <cmath>

#include "kappa/error.h"

namespace kappa {
namespace {

constexpr double norm_epsilon = 1e-5;  // as torch.nn.LayerNorm
constexpr std::int64_t max_layers = 1000;
constexpr std::string_view form =
    "transformer:TOKENSxFEATURES-dWIDTH-hHEADS-lLAYERS-OUT, e.g. transformer:28x28-d64-h4-l2-10";

// Places in the list of parameters, which has the order of PyTorch's named_parameters().
constexpr std::size_t position = 0, embed = 1, first_layer = 3, layer_size = 12;
constexpr std::size_t in_proj = 0, out_proj = 2, linear1 = 4, linear2 = 6, norm1 = 8, norm2 = 10;

class Encoder {
 public:
  Encoder(const TransformerSpec& spec, std::span<const Array> parameters, std::int64_t batch)
      : spec_(spec), parameters_(parameters), batch_(batch) {}

  [[nodiscard]] Array run(const Array& x) const {
    const TransformerSpec& s = spec_;
    const Array embedded = linear(reshape(x, {batch_ * s.tokens, s.features}), embed);
    Array h = as_rows(reshape(embedded, {batch_, s.tokens, s.width}) + parameters_[position]);
    std::size_t at = first_layer;
    for (std::int64_t i = 0; i < s.layers; ++i, at += layer_size) {
      h = layer_norm(h + attention(h, at), at + norm1);
      const Array hidden = find_activation(spec_.activation, spec_.text)(linear(h, at + linear1));
      h = layer_norm(h + linear(hidden, at + linear2), at + norm2);
    }
    return linear(mean(reshape(h, {batch_, s.tokens, s.width}), {1}), at);
  }

 private:
  const TransformerSpec& spec_;
  std::span<const Array> parameters_;
  std::int64_t batch_;

  [[nodiscard]] Array linear(const Array& x, std::size_t at) const {
    return matmul(x, parameters_[at], false, true) + parameters_[at + 1];
  }

  [[nodiscard]] Array as_rows(const Array& x) const {
    return reshape(x, {batch_ * spec_.tokens, spec_.width});
  }

  // Rows to (batch, heads, tokens, width / heads).
  [[nodiscard]] Array split_heads(const Array& x) const {
    return transpose(reshape(x, {batch_, spec_.tokens, spec_.heads, spec_.width / spec_.heads}),
                     {0, 2, 1, 3});
  }

  [[nodiscard]] Array attention(const Array& h, std::size_t at) const {
    const std::int64_t d = spec_.width;
    const Array& weight = parameters_[at + in_proj];
    const Array& bias = parameters_[at + in_proj + 1];
    Array parts[3];  // queries, keys, values: their weights stand one below the other
    for (std::int64_t i = 0; i < 3; ++i) {
      parts[i] = matmul(h, slice(weight, {i * d, 0}, {(i + 1) * d, d}), false, true) +
                 slice(bias, {i * d}, {(i + 1) * d});
    }
    const double scale = 1 / std::sqrt(static_cast<double>(d / spec_.heads));
    const Array weights =
        softmax(matmul(split_heads(parts[0] * scale), split_heads(parts[1]), false, true));
    const Array mixed = matmul(weights, split_heads(parts[2]));
    return linear(as_rows(transpose(mixed, {0, 2, 1, 3})), at + out_proj);
  }

  [[nodiscard]] Array layer_norm(const Array& x, std::size_t at) const {
    const Array centred = x - mean(x, {-1}, true);
    const Array variance = mean(centred * centred, {-1}, true);
    // One reciprocal a row: a division an entry would be dearer, in every derivative.
    return centred * (1 / sqrt(variance + norm_epsilon)) * parameters_[at] + parameters_[at + 1];
  }
};

std::vector<LayerParameter> parameters_of(const TransformerSpec& s) {
  using Kind = LayerParameter::Kind;
  std::vector<LayerParameter> list;
  const auto linear = [&](const std::string& name, const char* separator, std::int64_t in,
                          std::int64_t out) {
    const auto fan_in = static_cast<double>(in), fan_out = static_cast<double>(out);
    list.push_back({name + separator + "weight", {out, in}, fan_in, fan_out});
    list.push_back({name + separator + "bias", {out}, fan_in, fan_out, Kind::bias});
  };
  const auto norm = [&](const std::string& name) {
    list.push_back({name + ".weight", {s.width}, 1, 1, Kind::gain});
    list.push_back({name + ".bias", {s.width}, 1, 1, Kind::offset});
  };
  const auto width = static_cast<double>(s.width);
  list.push_back({"position", {s.tokens, s.width}, width, width});
  linear("embed", ".", s.features, s.width);
  for (std::int64_t i = 0; i < s.layers; ++i) {
    const std::string layer = fmt::format("layers.{}.", i);
    linear(layer + "self_attn.in_proj", "_", s.width, 3 * s.width);
    linear(layer + "self_attn.out_proj", ".", s.width, s.width);
    linear(layer + "linear1", ".", s.width, s.feed_forward);
    linear(layer + "linear2", ".", s.feed_forward, s.width);
    norm(layer + "norm1");
    norm(layer + "norm2");
  }
  linear("head", ".", s.width, s.outputs);
  return list;
}

Network parsed(std::string_view text) { return transformer_network(parse_transformer(text)); }

}  // namespace

NetworkPreset transformer_preset() {
  return {"transformer", std::string(form), "a transformer encoder over a sequence", parsed};
}

TransformerSpec parse_transformer(std::string_view text) {
  TransformerSpec spec;
  spec.text = std::string(text);
  const auto fail = [&](const std::string& why) -> Error {
    return {ErrorKind::parse,
            fmt::format("layers {}: {}; write {}", quoted_layers(text), why, form)};
  };
  std::string_view rest = text;
  if (!rest.starts_with("transformer:")) throw fail("not a transformer");
  rest.remove_prefix(12);
  const std::size_t colon = rest.find(':');
  if (colon != std::string_view::npos) {
    spec.activation = std::string(rest.substr(colon + 1));
    find_activation(spec.activation, text);  // throws where there is none
    rest = rest.substr(0, colon);
  }
  std::vector<std::string_view> parts;
  for (;;) {
    const std::size_t dash = rest.find('-');
    parts.push_back(rest.substr(0, dash));
    if (dash == std::string_view::npos || parts.size() > 7) break;
    rest.remove_prefix(dash + 1);
  }
  const std::size_t cross = parts[0].find('x');
  if (cross == std::string_view::npos) throw fail("it begins with no TOKENSxFEATURES");
  spec.tokens = read_extent(parts[0].substr(0, cross), text, form);
  spec.features = read_extent(parts[0].substr(cross + 1), text, form);
  if (parts.size() < 2 || parts.size() > 7) throw fail("too few or too many parts");
  for (std::size_t i = 1; i + 1 < parts.size(); ++i) {
    const char letter = parts[i].empty() ? ' ' : parts[i][0];
    std::int64_t* extent = letter == 'd'   ? &spec.width
                           : letter == 'h' ? &spec.heads
                           : letter == 'l' ? &spec.layers
                           : letter == 'f' ? &spec.feed_forward
                                           : nullptr;
    if (extent == nullptr) {
      throw fail(quoted_layers(parts[i]) + " begins with none of the letters d, h, l, f");
    }
    *extent = read_extent(parts[i].substr(1), text, form);
  }
  spec.outputs = read_extent(parts.back(), text, form);
  if (spec.width == 0) throw fail("the width is missing, as in -d64");
  if (spec.width % spec.heads != 0) {
    throw Error(ErrorKind::value,
                fmt::format("layers {}: a width of {} cannot be shared among {} heads",
                            quoted_layers(text), spec.width, spec.heads));
  }
  if (spec.layers > max_layers) {
    throw Error(ErrorKind::resource,
                fmt::format("layers {}: more than {} layers", quoted_layers(text), max_layers));
  }
  if (spec.feed_forward == 0) spec.feed_forward = 4 * spec.width;
  const auto number = [](std::int64_t x) { return static_cast<double>(x); };
  const double d = number(spec.width), f = number(spec.feed_forward);
  check_parameter_count(number(spec.layers) * (4 * d * (d + 1) + 2 * d * f + f + 5 * d) +
                            d * (number(spec.features) + 1 + number(spec.tokens)) +
                            number(spec.outputs) * (d + 1),
                        text);
  return spec;
}

Network transformer_network(const TransformerSpec& spec) {
  return {.kind = "transformer",
          .text = spec.text,
          .num_inputs = spec.tokens * spec.features,
          .num_outputs = spec.outputs,
          .parameters = parameters_of(spec),
          .build = [spec](std::span<const Array> parameters, const Array& x) {
            return Encoder(spec, parameters, x.shape()[0]).run(x);
          }};
}

}  // namespace kappa
