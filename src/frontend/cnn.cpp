#include "frontend/cnn.h"

#include <fmt/format.h>

#include "kappa/convolution.h"
#include "kappa/error.h"

namespace kappa {
namespace {

using Layer = CnnSpec::Layer;
using Kind = Layer::Kind;

constexpr std::size_t max_layers = 1000;
constexpr double max_image = 0x1p31;  // numbers of a sample between two layers
constexpr std::string_view form =
    "cnn:CHANNELSxHEIGHTxWIDTH-LAYER-...-OUT:ACTIVATION, a layer being 8c5 (8 kernels 5x5; /2 "
    "stride, +2 border), r8 (residual block), p2, a2 (max, mean) or 120 (dense), e.g. "
    "cnn:1x28x28-8c5-p2-16c5-p2-10:relu";

// The image between two layers.
struct Image {
  std::int64_t channels, height, width;
  [[nodiscard]] double size() const {
    return static_cast<double>(channels) * static_cast<double>(height) * static_cast<double>(width);
  }
};

// "16c3/2+1" from its second number on: kernel, stride, border.
void read_window(std::string_view rest, std::string_view text, Layer& layer) {
  const std::size_t plus = rest.find('+');
  if (plus != std::string_view::npos) {
    layer.border = read_extent(rest.substr(plus + 1), text, form);
    rest = rest.substr(0, plus);
  }
  const std::size_t slash = rest.find('/');
  if (slash != std::string_view::npos) {
    layer.stride = read_extent(rest.substr(slash + 1), text, form);
    rest = rest.substr(0, slash);
  }
  (layer.kind == Kind::residual ? layer.width : layer.kernel) = read_extent(rest, text, form);
}

Layer read_layer(std::string_view part, std::string_view text) {
  Layer layer;
  const std::size_t letter = part.find_first_of("crpa");
  if (letter == std::string_view::npos) {
    layer.width = read_extent(part, text, form);
    return layer;
  }
  switch (part[letter]) {
    case 'c': layer.kind = Kind::convolution; break;
    case 'r': layer.kind = Kind::residual; break;
    case 'p': layer.kind = Kind::max_pool; break;
    default: layer.kind = Kind::average_pool; break;
  }
  read_window(part.substr(letter + 1), text, layer);
  if (layer.kind == Kind::convolution)
    layer.width = read_extent(part.substr(0, letter), text, form);
  const bool pools = layer.kind == Kind::max_pool || layer.kind == Kind::average_pool;
  if (pools && part.find('/') == std::string_view::npos) layer.stride = layer.kernel;
  if ((letter != 0) != (layer.kind == Kind::convolution) ||
      (layer.kind != Kind::convolution && layer.border != 0)) {
    throw Error(ErrorKind::parse, fmt::format("layers {}: {} is no layer; write {}",
                                              quoted_layers(text), quoted_layers(part), form));
  }
  return layer;
}

std::int64_t extent_after(std::int64_t extent, std::int64_t kernel, std::int64_t stride,
                          std::int64_t border) {
  const std::int64_t room = extent + 2 * border - kernel;
  return room < 0 ? 0 : room / stride + 1;
}

Image image_after(const Layer& layer, const Image& image) {
  if (layer.kind == Kind::dense) return {layer.width, 1, 1};
  const bool residual = layer.kind == Kind::residual;
  const std::int64_t kernel = residual ? 3 : layer.kernel, border = residual ? 1 : layer.border;
  const bool keeps = layer.kind == Kind::max_pool || layer.kind == Kind::average_pool;
  return {keeps ? image.channels : layer.width,
          extent_after(image.height, kernel, layer.stride, border),
          extent_after(image.width, kernel, layer.stride, border)};
}

bool needs_shortcut(const Layer& layer, const Image& image) {
  return layer.stride != 1 || layer.width != image.channels;
}

std::vector<LayerParameter> parameters_of(const CnnSpec& spec) {
  using ParameterKind = LayerParameter::Kind;
  std::vector<LayerParameter> list;
  Image image{spec.channels, spec.height, spec.width};
  std::int64_t index = 0;
  const auto add = [&](const std::string& name, std::int64_t in, std::int64_t out,
                       std::int64_t kernel) {
    const auto area = static_cast<double>(kernel * kernel);
    const double fan_in = static_cast<double>(in) * area, fan_out = static_cast<double>(out) * area;
    const bool dense = kernel == 0;
    const Shape shape = dense ? Shape{out, in} : Shape{out, in, kernel, kernel};
    list.push_back({name + ".weight", shape, dense ? static_cast<double>(in) : fan_in,
                    dense ? static_cast<double>(out) : fan_out});
    list.push_back({name + ".bias", {out}, list.back().in, list.back().out, ParameterKind::bias});
  };
  for (const Layer& layer : spec.layers) {
    const std::string name = fmt::format("layers.{}", index);
    if (layer.kind == Kind::convolution) {
      add(name, image.channels, layer.width, layer.kernel);
    } else if (layer.kind == Kind::residual) {
      add(name + ".conv1", image.channels, layer.width, 3);
      add(name + ".conv2", layer.width, layer.width, 3);
      if (needs_shortcut(layer, image)) add(name + ".shortcut", image.channels, layer.width, 1);
    } else if (layer.kind == Kind::dense) {
      add(name, image.channels * image.height * image.width, layer.width, 0);
    } else {
      --index;  // pooling has no parameters
    }
    ++index;
    image = image_after(layer, image);
  }
  return list;
}

// One network under construction, parameters taken in their order.
class CnnBuilder {
 public:
  CnnBuilder(const CnnSpec& spec, std::span<const Array> parameters)
      : spec_(spec), parameters_(parameters) {}

  Array run(const Array& x) {
    const std::int64_t batch = x.shape()[0];
    Array h = reshape(x, {batch, spec_.channels, spec_.height, spec_.width});
    for (const Layer& layer : spec_.layers) {
      const bool last = &layer == &spec_.layers.back();
      const Dims window{layer.kernel, layer.kernel}, strides{layer.stride, layer.stride};
      switch (layer.kind) {
        case Kind::convolution: h = activate(convolve(h, layer.stride, layer.border)); break;
        case Kind::residual: h = block(h, layer); break;
        case Kind::max_pool: h = max_pool(h, window, {strides}); break;
        case Kind::average_pool: h = average_pool(h, window, {strides}); break;
        case Kind::dense:
          h = dense(reshape(h, {batch, h.size() / batch}));
          if (!last) h = activate(h);
          break;
      }
    }
    return h;
  }

 private:
  const CnnSpec& spec_;
  std::span<const Array> parameters_;
  std::size_t taken_ = 0;

  const Array& next() { return parameters_[taken_++]; }
  [[nodiscard]] Array activate(const Array& x) const {
    return find_activation(spec_.activation, spec_.text)(x);
  }
  Array dense(const Array& x) {
    const Array& weight = next();
    return matmul(x, weight, false, true) + next();
  }
  Array convolve(const Array& x, std::int64_t stride, std::int64_t border) {
    const Array& weight = next();
    const Array& bias = next();
    const Dims pads{border, border};
    return convolution(x, weight, {{stride, stride}, {}, pads, pads}) +
           reshape(bias, {bias.size(), 1, 1});
  }
  Array block(const Array& x, const Layer& layer) {
    const Array h = convolve(activate(convolve(x, layer.stride, 1)), 1, 1);
    const bool same = layer.stride == 1 && layer.width == x.shape()[1];
    return activate(h + (same ? x : convolve(x, layer.stride, 0)));
  }
};

Network cnn_network(std::string_view text) {
  const CnnSpec spec = parse_cnn(text);
  return {.kind = "cnn",
          .text = spec.text,
          .num_inputs = spec.channels * spec.height * spec.width,
          .num_outputs = spec.layers.back().width,
          .parameters = parameters_of(spec),
          .build = [spec](std::span<const Array> parameters, const Array& x) {
            return CnnBuilder(spec, parameters).run(x);
          }};
}

}  // namespace

NetworkPreset cnn_preset() {
  return {"cnn", std::string(form), "a convolutional network over images", cnn_network};
}

CnnSpec parse_cnn(std::string_view text) {
  CnnSpec spec;
  spec.text = std::string(text);
  const auto fail = [&](ErrorKind kind, const std::string& why) {
    return Error(kind, fmt::format("layers {}: {}", quoted_layers(text), why));
  };
  std::string_view rest = text;
  if (!rest.starts_with("cnn:")) throw fail(ErrorKind::parse, fmt::format("write {}", form));
  rest.remove_prefix(4);
  const std::size_t colon = rest.find(':');
  if (colon == std::string_view::npos) {
    throw fail(ErrorKind::parse, "no activation; append e.g. :relu");
  }
  spec.activation = std::string(rest.substr(colon + 1));
  find_activation(spec.activation, text);  // throws where there is none
  rest = rest.substr(0, colon);

  std::vector<std::string_view> parts;
  for (;;) {
    const std::size_t dash = rest.find('-');
    parts.push_back(rest.substr(0, dash));
    if (parts.size() > max_layers) {
      throw fail(ErrorKind::resource, fmt::format("more than {} layers", max_layers));
    }
    if (dash == std::string_view::npos) break;
    rest.remove_prefix(dash + 1);
  }
  const std::size_t first = parts[0].find('x'), second = parts[0].find('x', first + 1);
  if (first == std::string_view::npos || second == std::string_view::npos) {
    throw fail(ErrorKind::parse,
               fmt::format("it begins with no CHANNELSxHEIGHTxWIDTH; write {}", form));
  }
  spec.channels = read_extent(parts[0].substr(0, first), text, form);
  spec.height = read_extent(parts[0].substr(first + 1, second - first - 1), text, form);
  spec.width = read_extent(parts[0].substr(second + 1), text, form);

  Image image{spec.channels, spec.height, spec.width};
  double total = 0;
  for (std::size_t i = 1; i < parts.size(); ++i) {
    const Layer layer = read_layer(parts[i], text);
    if (layer.kind != Kind::dense && !spec.layers.empty() &&
        spec.layers.back().kind == Kind::dense) {
      throw fail(ErrorKind::parse, fmt::format("{} follows a dense layer, which has no image",
                                               quoted_layers(parts[i])));
    }
    if (image.size() > max_image) {
      throw fail(ErrorKind::resource, fmt::format("an image of {:.3g} numbers before {}",
                                                  image.size(), quoted_layers(parts[i])));
    }
    const Image after = image_after(layer, image);
    if (after.height < 1 || after.width < 1) {
      throw fail(ErrorKind::value, fmt::format("{} does not fit an image of {} x {}",
                                               quoted_layers(parts[i]), image.height, image.width));
    }
    const auto width = static_cast<double>(layer.width), in = static_cast<double>(image.channels);
    switch (layer.kind) {
      case Kind::convolution:
        total += width * in * static_cast<double>(layer.kernel) * static_cast<double>(layer.kernel);
        break;
      case Kind::residual: total += width * (10 * in + 9 * width); break;
      case Kind::dense: total += width * image.size(); break;
      default: break;
    }
    spec.layers.push_back(layer);
    image = after;
  }
  if (spec.layers.empty() || spec.layers.back().kind != Kind::dense) {
    throw fail(ErrorKind::parse, fmt::format("it ends with no number of outputs; write {}", form));
  }
  check_parameter_count(total, text);
  return spec;
}

}  // namespace kappa
