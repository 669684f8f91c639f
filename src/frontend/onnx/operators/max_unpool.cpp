#include "frontend/onnx/operator.h"
#include "program/type.h"

namespace kappa {

// What MaxPool chose put back to its places in an array of zeros. Indices count in the flattened
// array of the shape that follows from the kernel; output_shape adds zeros behind it.
KAPPA_ONNX_OPERATOR(MaxUnpool) {
  return {.first = 9, .build = [](OnnxCall& call) {
            const Array x = call.input(0);
            const Dims kernel = call.integers("kernel_shape");
            const Dims strides = call.integers("strides", Dims(kernel.size(), 1));
            const Dims pads = call.integers("pads", Dims(2 * kernel.size(), 0));
            if (x.shape().size() != kernel.size() + 2 || strides.size() != kernel.size() ||
                pads.size() != 2 * kernel.size()) {
              call.fail("kernel_shape, strides and pads need an entry a spatial axis");
            }
            for (const Dims* list : {&kernel, &strides, &pads}) {
              for (const std::int64_t extent : *list) {
                if (extent < 0 || extent > 1 << 20) call.fail("an extent out of range");
              }
            }
            Shape pooled = x.shape();
            for (std::size_t i = 0; i < kernel.size(); ++i) {
              if (x.shape()[i + 2] > 1 << 30) call.fail("an extent out of range");
              pooled[i + 2] = (x.shape()[i + 2] - 1) * strides[i] - pads[i] -
                              pads[kernel.size() + i] + kernel[i];
            }
            const Array flat = scatter_add(
                reshape(x, {x.size()}), reshape(call.input(1), {x.size()}), num_elements(pooled));
            const Array whole = reshape(flat, pooled);
            if (!call.has(2)) return std::vector<Array>{whole};
            const Shape shape = call.known_integers(2);
            Dims none(pooled.size(), 0), behind(pooled.size(), 0);
            if (shape.size() != pooled.size())
              call.fail("an output_shape of other axes than the data");
            for (std::size_t i = 0; i < shape.size(); ++i) {
              if (shape[i] < pooled[i]) call.fail("an output_shape smaller than what was pooled");
              behind[i] = shape[i] - pooled[i];
            }
            return std::vector<Array>{pad(whole, none, behind)};
          }};
}

}  // namespace kappa
