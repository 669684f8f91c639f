#include "frontend/onnx/flat_index.h"
#include "frontend/onnx/operator.h"
#include "program/type.h"

namespace kappa {

// The last axis of the indices names places of the axes behind the batch axes.
KAPPA_ONNX_OPERATOR(GatherND) {
  return {.build = [](OnnxCall& call) {
    const Array x = call.input(0), indices = call.input(1);
    const std::int64_t batch = call.integer("batch_dims", 0);
    const Array places = flat_index_of_tuples(call, indices, x.shape(), batch);
    const std::int64_t width = indices.shape().back();
    const Shape& shape = x.shape();
    const Shape inner(shape.begin() + batch + width, shape.end());
    const std::int64_t slice_size = num_elements(inner);
    const std::int64_t rows = slice_size == 0 ? 0 : x.size() / slice_size;
    Shape result = places.shape();
    result.insert(result.end(), inner.begin(), inner.end());
    return std::vector<Array>{reshape(gather(reshape(x, {rows, slice_size}), places), result)};
  }};
}

}  // namespace kappa
