#include "primitives/convolution.h"

#include <fmt/format.h>

#include <algorithm>

#include "kappa/error.h"
#include "primitives/axes.h"
#include "primitives/sample_axes.h"

namespace kappa {
namespace {

const char* name_of(ConvolutionPart part) {
  switch (part) {
    case ConvolutionPart::output: return "convolution";
    case ConvolutionPart::data: return "convolution_data";
    case ConvolutionPart::weight: return "convolution_weight";
  }
  return "";
}

const Primitive& primitive_of(ConvolutionPart part) {
  switch (part) {
    case ConvolutionPart::output: return kappa_primitive_convolution();
    case ConvolutionPart::data: return kappa_primitive_convolution_data();
    case ConvolutionPart::weight: return kappa_primitive_convolution_weight();
  }
  return kappa_primitive_convolution();
}

// Spatial extents of a weight's shape, with or without a leading batch axis.
Dims kernel_of(const Shape& weight, std::size_t rank) {
  return {weight.end() - static_cast<std::ptrdiff_t>(rank), weight.end()};
}

Array call_of(ConvolutionPart part, WindowAttributes window, Dims extents, const Array& a,
              const Array& b) {
  window.extents = std::move(extents);
  return apply(primitive_of(part), window.attributes(), {a, b});
}

Array transpose_rule(ConvolutionPart part, const Call& call, int index, const Array& cotangent) {
  const WindowAttributes window(call.attributes);
  const std::size_t rank = window.rank();
  const Array& wanted = call.operands[static_cast<std::size_t>(index)];
  const Array& other = call.operands[static_cast<std::size_t>(1 - index)];
  const auto image = [&] { return Image(wanted.shape(), rank, window.samples_last).extents; };
  Array result;
  switch (part) {
    case ConvolutionPart::output:  // of x, w
      result = index == 0 ? call_of(ConvolutionPart::data, window, image(), cotangent, other)
                          : call_of(ConvolutionPart::weight, window,
                                    kernel_of(wanted.shape(), rank), other, cotangent);
      break;
    case ConvolutionPart::data:  // of y, w
      result = index == 0 ? call_of(ConvolutionPart::output, window, image(), cotangent, other)
                          : call_of(ConvolutionPart::weight, window,
                                    kernel_of(wanted.shape(), rank), cotangent, other);
      break;
    case ConvolutionPart::weight:  // of x, y
      result = index == 0 ? call_of(ConvolutionPart::data, window, image(), other, cotangent)
                          : call_of(ConvolutionPart::output, window, image(), other, cotangent);
      break;
  }
  return result.rank() > wanted.rank() ? sum(result, {0}) : result;
}

Array batch_rule(ConvolutionPart part, const Call& call, const std::vector<bool>& batched,
                 std::int64_t extent) {
  const WindowAttributes window(call.attributes);
  std::vector<bool> carried;
  for (std::size_t i = 0; i < 2; ++i) {
    carried.push_back(call.operands[i].shape().size() == window.rank() + 3 + (batched[i] ? 1 : 0));
  }
  const bool images_alone =
      part != ConvolutionPart::weight && batched[0] && !batched[1] && !carried[0] && !carried[1];
  if (images_alone && !window.samples_last) {
    return split_samples(
        call_of(part, window, window.extents, merge_samples(call.operands[0]), call.operands[1]),
        extent);
  }
  bool merged = false;
  const std::vector<Array> operands =
      merge_batches(call.operands, batched, carried, extent, merged);
  const Array result = call_of(part, window, window.extents, operands[0], operands[1]);
  if (!merged) return result;
  Shape shape = result.shape();
  shape[0] /= extent;
  return reshape(result, prepend(extent, shape));
}

std::vector<Sample> make_samples(ConvolutionPart part) {
  struct Case {
    std::int64_t samples, channels, outputs, groups;
    Dims extents, kernel, strides, dilations, low, high;
  };
  const Case cases[] = {
      {2, 3, 2, 1, {5}, {3}, {1}, {1}, {0}, {0}},
      {1, 2, 4, 2, {7}, {3}, {2}, {2}, {2}, {1}},
      {2, 2, 3, 1, {4, 5}, {3, 2}, {1, 2}, {1, 1}, {1, 0}, {1, 1}},
      {2, 4, 4, 4, {5, 4}, {3, 3}, {1, 1}, {1, 1}, {1, 1}, {1, 1}},
      {2, 4, 6, 2, {6, 5}, {2, 2}, {2, 1}, {2, 3}, {0, 3}, {1, 0}},
      {1, 1, 2, 1, {3, 3, 3}, {2, 2, 1}, {1, 2, 1}, {1, 1, 1}, {0, 1, 0}, {1, 0, 0}},
      {19, 3, 9, 1, {3, 3}, {2, 2}, {1, 1}, {1, 1}, {0, 0}, {1, 1}},
      {2, 1, 1, 1, {5}, {2}, {3}, {1}, {0}, {0}},
  };
  std::vector<Sample> samples;
  for (const Case& c : cases) {
    for (const bool last : {false, true}) {
      // The second layout once more with a leading axis on one or both operands.
      for (int lead = 0; lead < (last && c.groups != 1 ? 4 : 1); ++lead) {
        const Window given{c.strides, c.dilations, c.low, c.high};
        const Dims extents = window_extents("convolution", c.extents, c.kernel, given);
        Image x, y;
        x.samples = y.samples = c.samples;
        x.channels = c.channels;
        y.channels = c.outputs;
        x.extents = c.extents;
        y.extents = extents;
        Shape weight{c.outputs, c.channels / c.groups};
        weight.insert(weight.end(), c.kernel.begin(), c.kernel.end());
        WindowAttributes window;
        window.strides = c.strides;
        window.dilations = c.dilations;
        window.pads_low = c.low;
        window.groups = c.groups;
        window.samples_last = last;
        Shape a, b;
        switch (part) {
          case ConvolutionPart::output:
            a = x.shape(last), b = weight, window.extents = extents;
            break;
          case ConvolutionPart::data:
            a = y.shape(last), b = weight, window.extents = c.extents;
            break;
          case ConvolutionPart::weight:
            a = x.shape(last), b = y.shape(last), window.extents = c.kernel;
            break;
        }
        if ((lead & 1) != 0) a = prepend(2, a);
        if ((lead & 2) != 0) b = prepend(2, b);
        samples.push_back({{{DType::f64, a}, {DType::f64, b}}, window.attributes()});
      }
    }
  }
  return samples;
}

Primitive make(ConvolutionPart part, const char* doc) {
  Primitive p;
  p.name = name_of(part);
  p.doc = doc;
  p.num_operands = 2;
  p.infer = [part](const Attributes& attributes, std::span<const Type> operands) {
    return Type{operands[0].dtype, Convolution(part, attributes, operands).result()};
  };
  p.bilinear = true;
  p.transpose = [part](const Call& call, int index, const Array& cotangent) {
    return transpose_rule(part, call, index, cotangent);
  };
  p.batch = [part](const Call& call, const std::vector<bool>& batched, std::int64_t extent) {
    return batch_rule(part, call, batched, extent);
  };
  p.kernel.run = [part](const KernelCall& call) {
    const Convolution convolution(part, call.attributes, call.input_types);
    if (convolution.window.samples_last) {
      run_direct(convolution, call);
    } else {
      run_columns(convolution, call);
    }
  };
  p.kernel.accumulates = true;
  p.kernel.scratch_bytes = [part](const Attributes& attributes, std::span<const Type> operands) {
    const Convolution convolution(part, attributes, operands);
    return convolution.window.samples_last ? direct_scratch_bytes(convolution, operands[0].dtype)
                                           : columns_scratch_bytes(convolution, operands[0].dtype);
  };
  p.kernel.flops = [part](const Attributes& attributes, std::span<const Type> operands,
                          const Type&) {
    const Convolution c(part, attributes, operands);
    return 2.0 * static_cast<double>(std::max<std::int64_t>(c.blocks, 1)) *
           static_cast<double>(c.y.size()) * static_cast<double>(c.group_inputs() * c.taps());
  };
  p.samples = [part] { return make_samples(part); };
  return p;
}

void refuse_rank(const char* verb, const Array& x, const Array& weight) {
  if (x.is_literal() || x.rank() < 3 || x.rank() > 5) {
    shape_error(verb, fmt::format("x is {}; expected samples, channels and 1 to 3 spatial axes",
                                  x.is_literal() ? "a number" : to_string(x.shape())));
  }
  if (weight.is_literal() || weight.rank() != x.rank()) {
    shape_error(verb, fmt::format("weight is {}; expected {} axes like x, {}",
                                  weight.is_literal() ? "a number" : to_string(weight.shape()),
                                  x.rank(), to_string(x.shape())));
  }
}

WindowAttributes attributes_of(const Window& window, std::int64_t groups) {
  WindowAttributes result;
  result.strides = window.strides;
  result.dilations = window.dilations;
  result.pads_low = window.pads_low;
  result.groups = groups;
  return result;
}

}  // namespace

WindowAttributes::WindowAttributes(const Attributes& attributes)
    : strides(attributes.dims("strides")),
      dilations(attributes.dims("dilations")),
      pads_low(attributes.dims("pads_low")),
      groups(attributes.integer("groups")),
      samples_last(attributes.integer("samples_last") != 0),
      extents(attributes.dims("extents")) {
  if (attributes.contains("kernel")) kernel = attributes.dims("kernel");
}

Attributes WindowAttributes::attributes() const {
  const std::int64_t last{samples_last};
  if (kernel.empty()) {
    return {{"strides", strides}, {"dilations", dilations}, {"pads_low", pads_low},
            {"groups", groups},   {"samples_last", last},   {"extents", extents}};
  }
  return {{"strides", strides}, {"dilations", dilations}, {"pads_low", pads_low},
          {"groups", groups},   {"samples_last", last},   {"extents", extents},
          {"kernel", kernel}};
}

Image::Image(const Shape& shape, std::size_t rank, bool samples_last) {
  const auto axes = shape.end() - static_cast<std::ptrdiff_t>(rank + 2);
  samples = samples_last ? shape.back() : *axes;
  channels = samples_last ? *axes : axes[1];
  const auto first = axes + (samples_last ? 1 : 2);
  extents.assign(first, first + static_cast<std::ptrdiff_t>(rank));
}

Shape Image::shape(bool samples_last) const {
  Shape shape;
  if (!samples_last) shape.push_back(samples);
  shape.push_back(channels);
  shape.insert(shape.end(), extents.begin(), extents.end());
  if (samples_last) shape.push_back(samples);
  return shape;
}

Convolution::Convolution(ConvolutionPart which, const Attributes& attributes,
                         std::span<const Type> operands)
    : part(which), window(attributes) {
  const char* verb = name_of(part);
  const std::size_t rank = window.rank();
  for (std::size_t i = 0; i < 2; ++i) {
    const Shape& shape = operands[i].shape;
    if (!is_floating(operands[i].dtype) || operands[0].dtype != operands[1].dtype) {
      throw Error(ErrorKind::type,
                  fmt::format("[{}] {} and {}; expected two arrays of f32 or of f64", verb,
                              to_string(operands[0]), to_string(operands[1])));
    }
    if (rank == 0 || (shape.size() != rank + 2 && shape.size() != rank + 3)) {
      shape_error(verb, fmt::format("operand {} is {}; expected {} spatial axes and two more", i,
                                    to_string(operands[i]), rank));
    }
    batched[i] = shape.size() == rank + 3;
    if (!batched[i]) continue;
    if (blocks != 0 && blocks != shape[0]) {
      shape_error(verb, fmt::format("{} and {}: leading extents differ", to_string(operands[0]),
                                    to_string(operands[1])));
    }
    blocks = shape[0];
  }
  if (window.dilations.size() != rank || window.pads_low.size() != rank ||
      window.extents.size() != rank || window.groups < 1) {
    shape_error(verb, fmt::format("attributes {} do not fit each other", attributes.print()));
  }
  const bool last = window.samples_last;
  const Shape& second = operands[1].shape;
  const Image first(operands[0].shape, rank, last);
  bool fits = true;
  if (part == ConvolutionPart::weight) {
    x = first;
    y = Image(second, rank, last);
    kernel = window.extents;
    fits = x.samples == y.samples && x.channels % window.groups == 0;
  } else {
    kernel = kernel_of(second, rank);
    const std::int64_t outputs = second[second.size() - rank - 2];
    const std::int64_t inputs = second[second.size() - rank - 1] * window.groups;
    x = y = first;
    if (part == ConvolutionPart::output) {
      fits = x.channels == inputs;
      y.channels = outputs;
      y.extents = window.extents;
    } else {
      fits = y.channels == outputs;
      x.channels = inputs;
      x.extents = window.extents;
    }
  }
  check_meetings(verb, y.extents, kernel);
  check_meetings(verb, x.extents, {});
  if (!fits || y.channels % window.groups != 0) {
    shape_error(verb,
                fmt::format("{} and {} with {} group{}: channels differ", to_string(operands[0]),
                            to_string(operands[1]), window.groups, window.groups == 1 ? "" : "s"));
  }
}

Shape Convolution::result() const {
  Shape shape;
  switch (part) {
    case ConvolutionPart::output: shape = y.shape(window.samples_last); break;
    case ConvolutionPart::data: shape = x.shape(window.samples_last); break;
    case ConvolutionPart::weight:
      shape = {y.channels, group_inputs()};
      shape.insert(shape.end(), kernel.begin(), kernel.end());
      break;
  }
  return batched[0] || batched[1] ? prepend(blocks, shape) : shape;
}

void check_meetings(const char* verb, const Dims& positions, const Dims& kernel) {
  double count = 1;
  for (const Dims& extents : {positions, kernel}) {
    for (const std::int64_t extent : extents) count *= static_cast<double>(extent);
  }
  if (count > 0x1p27) {
    throw Error(ErrorKind::resource,
                fmt::format("[{}] a kernel {} at {} positions: more than 2^27 meetings", verb,
                            to_string(kernel), to_string(positions)));
  }
}

constexpr std::int64_t max_window_number = (std::int64_t{1} << 30);  // no product overflows

Window full_window(const char* verb, const Window& window, std::size_t rank) {
  Window full = window;
  const auto fill = [&](Dims& list, std::int64_t value, std::int64_t least, const char* what) {
    if (list.empty()) list.assign(rank, value);
    const auto inside = [&](std::int64_t x) { return x >= least && x <= max_window_number; };
    if (list.size() != rank || !std::all_of(list.begin(), list.end(), inside)) {
      shape_error(verb, fmt::format("{} {}; expected {} numbers, each from {} to {}", what,
                                    to_string(list), rank, least, max_window_number));
    }
  };
  fill(full.strides, 1, 1, "strides");
  fill(full.dilations, 1, 1, "dilations");
  fill(full.pads_low, 0, 0, "pads");
  fill(full.pads_high, 0, 0, "pads");
  return full;
}

Dims window_extents(const char* verb, const Dims& extents, const Dims& kernel,
                    const Window& window) {
  Dims result;
  for (std::size_t i = 0; i < extents.size(); ++i) {
    const std::int64_t room = extents[i] + window.pads_low[i] + window.pads_high[i] -
                              (kernel[i] - 1) * window.dilations[i] - 1;
    if (kernel[i] < 1 || kernel[i] > max_window_number || room < 0) {
      shape_error(verb,
                  fmt::format("kernel {} on extents {} with pads {} and {}, dilations {}: it "
                              "does not fit on axis {}",
                              to_string(kernel), to_string(extents), to_string(window.pads_low),
                              to_string(window.pads_high), to_string(window.dilations), i));
    }
    result.push_back(room / window.strides[i] + 1);
  }
  return result;
}

std::int64_t input_position(const WindowAttributes& window, const Dims& extents, const Dims& at,
                            const Dims& tap) {
  std::int64_t flat = 0;
  for (std::size_t i = 0; i < extents.size(); ++i) {
    const std::int64_t place =
        at[i] * window.strides[i] + tap[i] * window.dilations[i] - window.pads_low[i];
    if (place < 0 || place >= extents[i]) return -1;
    flat = flat * extents[i] + place;
  }
  return flat;
}

std::vector<Array> merge_batches(std::span<const Array> operands, const std::vector<bool>& batched,
                                 const std::vector<bool>& carried, std::int64_t extent,
                                 bool& merged) {
  std::vector<Array> result(operands.begin(), operands.end());
  std::int64_t inner = 0;
  for (std::size_t i = 0; i < operands.size(); ++i) {
    if (carried[i]) inner = operands[i].shape()[batched[i] ? 1 : 0];
  }
  merged = std::find(carried.begin(), carried.end(), true) != carried.end();
  if (!merged) return result;
  for (std::size_t i = 0; i < operands.size(); ++i) {
    if (!batched[i] && !carried[i]) continue;
    const Array& x = operands[i];
    const std::ptrdiff_t lead = (batched[i] ? 1 : 0) + (carried[i] ? 1 : 0);
    const Shape own(x.shape().begin() + lead, x.shape().end());
    Shape aligned = prepend(batched[i] ? extent : 1, prepend(carried[i] ? inner : 1, own));
    const Array all = broadcast_to(reshape(x, aligned), prepend(extent, prepend(inner, own)));
    result[i] = reshape(all, prepend(extent * inner, own));
  }
  return result;
}

KAPPA_PRIMITIVE(convolution) {
  return make(ConvolutionPart::output,
              "Correlation of an image with a weight over all spatial axes and input channels of a "
              "group.");
}
KAPPA_PRIMITIVE(convolution_data) {
  return make(ConvolutionPart::data,
              "The transpose of convolution in the image: each output position adds the weight "
              "times its value to what it had seen.");
}
KAPPA_PRIMITIVE(convolution_weight) {
  return make(ConvolutionPart::weight,
              "The transpose of convolution in the weight: products of the image and an output's "
              "cotangent, summed over samples and positions.");
}

Array convolution(const Array& x, const Array& weight, const Window& window, std::int64_t groups) {
  constexpr const char* verb = "convolution";
  refuse_rank(verb, x, weight);
  const auto rank = static_cast<std::size_t>(x.rank() - 2);
  const Window full = full_window(verb, window, rank);
  const DType dtype = promote(promote(x.dtype(), weight.dtype()), DType::f32);
  if (groups < 1 || weight.shape()[1] * groups != x.shape()[1] || weight.shape()[0] % groups != 0) {
    shape_error(verb, fmt::format("x {} and weight {} with {} groups; expected C = {} input "
                                  "channels and outputs that {} divides",
                                  to_string(x.shape()), to_string(weight.shape()), groups,
                                  weight.shape()[1] * std::max<std::int64_t>(groups, 1), groups));
  }
  const Dims extents = window_extents(verb, Image(x.shape(), rank, false).extents,
                                      kernel_of(weight.shape(), rank), full);
  return call_of(ConvolutionPart::output, attributes_of(full, groups), extents, convert(x, dtype),
                 convert(weight, dtype));
}

Array convolution_transpose(const Array& x, const Array& weight, const Window& window,
                            const Dims& output_padding, std::int64_t groups) {
  constexpr const char* verb = "convolution_transpose";
  refuse_rank(verb, x, weight);
  const auto rank = static_cast<std::size_t>(x.rank() - 2);
  const Window full = full_window(verb, window, rank);
  if (groups < 1 || weight.shape()[0] != x.shape()[1] || x.shape()[1] % groups != 0) {
    shape_error(verb,
                fmt::format("x {} and weight {} with {} groups; expected C = {} in both",
                            to_string(x.shape()), to_string(weight.shape()), groups, x.shape()[1]));
  }
  const Dims more = output_padding.empty() ? Dims(rank, 0) : output_padding;
  if (more.size() != rank) {
    shape_error(verb, fmt::format("output_padding {}; expected {} numbers", to_string(more), rank));
  }
  const Dims from = Image(x.shape(), rank, false).extents, kernel = kernel_of(weight.shape(), rank);
  Dims extents;
  for (std::size_t i = 0; i < rank; ++i) {
    extents.push_back((from[i] - 1) * full.strides[i] + (kernel[i] - 1) * full.dilations[i] + 1 -
                      full.pads_low[i] - full.pads_high[i] + more[i]);
    if (extents.back() < 1) {
      shape_error(verb, fmt::format("x {}, kernel {}, pads {} and {}: nothing is left on axis {}",
                                    to_string(x.shape()), to_string(kernel),
                                    to_string(full.pads_low), to_string(full.pads_high), i));
    }
  }
  const DType dtype = promote(promote(x.dtype(), weight.dtype()), DType::f32);
  return call_of(ConvolutionPart::data, attributes_of(full, groups), extents, convert(x, dtype),
                 convert(weight, dtype));
}

}  // namespace kappa
