#include "frontend/onnx/window.h"

#include <algorithm>

#include "program/type.h"

namespace kappa {

OnnxWindow onnx_window(OnnxCall& call, const Shape& x, Dims kernel) {
  if (x.size() < 3) call.fail("an array of shape " + to_string(x) + " has no spatial axes");
  const std::size_t axes = x.size() - 2;
  kernel = call.integers("kernel_shape", kernel);
  const Dims ones(axes, 1);
  Window window{call.integers("strides", ones), call.integers("dilations", ones), Dims(axes, 0),
                Dims(axes, 0)};
  const Dims pads = call.integers("pads", Dims(2 * axes, 0));
  const std::string automatic = call.text("auto_pad", "NOTSET");
  if (kernel.size() != axes || window.strides.size() != axes || window.dilations.size() != axes ||
      pads.size() != 2 * axes) {
    call.fail("kernel_shape, strides, dilations or pads do not have one entry a spatial axis");
  }
  const bool ceil = call.integer("ceil_mode", 0) != 0;
  Dims extra(axes, 0);
  for (std::size_t i = 0; i < axes; ++i) {
    const std::int64_t extent = x[i + 2], stride = window.strides[i];
    const std::int64_t limit = std::int64_t{1} << 30;
    if (std::max(pads[i], pads[axes + i]) > limit || std::min(pads[i], pads[axes + i]) < -limit) {
      call.fail("more padding than makes sense");
    }
    if (kernel[i] < 1 || stride < 1 || window.dilations[i] < 1 || kernel[i] > limit ||
        stride > limit || window.dilations[i] > limit) {
      call.fail("kernel, strides and dilations must be at least 1");
    }
    const std::int64_t reach = (kernel[i] - 1) * window.dilations[i] + 1;
    if (automatic == "SAME_UPPER" || automatic == "SAME_LOWER") {
      const std::int64_t count = (extent + stride - 1) / stride;
      const std::int64_t total = std::max<std::int64_t>(0, (count - 1) * stride + reach - extent);
      const std::int64_t less = total / 2;
      window.pads_low[i] = automatic == "SAME_UPPER" ? less : total - less;
      window.pads_high[i] = total - window.pads_low[i];
    } else if (automatic == "NOTSET" || automatic.empty()) {
      window.pads_low[i] = pads[i];
      window.pads_high[i] = pads[axes + i];
    } else if (automatic != "VALID") {
      call.fail("auto_pad " + automatic);
    }
    const std::int64_t padded = extent + window.pads_low[i] + window.pads_high[i];
    if (ceil && padded >= reach) {
      std::int64_t count = (padded - reach + stride - 1) / stride + 1;
      // A last window that would begin in the padding behind the array is left out.
      if ((count - 1) * stride >= extent + window.pads_low[i]) --count;
      extra[i] = std::max<std::int64_t>(0, (count - 1) * stride + reach - padded);
      window.pads_high[i] += extra[i];
    }
  }
  return {window, kernel, extra};
}

OnnxWindow onnx_window(OnnxCall& call, const Array& x, const Array& weight) {
  if (weight.rank() != x.rank()) call.fail("weights and data of different ranks");
  const Shape& w = weight.shape();
  return onnx_window(call, x.shape(),
                     Dims(w.begin() + std::min<std::ptrdiff_t>(2, weight.rank()), w.end()));
}

Array plus_channel_bias(const Array& y, const Array& bias) {
  if (!bias.defined()) return y;
  Shape along(static_cast<std::size_t>(y.rank() - 1), 1);
  along[0] = bias.size();
  return y + reshape(bias, along);
}

}  // namespace kappa
