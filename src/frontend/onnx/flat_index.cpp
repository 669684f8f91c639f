#include "frontend/onnx/flat_index.h"

#include "program/type.h"

namespace kappa {
namespace {

// Indices counted from the end made non-negative.
Array from_start(const Array& indices, std::int64_t extent) {
  return where(indices < 0.0, indices + static_cast<double>(extent), indices);
}

// stride * (0, 1, ...) along one axis, 1 along the others.
Array steps_along(const Array& like, std::int64_t extent, std::size_t axis, std::size_t rank,
                  std::int64_t stride) {
  Shape shape(rank, 1);
  shape[axis] = extent;
  return reshape(iota(like, extent, DType::i64) * static_cast<double>(stride), shape);
}

}  // namespace

Array flat_index_along(const Array& indices, const Shape& shape, std::int64_t axis) {
  const Dims strides = contiguous_strides(shape);
  const auto along = static_cast<std::size_t>(axis);
  Array places = from_start(indices, shape[along]) * static_cast<double>(strides[along]);
  for (std::size_t d = 0; d < shape.size(); ++d) {
    if (d == along) continue;
    places = places + steps_along(indices, indices.shape()[d], d, shape.size(), strides[d]);
  }
  return places;
}

Array flat_index_of_tuples(OnnxCall& call, const Array& indices, const Shape& shape,
                           std::int64_t batch) {
  if (indices.rank() < 1) call.fail("indices without an axis of tuples");
  const std::int64_t width = indices.shape().back();
  const auto rank = static_cast<std::int64_t>(shape.size());
  if (batch < 0 || batch >= indices.rank() || width < 1 || width > rank - batch) {
    call.fail("tuples of " + std::to_string(width) + " indices into " + std::to_string(rank) +
              " axes");
  }
  const Dims strides = contiguous_strides({shape.begin(), shape.begin() + batch + width});
  const Shape outer(indices.shape().begin(), indices.shape().end() - 1);
  Array places;
  for (std::int64_t k = 0; k < width; ++k) {
    Dims low(indices.shape().size(), 0), high = indices.shape();
    low.back() = k;
    high.back() = k + 1;
    const auto d = static_cast<std::size_t>(batch + k);
    const Array one = from_start(reshape(slice(indices, low, high), outer), shape[d]) *
                      static_cast<double>(strides[d]);
    places = k == 0 ? one : places + one;
  }
  for (std::int64_t b = 0; b < batch; ++b) {
    const auto d = static_cast<std::size_t>(b);
    places = places + steps_along(indices, outer[d], d, outer.size(), strides[d]);
  }
  return places;
}

}  // namespace kappa
