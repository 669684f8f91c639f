#include "frontend/onnx/operator.h"

namespace kappa {

// (x - zero) * scale, scale and zero for all entries or along an axis.
KAPPA_ONNX_OPERATOR(DequantizeLinear) {
  return {.first = 10, .note = "no blocks", .build = [](OnnxCall& call) {
            const Array x = call.input(0);
            if (call.integer("block_size", 0) != 0) call.fail("scales a block");
            const auto over_axis = [&](const Array& v) {
              if (v.size() == 1) return reshape(v, {});
              Shape shape(x.shape().size(), 1);
              shape[static_cast<std::size_t>(onnx_axis(call.integer("axis", 1), x.rank()))] =
                  v.size();
              return reshape(v, shape);
            };
            const Array scale = over_axis(call.input(1));
            const Array whole = call.has(2) ? x - over_axis(call.input(2)) : x;
            return std::vector<Array>{convert(whole, scale.dtype()) * scale};
          }};
}

}  // namespace kappa
