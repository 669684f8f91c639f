#include <fmt/format.h>

#include <algorithm>

#include "kappa/error.h"
#include "primitives/axes.h"
#include "primitives/convolution.h"
#include "primitives/sample_axes.h"
#include "primitives/window_kernels.h"
#include "program/pooled_places.h"

// Max pooling in two parts: which tap of each window holds the maximum (piecewise constant), and
// the element at that tap (linear). A Hessian product at a fixed point reads elements only.
namespace kappa {

const Primitive& kappa_primitive_window_argmax();
const Primitive& kappa_primitive_window_take();
const Primitive& kappa_primitive_window_put();

namespace {

// An array's axes: leading ones, spatial ones, and the samples where they stand last.
struct Axes {
  Shape leading;
  Dims extents;
  std::int64_t samples = 1;

  Axes(const char* verb, const WindowAttributes& window, const Type& type) {
    const std::size_t behind = window.rank() + (window.samples_last ? 1 : 0);
    if (window.rank() == 0 || type.shape.size() <= behind ||
        window.dilations.size() != window.rank() || window.pads_low.size() != window.rank() ||
        window.extents.size() != window.rank() || window.kernel.size() != window.rank()) {
      shape_error(verb, fmt::format("{} and a window of {} axes do not fit", to_string(type),
                                    window.rank()));
    }
    const auto first = type.shape.end() - static_cast<std::ptrdiff_t>(behind);
    leading.assign(type.shape.begin(), first);
    extents.assign(first, first + static_cast<std::ptrdiff_t>(window.rank()));
    if (window.samples_last) samples = type.shape.back();
  }
  [[nodiscard]] Shape with(const Dims& other_extents, bool samples_last) const {
    Shape shape = leading;
    shape.insert(shape.end(), other_extents.begin(), other_extents.end());
    if (samples_last) shape.push_back(samples);
    return shape;
  }
};

// For each window position and tap the element it meets, -1 outside; taps fastest.
std::vector<std::int64_t> make_table(const WindowAttributes& window, const Dims& input,
                                     const Dims& output) {
  std::vector<std::int64_t> table;
  for_each_position(output, [&](const Dims& at, std::int64_t) {
    for_each_position(window.kernel, [&](const Dims& tap, std::int64_t) {
      table.push_back(input_position(window, input, at, tap));
    });
  });
  return table;
}

Type infer_pair(const char* verb, const Attributes& attributes, std::span<const Type> operands,
                bool put) {
  const WindowAttributes window(attributes);
  const Axes values(verb, window, operands[0]), taps(verb, window, operands[1]);
  refuse_boolean(verb, operands[0]);
  if (operands[1].dtype != DType::i64) {
    throw Error(ErrorKind::type, fmt::format("[{}] operand 1, the taps, is {}; expected i64", verb,
                                             to_string(operands[1])));
  }
  // The shorter leading axes are repeated along one more of the other.
  const bool more = values.leading.size() > taps.leading.size();
  const Shape& longer = more ? values.leading : taps.leading;
  const Shape& shorter = more ? taps.leading : values.leading;
  const bool fits = longer.size() - shorter.size() <= 1 &&
                    std::equal(shorter.rbegin(), shorter.rend(), longer.rbegin()) &&
                    values.samples == taps.samples &&
                    (put ? values.extents == taps.extents : taps.extents == window.extents);
  if (!fits) {
    shape_error(verb, fmt::format("{} and taps {} do not fit", to_string(operands[0]),
                                  to_string(operands[1])));
  }
  return {operands[0].dtype, (more ? values : taps).with(window.extents, window.samples_last)};
}

WindowCall window_call(const KernelCall& call, const std::vector<std::int64_t>& table) {
  WindowCall result;
  const WindowAttributes window(call.attributes);
  result.table = table.data();
  result.num_taps = num_elements(window.kernel);
  result.samples = window.samples_last ? call.output_type.shape.back() : 1;
  result.accumulate = call.accumulate;
  return result;
}

template <class T>
void run_argmax(const KernelCall& call) {
  const WindowAttributes window(call.attributes);
  const Axes x("window_argmax", window, call.input_types[0]);
  const std::vector<std::int64_t> table = make_table(window, x.extents, window.extents);
  WindowCall w = window_call(call, table);
  w.planes = num_elements(x.leading);
  w.input_positions = num_elements(x.extents);
  w.output_positions = num_elements(window.extents);
  window_argmax(w, static_cast<const T*>(call.inputs[0]), static_cast<std::int64_t*>(call.output));
}

template <class T>
void run_pair(const KernelCall& call, bool put) {
  const WindowAttributes window(call.attributes);
  const Axes values("window", window, call.input_types[0]);
  const Axes taps("window", window, call.input_types[1]);
  const std::vector<std::int64_t> table =
      make_table(window, put ? window.extents : values.extents, taps.extents);
  WindowCall w = window_call(call, table);
  w.value_planes = num_elements(values.leading);
  w.tap_planes = num_elements(taps.leading);
  w.planes = std::max(w.value_planes, w.tap_planes);
  w.input_positions = num_elements(put ? window.extents : values.extents);
  w.output_positions = num_elements(taps.extents);
  const T* from = static_cast<const T*>(call.inputs[0]);
  const auto* which = static_cast<const std::int64_t*>(call.inputs[1]);
  T* to = static_cast<T*>(call.output);
  if (put) {
    window_put(w, from, which, to);
  } else {
    window_take(w, from, which, to);
  }
}

void run_pair(const KernelCall& call, bool put) {
  switch (call.output_type.dtype) {
    case DType::f64: return run_pair<double>(call, put);
    case DType::f32: return run_pair<float>(call, put);
    default: return run_pair<std::int64_t>(call, put);
  }
}

Array take_or_put(bool put, WindowAttributes window, Dims extents, const Array& values,
                  const Array& taps) {
  window.extents = std::move(extents);
  return apply(put ? kappa_primitive_window_put() : kappa_primitive_window_take(),
               window.attributes(), {values, taps});
}

Primitive pair(const char* name, const char* doc, bool put) {
  Primitive p;
  p.name = name;
  p.doc = doc;
  p.num_operands = 2;
  p.infer = [name, put](const Attributes& attributes, std::span<const Type> operands) {
    return infer_pair(name, attributes, operands, put);
  };
  p.linear_operands = {0};
  p.transpose = [name, put](const Call& call, int, const Array& cotangent) {
    const WindowAttributes window(call.attributes);
    const Array& values = call.operands[0];
    const Axes axes(name, window, values.node().type);
    const Array back = take_or_put(!put, window, axes.extents, cotangent, call.operands[1]);
    return back.rank() > values.rank() ? sum(back, {0}) : back;
  };
  p.batch = [put](const Call& call, const std::vector<bool>& batched, std::int64_t extent) {
    const WindowAttributes window(call.attributes);
    const std::size_t plain = window.rank() + 2;
    std::vector<bool> carried;
    for (std::size_t i = 0; i < 2; ++i) {
      carried.push_back(call.operands[i].shape().size() - (batched[i] ? 1 : 0) > plain);
    }
    if (!window.samples_last && batched[0] && batched[1] && !carried[0] && !carried[1]) {
      return split_samples(take_or_put(put, window, window.extents, merge_samples(call.operands[0]),
                                       merge_samples(call.operands[1])),
                           extent);
    }
    bool merged = false;
    const auto operands = merge_batches(call.operands, batched, carried, extent, merged);
    const Array result = take_or_put(put, window, window.extents, operands[0], operands[1]);
    if (!merged) return result;
    Shape shape = result.shape();
    shape[0] /= extent;
    return reshape(result, prepend(extent, shape));
  };
  p.kernel.run = [put](const KernelCall& call) { run_pair(call, put); };
  p.kernel.accumulates = true;
  p.samples = [put] {
    std::vector<Sample> samples;
    const auto sample = [&](Shape leading, Dims extents, Dims kernel, Window given,
                            std::int64_t inner, int lead) {
      const Window full = full_window("max_pool", given, extents.size());
      WindowAttributes window;
      window.strides = full.strides;
      window.dilations = full.dilations;
      window.pads_low = full.pads_low;
      window.samples_last = inner > 0;
      window.kernel = kernel;
      const Dims result = window_extents("max_pool", extents, kernel, full);
      window.extents = put ? extents : result;
      const auto shape = [&](const Dims& spatial, bool more) {
        Shape s = more ? prepend(2, leading) : leading;
        s.insert(s.end(), spatial.begin(), spatial.end());
        if (inner > 0) s.push_back(inner);
        return s;
      };
      const double last = static_cast<double>(num_elements(kernel));
      samples.push_back({{{DType::f64, shape(put ? result : extents, (lead & 1) != 0)},
                          {DType::i64, shape(result, (lead & 2) != 0)}},
                         window.attributes(),
                         {{-2, 2}, {0, last}}});
    };
    sample({2, 3}, {6}, {2}, {{2}, {}, {}, {}}, 0, 0);
    sample({1, 2}, {5, 4}, {3, 2}, {{2, 1}, {1, 2}, {1, 0}, {1, 1}}, 0, 0);
    sample({3}, {4, 4}, {2, 2}, {{2, 2}, {}, {}, {}}, 19, 0);
    sample({2}, {5, 3}, {3, 2}, {{1, 2}, {}, {1, 1}, {1, 0}}, 5, 1);
    sample({2}, {4}, {2}, {}, 3, 2);
    sample({2}, {3, 2, 2}, {2, 1, 2}, {}, 4, 3);
    sample({1, 2}, {4}, {2}, {}, 0, 2);
    return samples;
  };
  return p;
}

}  // namespace

KAPPA_PRIMITIVE(window_argmax) {
  Primitive p;
  p.name = "window_argmax";
  p.doc =
      "Which tap of the window at each position holds the largest element; of equal ones the "
      "first, of NaN the first. Padding never does.";
  p.infer = [](const Attributes& attributes, std::span<const Type> operands) {
    const WindowAttributes window(attributes);
    const Axes x("window_argmax", window, operands[0]);
    refuse_boolean("window_argmax", operands[0]);
    return Type{DType::i64, x.with(window.extents, window.samples_last)};
  };
  p.batch = [](const Call& call, const std::vector<bool>&, std::int64_t extent) {
    const auto argmax = [&](const Array& x) {
      return apply(kappa_primitive_window_argmax(), call.attributes, {x});
    };
    const WindowAttributes window(call.attributes);
    const Array& x = call.operands[0];
    if (window.samples_last || x.shape().size() != window.rank() + 3) return argmax(x);
    return split_samples(argmax(merge_samples(x)), extent);
  };
  p.kernel.run = [](const KernelCall& call) {
    switch (call.input_types[0].dtype) {
      case DType::f64: return run_argmax<double>(call);
      case DType::f32: return run_argmax<float>(call);
      default: return run_argmax<std::int64_t>(call);
    }
  };
  p.samples = [] {
    const auto sample = [](Shape shape, Dims kernel, Dims extents, Dims strides, Dims low,
                           bool last) {
      WindowAttributes window;
      window.strides = std::move(strides);
      window.dilations = Dims(kernel.size(), 1);
      window.pads_low = std::move(low);
      window.samples_last = last;
      window.extents = std::move(extents);
      window.kernel = std::move(kernel);
      return Sample{{{DType::f64, std::move(shape)}}, window.attributes()};
    };
    return std::vector<Sample>{sample({2, 3, 6}, {2}, {3}, {2}, {0}, false),
                               sample({1, 2, 5, 4}, {3, 3}, {5, 2}, {1, 2}, {1, 1}, false),
                               sample({2, 4, 4, 19}, {2, 2}, {2, 2}, {2, 2}, {0, 0}, true)};
  };
  return p;
}

KAPPA_PRIMITIVE(window_take) {
  return pair("window_take",
              "The element at the given tap of the window at each position; 0 "
              "where the tap lies outside.",
              false);
}

KAPPA_PRIMITIVE(window_put) {
  return pair("window_put",
              "The transpose of window_take: each position's value is added to the "
              "element at the given tap of its window.",
              true);
}

namespace {

// Attributes of pooling x, checked; no window holds padding alone.
WindowAttributes pooling(const char* verb, const Array& x, const Dims& kernel,
                         const Window& window) {
  if (x.is_literal() || x.rank() < 3 || static_cast<std::size_t>(x.rank()) != kernel.size() + 2) {
    shape_error(verb,
                fmt::format("x is {}, kernel {}; expected samples, channels and as many "
                            "spatial axes as the kernel",
                            x.is_literal() ? "a number" : to_string(x.shape()), to_string(kernel)));
  }
  const Window full = full_window(verb, window, kernel.size());
  const Dims extents(x.shape().begin() + 2, x.shape().end());
  WindowAttributes attributes;
  attributes.strides = full.strides;
  attributes.dilations = full.dilations;
  attributes.pads_low = full.pads_low;
  attributes.kernel = kernel;
  attributes.extents = window_extents(verb, extents, kernel, full);
  check_meetings(verb, attributes.extents, kernel);
  for (std::size_t i = 0; i < kernel.size(); ++i) {
    // The first tap at or behind the image's begin, from each window's own begin.
    for (std::int64_t at = 0; at < attributes.extents[i]; ++at) {
      const std::int64_t begin = at * full.strides[i] - full.pads_low[i];
      const std::int64_t taps =
          begin < 0 ? (-begin + full.dilations[i] - 1) / full.dilations[i] : 0;
      if (taps < kernel[i] && begin + taps * full.dilations[i] < extents[i]) continue;
      shape_error(verb, fmt::format("window {} on axis {} holds nothing but padding (kernel {}, "
                                    "pads {} and {})",
                                    at, i, to_string(kernel), to_string(full.pads_low),
                                    to_string(full.pads_high)));
    }
  }
  return attributes;
}

}  // namespace

Array max_pool(const Array& x, const Dims& kernel, const Window& window) {
  return take_at_maxima(x, x, kernel, window);
}

Array take_at_maxima(const Array& x, const Array& values, const Dims& kernel,
                     const Window& window) {
  const Attributes attributes = pooling("max_pool", x, kernel, window).attributes();
  const Array taps = apply(kappa_primitive_window_argmax(), attributes, {x});
  return apply(kappa_primitive_window_take(), attributes, {values, taps});
}

Array average_pool(const Array& x, const Dims& kernel, const Window& window, bool count_padding) {
  const WindowAttributes pool = pooling("average_pool", x, kernel, window);
  const DType dtype = promote(x.dtype(), DType::f32);
  const std::int64_t channels = x.shape()[1];
  Shape weight{channels, 1};
  weight.insert(weight.end(), kernel.begin(), kernel.end());
  const auto taps = static_cast<double>(num_elements(kernel));
  // A convolution of each channel with a constant kernel.
  const Array sums =
      convolution(x, full(x, count_padding ? 1 / taps : 1, weight, dtype), window, channels);
  if (count_padding) return sums;
  const Dims extents(x.shape().begin() + 2, x.shape().end());
  // Of a window's taps inside the image, a product over the axes: kept an axis each, for an image
  // of any size.
  Array means = sums;
  for (std::size_t i = 0; i < kernel.size(); ++i) {
    std::vector<double> shares;
    shares.reserve(static_cast<std::size_t>(pool.extents[i]));
    for (std::int64_t at = 0; at < pool.extents[i]; ++at) {
      std::int64_t count = 0;
      for (std::int64_t k = 0; k < kernel[i]; ++k) {
        const std::int64_t place = at * pool.strides[i] + k * pool.dilations[i] - pool.pads_low[i];
        if (place >= 0 && place < extents[i]) ++count;
      }
      shares.push_back(1 / static_cast<double>(count));
    }
    Shape along(kernel.size(), 1);
    along[i] = pool.extents[i];
    means = means * constant(x, shares, along, dtype);
  }
  return means;
}

}  // namespace kappa
