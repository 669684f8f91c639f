#pragma once

#include "frontend/onnx/operator.h"
#include "kappa/convolution.h"

namespace kappa {

/// kernel_shape, strides, dilations, pads and auto_pad of a convolution or pooling node for x (N,
/// C, spatial...). With ceil_mode the padding at the end grows so that a last window, cut short,
/// fits; `extra` says by how much: those places are no padding that counts.
struct OnnxWindow {
  Window window;
  Dims kernel;
  Dims extra;
};

/// `kernel` is taken where the node does not say.
OnnxWindow onnx_window(OnnxCall& call, const Shape& x, Dims kernel = {});
/// Of a convolution: the kernel is that of the weights, which have the rank of x.
OnnxWindow onnx_window(OnnxCall& call, const Array& x, const Array& weight);

/// y + bias along the axis of channels; y where there is no bias.
Array plus_channel_bias(const Array& y, const Array& bias);

}  // namespace kappa
