// LayerNormalization, InstanceNormalization, GroupNormalization, RMSNormalization,
// MeanVarianceNormalization, LpNormalization: each divides by a measure of size taken over some
// axes.

#include "frontend/onnx/operator.h"
#include "program/type.h"

namespace kappa {
namespace {

using Outputs = std::vector<Array>;

Dims axes_from(std::int64_t first, std::int64_t rank) {
  Dims axes;
  for (std::int64_t axis = first; axis < rank; ++axis) axes.push_back(axis);
  return axes;
}

struct Standardised {
  Array value, mean, inverse_deviation;
};

// (x - mean) / sqrt(var + eps) over the axes.
Standardised standardise(const Array& x, const Dims& axes, double epsilon) {
  const Array average = mean(x, axes, true);
  const Array centred = x - average;
  const Array inverse = 1.0 / sqrt(mean(square(centred), axes, true) + epsilon);
  return {centred * inverse, average, inverse};
}

Array over_channels(const Array& v, std::int64_t rank) {
  Shape shape(static_cast<std::size_t>(rank - 1), 1);
  shape[0] = v.size();
  return reshape(v, shape);
}

}  // namespace

KAPPA_ONNX_OPERATOR(LayerNormalization) {
  return {.build = [](OnnxCall& call) {
    const Array x = call.input(0);
    const Dims axes = axes_from(onnx_axis(call.integer("axis", -1), x.rank()), x.rank());
    const Standardised z = standardise(x, axes, call.real("epsilon", 1e-5));
    Array y = z.value * call.input(1);
    if (call.has(2)) y = y + call.input(2);
    return Outputs{y, z.mean, z.inverse_deviation};
  }};
}

KAPPA_ONNX_OPERATOR(RMSNormalization) {
  return {.build = [](OnnxCall& call) {
    const Array x = call.input(0);
    const Dims axes = axes_from(onnx_axis(call.integer("axis", -1), x.rank()), x.rank());
    const Array size = mean(square(x), axes, true) + call.real("epsilon", 1e-5);
    return Outputs{x / sqrt(size) * call.input(1)};
  }};
}

KAPPA_ONNX_OPERATOR(InstanceNormalization) {
  return {.build = [](OnnxCall& call) {
    const Array x = call.input(0);
    if (x.rank() < 3) call.fail("data without spatial axes");
    const Standardised z = standardise(x, axes_from(2, x.rank()), call.real("epsilon", 1e-5));
    return Outputs{z.value * over_channels(call.input(1), x.rank()) +
                   over_channels(call.input(2), x.rank())};
  }};
}

// Channels in groups, standardised group by group. Scale and bias are a group's before opset 21 and
// a channel's from there on.
KAPPA_ONNX_OPERATOR(GroupNormalization) {
  return {.first = 18, .build = [](OnnxCall& call) {
            const Array x = call.input(0), scale = call.input(1), bias = call.input(2);
            const std::int64_t groups = call.integer("num_groups");
            if (x.rank() < 2 || groups < 1 || x.shape()[1] % groups != 0) {
              call.fail("channels that do not divide into the groups");
            }
            const std::int64_t channels = x.shape()[1], size = channels / groups;
            Shape split = x.shape();
            split[1] = groups;
            split.insert(split.begin() + 2, size);
            const auto rank = static_cast<std::int64_t>(split.size());
            const Standardised z =
                standardise(reshape(x, split), axes_from(2, rank), call.real("epsilon", 1e-5));
            const auto placed = [&](const Array& v) {
              Shape shape(static_cast<std::size_t>(rank - 1), 1);
              shape[0] = groups;
              if (v.size() == channels) shape[1] = size;
              return reshape(v, shape);
            };
            return Outputs{reshape(z.value * placed(scale) + placed(bias), x.shape())};
          }};
}

KAPPA_ONNX_OPERATOR(MeanVarianceNormalization) {
  return {.build = [](OnnxCall& call) {
    const Array x = call.input(0);
    const Dims axes = onnx_axes(call.integers("axes", {0, 2, 3}), x.rank());
    const Array centred = x - mean(x, axes, true);
    return Outputs{centred / (sqrt(mean(square(centred), axes, true)) + 1e-9)};
  }};
}

KAPPA_ONNX_OPERATOR(LpNormalization) {
  return {.build = [](OnnxCall& call) {
    const Array x = call.input(0);
    const std::int64_t axis = onnx_axis(call.integer("axis", -1), x.rank());
    const std::int64_t p = call.integer("p", 2);
    if (p != 1 && p != 2) call.fail("p = " + std::to_string(p) + "; 1 and 2 are known");
    const Array size = p == 1 ? sum(abs(x), {axis}, true) : sqrt(sum(square(x), {axis}, true));
    return Outputs{x / size};
  }};
}

}  // namespace kappa
