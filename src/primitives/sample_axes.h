#pragma once

#include "kappa/array.h"

namespace kappa {

// Samples of images in one axis where a batch has put another before it: one larger call in place
// of many small ones, in the shape that with_samples_last knows.

/// (B, N, ...) as (B N, ...).
inline Array merge_samples(const Array& x) {
  Shape shape(x.shape().begin() + 1, x.shape().end());
  shape[0] *= x.shape()[0];
  return reshape(x, shape);
}

/// (B N, ...) as (B, N, ...).
inline Array split_samples(const Array& x, std::int64_t extent) {
  Shape shape = x.shape();
  shape[0] /= extent;
  shape.insert(shape.begin(), extent);
  return reshape(x, shape);
}

}  // namespace kappa
