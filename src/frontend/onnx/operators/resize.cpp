// Resize and Upsample: axis by axis, an entry of the result is a weighted sum of a few entries of
// the operand, whose places and weights are constants. Places and weights follow the formulas of
// ONNX's documentation of Resize.

#include <algorithm>
#include <cmath>

#include "frontend/onnx/operator.h"

namespace kappa {
namespace {

struct Sampling {
  std::string mode = "nearest";      // nearest, linear, cubic
  std::string place = "asymmetric";  // coordinate_transformation_mode
  std::string nearest = "floor";     // nearest_mode
  double cubic = -0.75;
  bool exclude_outside = false, antialias = false;
  double extrapolation = 0;
};

struct Axis {
  std::int64_t extent, result;
  double scale;
  double start = 0, end = 1;  // region of tf_crop_and_resize
};

double source_place(OnnxCall& call, const Sampling& how, const Axis& axis, std::int64_t i) {
  const auto x = static_cast<double>(i), in = static_cast<double>(axis.extent);
  const double out = axis.scale * in;  // before it is cut to a whole number
  if (how.place == "half_pixel") return (x + 0.5) / axis.scale - 0.5;
  if (how.place == "half_pixel_symmetric") {
    const double adjustment = static_cast<double>(axis.result) / out;
    return in / 2 * (1 - adjustment) + (x + 0.5) / axis.scale - 0.5;
  }
  if (how.place == "pytorch_half_pixel") return out > 1 ? (x + 0.5) / axis.scale - 0.5 : -0.5;
  if (how.place == "align_corners") return axis.result > 1 ? x * (in - 1) / (out - 1) : 0;
  if (how.place == "asymmetric") return x / axis.scale;
  if (how.place == "tf_half_pixel_for_nn") return (x + 0.5) / axis.scale;
  if (how.place == "tf_crop_and_resize") {
    return out > 1 ? axis.start * (in - 1) + x * (axis.end - axis.start) * (in - 1) / (out - 1)
                   : 0.5 * (axis.start + axis.end) * (in - 1);
  }
  call.fail("coordinate_transformation_mode '" + how.place + "'");
}

double cubic_weight(double distance, double a) {
  const double t = std::abs(distance);
  if (t <= 1) return ((a + 2) * t - (a + 3)) * t * t + 1;
  if (t < 2) return ((a * t - 5 * a) * t + 8 * a) * t - 4 * a;
  return 0;
}

std::int64_t nearest_place(OnnxCall& call, const std::string& mode, double x) {
  if (mode == "floor") return static_cast<std::int64_t>(std::floor(x));
  if (mode == "ceil") return static_cast<std::int64_t>(std::ceil(x));
  if (mode == "round_prefer_floor") return static_cast<std::int64_t>(std::ceil(x - 0.5));
  if (mode == "round_prefer_ceil") return static_cast<std::int64_t>(std::floor(x + 0.5));
  call.fail("nearest_mode '" + mode + "'");
}

// Places (first, first + 1, ...) and their weights for a result at x.
struct Taps {
  std::int64_t first;
  std::vector<double> weights;
};

Taps taps_at(OnnxCall& call, const Sampling& how, const Axis& axis, double x) {
  if (how.mode == "nearest") return {nearest_place(call, how.nearest, x), {1}};
  // A shrinking axis is smoothed by widening the kernel.
  const double shrink = how.antialias ? std::min(axis.scale, 1.0) : 1;
  const bool cubic = how.mode == "cubic";
  const double reach = (cubic ? 2 : 1) / shrink;
  // The pixel on the left of x counts as its base, also where x is itself a pixel.
  const double base = x == std::floor(x) ? x - 1 : std::floor(x);
  const auto start = static_cast<std::int64_t>(std::floor(-reach)) + 1;
  Taps taps{static_cast<std::int64_t>(base) + start, {}};
  double total = 0;
  for (std::int64_t k = start; k < 2 - start; ++k) {
    const double distance = (static_cast<double>(k) - (x - base)) * shrink;
    double weight =
        cubic ? cubic_weight(distance, how.cubic) : std::max(0.0, 1 - std::abs(distance));
    const std::int64_t place = static_cast<std::int64_t>(base) + k;
    if (how.exclude_outside && (place < 0 || place >= axis.extent)) weight = 0;
    taps.weights.push_back(weight);
    total += weight;
  }
  for (double& weight : taps.weights) weight /= total;
  return taps;
}

Array resize_axis(OnnxCall& call, const Array& x, std::int64_t along, const Sampling& how,
                  const Axis& axis) {
  std::vector<Taps> all;
  std::size_t count = 0;
  Array result;
  bool outside = false;
  std::vector<double> inside;
  for (std::int64_t i = 0; i < axis.result; ++i) {
    const double place = source_place(call, how, axis, i);
    if (!(std::abs(place) < 0x1p53)) call.fail("a region out of range");
    all.push_back(taps_at(call, how, axis, place));
    count = std::max(count, all.back().weights.size());
    const bool in = how.place != "tf_crop_and_resize" ||
                    (place >= 0 && place <= static_cast<double>(axis.extent - 1));
    inside.push_back(in ? 1 : 0);
    outside = outside || !in;
  }
  Shape column(x.shape().size(), 1);
  column[static_cast<std::size_t>(along)] = axis.result;
  for (std::size_t k = 0; k < count; ++k) {
    Dims places;
    std::vector<double> weights;
    for (const Taps& taps : all) {
      places.push_back(
          std::clamp<std::int64_t>(taps.first + static_cast<std::int64_t>(k), 0, axis.extent - 1));
      weights.push_back(k < taps.weights.size() ? taps.weights[k] : 0);
    }
    Array term = gather(x, call.integers_constant(places), along);
    if (how.mode != "nearest") term = term * constant(x, weights, column, x.dtype());
    result = k == 0 ? term : result + term;
  }
  if (outside) {
    result =
        where(not_equal(constant(x, inside, column, x.dtype()), 0.0), result, how.extrapolation);
  }
  return result;
}

// `sizes` or `scales` may be empty, and follow from the other.
std::vector<Array> resize(OnnxCall& call, const Sampling& how, const Dims& axes,
                          const std::vector<double>& scales, const Dims& sizes,
                          const std::vector<double>& region) {
  Array x = call.input(0);
  if (how.mode != "nearest" && how.mode != "linear" && how.mode != "cubic") {
    call.fail("mode '" + how.mode + "'");
  }
  const std::size_t count = axes.size();
  if ((scales.empty() && sizes.empty()) || (!scales.empty() && scales.size() != count) ||
      (!sizes.empty() && sizes.size() != count) ||
      (how.place == "tf_crop_and_resize" && region.size() != 2 * count)) {
    call.fail("scales, sizes or the region do not have an entry an axis");
  }
  for (std::size_t i = 0; i < axes.size(); ++i) {
    const std::int64_t extent = x.shape()[static_cast<std::size_t>(axes[i])];
    Axis axis{extent, 0, 1};
    if (extent == 0) call.fail("an axis without entries");
    axis.scale =
        scales.empty() ? static_cast<double>(sizes[i]) / static_cast<double>(extent) : scales[i];
    const double result = sizes.empty() ? std::floor(static_cast<double>(extent) * axis.scale)
                                        : static_cast<double>(sizes[i]);
    if (!(axis.scale > 0) || !(result >= 1 && result < 0x1p24))
      call.fail("a scale or size out of range");
    axis.result = static_cast<std::int64_t>(result);
    if (how.place == "tf_crop_and_resize") {
      axis.start = region[i];
      axis.end = region[count + i];
    }
    if (axis.result == extent && axis.scale == 1 && how.place != "tf_crop_and_resize") continue;
    x = resize_axis(call, x, axes[i], how, axis);
  }
  return {x};
}

Dims all_axes(const Array& x) {
  Dims axes;
  for (std::int64_t i = 0; i < x.rank(); ++i) axes.push_back(i);
  return axes;
}

// Axes that keep their ratio have one scale: the least, or the greatest, that the sizes ask for.
void keep_ratio(const Array& x, const Dims& axes, bool greatest, Dims& sizes,
                std::vector<double>& scales) {
  for (std::size_t i = 0; i < axes.size(); ++i) {
    const std::int64_t extent = x.shape()[static_cast<std::size_t>(axes[i])];
    scales.push_back(static_cast<double>(sizes[i]) /
                     static_cast<double>(std::max<std::int64_t>(extent, 1)));
  }
  const auto [low, high] = std::minmax_element(scales.begin(), scales.end());
  scales.assign(scales.size(), greatest ? *high : *low);
  for (std::size_t i = 0; i < axes.size(); ++i) {
    const auto extent = static_cast<double>(x.shape()[static_cast<std::size_t>(axes[i])]);
    // What is too large for resize() stays so.
    sizes[i] = static_cast<std::int64_t>(std::min(std::floor(scales[i] * extent + 0.5), 0x1p24));
  }
}

}  // namespace

KAPPA_ONNX_OPERATOR(Resize) {
  return {.first = 10, .build = [](OnnxCall& call) {
            const Array x = call.input(0);
            Sampling how;
            how.mode = call.text("mode", "nearest");
            if (call.opset() < 11) {
              return resize(call, how, all_axes(x), call.known_numbers(1), {}, {});
            }
            how.place = call.text("coordinate_transformation_mode", "half_pixel");
            how.nearest = call.text("nearest_mode", "round_prefer_floor");
            how.cubic = call.real("cubic_coeff_a", -0.75);
            how.exclude_outside = call.integer("exclude_outside", 0) != 0;
            how.antialias = call.integer("antialias", 0) != 0;
            how.extrapolation = call.real("extrapolation_value", 0);
            const Dims axes = call.has_attribute("axes")
                                  ? onnx_axes(call.integers("axes"), x.rank())
                                  : all_axes(x);
            std::vector<double> region, scales;
            Dims sizes;
            if (call.has(1)) region = call.known_numbers(1);
            if (call.has(2)) scales = call.known_numbers(2);
            if (scales.empty()) sizes = call.known_integers(3);
            const std::string policy = call.text("keep_aspect_ratio_policy", "stretch");
            if (scales.empty() && policy != "stretch" && sizes.size() == axes.size()) {
              keep_ratio(x, axes, policy == "not_smaller", sizes, scales);
            }
            return resize(call, how, axes, scales, sizes, region);
          }};
}

KAPPA_ONNX_OPERATOR(Upsample) {
  return {.first = 7, .last = 9, .build = [](OnnxCall& call) {
            Sampling how;
            how.mode = call.text("mode", "nearest");
            return resize(call, how, all_axes(call.input(0)),
                          call.opset() < 9 ? call.reals("scales") : call.known_numbers(1), {}, {});
          }};
}

}  // namespace kappa
