#include "frontend/onnx/operator.h"

namespace kappa {

// Each index becomes `depth` entries along a new axis: values[1] at its place (from the end where
// negative, nowhere where out of range), values[0] elsewhere.
KAPPA_ONNX_OPERATOR(OneHot) {
  return {.first = 9, .build = [](OnnxCall& call) {
            Array indices = convert(call.input(0), DType::i64);
            const Dims depth = call.known_integers(1);
            const Array values = call.input(2);
            if (depth.size() != 1 || depth[0] < 0 || values.size() != 2) {
              call.fail("depth must be one number, and values two");
            }
            const std::int64_t axis = onnx_axis(call.integer("axis", -1), indices.rank() + 1);
            Shape raised = indices.shape(), along(indices.shape().size() + 1, 1);
            raised.insert(raised.begin() + axis, 1);
            along[static_cast<std::size_t>(axis)] = depth[0];
            const auto extent = static_cast<double>(depth[0]);
            indices = where(indices < 0.0, indices + extent, indices);
            const Array on = equal(reshape(indices, raised),
                                   reshape(iota(indices, depth[0], DType::i64), along));
            if (values.dtype() == DType::boolean) {
              return std::vector<Array>{
                  where(on, convert(values[1], DType::i64), convert(values[0], DType::i64))};
            }
            return std::vector<Array>{where(on, values[1], values[0])};
          }};
}

}  // namespace kappa
