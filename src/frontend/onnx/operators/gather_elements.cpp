#include "frontend/onnx/flat_index.h"
#include "frontend/onnx/operator.h"

namespace kappa {

// y[i, j, ...] = x[index[i, j, ...], j, ...] for axis 0: one gather from the flattened operand.
KAPPA_ONNX_OPERATOR(GatherElements) {
  return {.build = [](OnnxCall& call) {
    const Array x = call.input(0), indices = call.input(1);
    const std::int64_t axis = onnx_axis(call.integer("axis", 0), x.rank());
    if (indices.rank() != x.rank()) call.fail("indices and data of different numbers of axes");
    return std::vector<Array>{
        gather(reshape(x, {x.size()}), flat_index_along(indices, x.shape(), axis))};
  }};
}

}  // namespace kappa
