#include "frontend/onnx/entries.h"

#include <string>

#include "kappa/error.h"

namespace kappa {

Array entry_along(const Array& x, std::int64_t axis, std::int64_t index) {
  if (axis < 0 || axis >= x.rank()) {
    throw Error(ErrorKind::shape, "an entry along axis " + std::to_string(axis) +
                                      " of an array of " + std::to_string(x.rank()) + " axes");
  }
  Dims low(x.shape().size(), 0), high = x.shape();
  Shape shape = x.shape();
  low[static_cast<std::size_t>(axis)] = index;
  high[static_cast<std::size_t>(axis)] = index + 1;
  shape.erase(shape.begin() + axis);
  return reshape(slice(x, low, high), shape);
}

Array stacked(const std::vector<Array>& entries, std::int64_t axis) {
  std::vector<Array> raised;
  for (const Array& entry : entries) {
    Shape shape = entry.shape();
    shape.insert(shape.begin() + axis, 1);
    raised.push_back(reshape(entry, shape));
  }
  return concat(raised, axis);
}

}  // namespace kappa
