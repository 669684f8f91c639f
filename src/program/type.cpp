#include "program/type.h"

#include <fmt/format.h>

#include <algorithm>

#include "kappa/error.h"

namespace kappa {

std::int64_t num_elements(const Shape& shape) {
  constexpr std::int64_t limit = std::int64_t{1} << 58;  // so that bytes fit as well
  std::int64_t count = 1;
  bool empty = false;
  for (const std::int64_t extent : shape) {
    if (extent < 0) throw Error(ErrorKind::shape, "negative extent in shape " + to_string(shape));
    if (extent == 0) {  // nothing to store, yet strides are products of the other extents
      empty = true;
      continue;
    }
    if (count > limit / extent) {
      throw Error(ErrorKind::resource, "shape " + to_string(shape) + " has too many elements");
    }
    count *= extent;
  }
  return empty ? 0 : count;
}

std::string to_string(DType dtype) {
  switch (dtype) {
    case DType::f64: return "f64";
    case DType::f32: return "f32";
    case DType::i64: return "i64";
    case DType::boolean: return "bool";
  }
  return "?";
}

std::string to_string(const Shape& shape) { return fmt::format("({})", fmt::join(shape, ", ")); }

std::string to_string(const Type& type) { return to_string(type.dtype) + to_string(type.shape); }

Dims contiguous_strides(const Shape& shape) {
  num_elements(shape);  // refuses what would overflow
  Dims strides(shape.size());
  std::int64_t stride = 1;
  for (std::size_t i = shape.size(); i-- > 0;) {
    strides[i] = stride;
    stride *= shape[i];
  }
  return strides;
}

Shape broadcast_shapes(const Shape& a, const Shape& b, const char* verb) {
  if (a == b) return a;
  Shape result(std::max(a.size(), b.size()));
  for (std::size_t i = 0; i < result.size(); ++i) {
    const std::int64_t da = i < a.size() ? a[a.size() - 1 - i] : 1;
    const std::int64_t db = i < b.size() ? b[b.size() - 1 - i] : 1;
    if (da != db && da != 1 && db != 1) {
      throw Error(ErrorKind::shape, fmt::format("[{}] shapes {} and {} do not fit: extents {} and "
                                                "{} must be equal, or one of them 1",
                                                verb, to_string(a), to_string(b), da, db));
    }
    result[result.size() - 1 - i] = da == 1 ? db : da;
  }
  return result;
}

std::int64_t normalize_axis(std::int64_t axis, std::int64_t rank, const char* verb) {
  if (axis < -rank || axis >= rank) {
    throw Error(ErrorKind::shape,
                fmt::format("[{}] axis {} of an array with {} axes", verb, axis, rank));
  }
  return axis < 0 ? axis + rank : axis;
}

Dims normalize_axes(const Dims& axes, std::int64_t rank, const char* verb) {
  Dims result;
  if (axes.empty()) {
    for (std::int64_t i = 0; i < rank; ++i) result.push_back(i);
    return result;
  }
  for (const std::int64_t axis : axes) result.push_back(normalize_axis(axis, rank, verb));
  std::sort(result.begin(), result.end());
  if (std::adjacent_find(result.begin(), result.end()) != result.end()) {
    throw Error(ErrorKind::shape, fmt::format("[{}] an axis is named twice", verb));
  }
  return result;
}

}  // namespace kappa
