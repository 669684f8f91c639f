#include "frontend/onnx/window.h"

namespace kappa {
namespace {

// output_shape or auto_pad give the result's extents, and with them the padding.
void pad_to_extents(OnnxCall& call, const Shape& x, OnnxWindow& window, Dims& output_padding) {
  const std::string automatic = call.text("auto_pad", "NOTSET");
  Dims wanted = call.integers("output_shape");
  const std::size_t axes = x.size() - 2;
  const bool same = automatic == "SAME_UPPER" || automatic == "SAME_LOWER";
  if (wanted.empty() && !same) return;
  if (wanted.size() == axes + 2) wanted.erase(wanted.begin(), wanted.begin() + 2);
  if (!wanted.empty() && wanted.size() != axes) call.fail("output_shape needs one entry an axis");
  for (std::size_t i = 0; i < axes; ++i) {
    if (!wanted.empty() && (wanted[i] < 1 || wanted[i] > std::int64_t{1} << 40)) {
      call.fail("an output_shape out of range");
    }
    const std::int64_t stride = window.window.strides[i];
    const std::int64_t reach = (window.kernel[i] - 1) * window.window.dilations[i] + 1;
    const std::int64_t extent = wanted.empty() ? x[i + 2] * stride : wanted[i];
    std::int64_t total = stride * (x[i + 2] - 1) + output_padding[i] + reach - extent;
    if (total < 0) {  // more than the kernel reaches: zeros at the end
      output_padding[i] -= total;
      total = 0;
    }
    // The larger half stands in front, unless the extents are kept at the upper end.
    const std::int64_t low = automatic == "SAME_UPPER" ? total / 2 : total - total / 2;
    window.window.pads_low[i] = low;
    window.window.pads_high[i] = total - low;
  }
}

}  // namespace

KAPPA_ONNX_OPERATOR(ConvTranspose) {
  return {.note = "1 to 3 spatial axes", .build = [](OnnxCall& call) {
            const Array x = call.input(0), weight = call.input(1), bias = call.optional_input(2);
            OnnxWindow window = onnx_window(call, x, weight);
            Dims output_padding = call.integers("output_padding", Dims(window.kernel.size(), 0));
            if (output_padding.size() != window.kernel.size()) {
              call.fail("output_padding needs one entry an axis");
            }
            for (const std::int64_t more : output_padding) {
              if (more < 0 || more > 1 << 30) call.fail("an output_padding out of range");
            }
            pad_to_extents(call, x.shape(), window, output_padding);
            const Array y = convolution_transpose(x, weight, window.window, output_padding,
                                                  call.integer("group", 1));
            return std::vector<Array>{plus_channel_bias(y, bias)};
          }};
}

}  // namespace kappa
