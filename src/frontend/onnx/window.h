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

/// `kernel` is the weights' where the node does not say.
OnnxWindow onnx_window(OnnxCall& call, const Shape& x, Dims kernel = {});

}  // namespace kappa
