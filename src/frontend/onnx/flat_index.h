#pragma once

#include "frontend/onnx/operator.h"

namespace kappa {

/// Places in an array of `shape`, flattened, for indices that each name a place along one axis and
/// stand themselves for the others: index[i, j, k] -> (index[i, j, k], j, k) for axis 0.
Array flat_index_along(const Array& indices, const Shape& shape, std::int64_t axis);

/// Rows of an array whose axes up to the tuples' width are flattened: indices (..., width), of
/// which the first `batch` axes are the array's own. Result: the indices' shape without the last
/// axis.
Array flat_index_of_tuples(OnnxCall& call, const Array& indices, const Shape& shape,
                           std::int64_t batch);

}  // namespace kappa
