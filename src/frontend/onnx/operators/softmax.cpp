// Softmax, LogSoftmax, Hardmax. Before opset 13 they run over all axes from `axis` on, as if the
// operand were a matrix; the default axis was 1 and is now the last.

#include "frontend/onnx/operator.h"
#include "program/type.h"

namespace kappa {
namespace {

template <class Function>
OnnxOperator along_axis(Function function) {
  return {.build = [function](OnnxCall& call) {
    const Array x = call.input(0);
    const std::int64_t axis =
        onnx_axis(call.integer("axis", call.opset() < 13 && x.rank() > 1 ? 1 : -1), x.rank());
    if (call.opset() >= 13 || axis == x.rank() - 1) return std::vector<Array>{function(x, axis)};
    const Shape shape = x.shape();
    const Shape matrix{num_elements({shape.begin(), shape.begin() + axis}),
                       num_elements({shape.begin() + axis, shape.end()})};
    return std::vector<Array>{reshape(function(reshape(x, matrix), 1), shape)};
  }};
}

// 1 at the first of the greatest entries.
Array hardmax(const Array& x, std::int64_t axis) {
  const std::int64_t extent = x.shape()[static_cast<std::size_t>(axis)];
  Shape along(static_cast<std::size_t>(x.rank()), 1);
  along[static_cast<std::size_t>(axis)] = extent;
  const Array place = reshape(iota(x, extent, DType::i64), along);
  const Array first =
      min(where(equal(x, max(x, {axis}, true)), place, static_cast<double>(extent)), {axis}, true);
  return convert(equal(place, first), x.dtype());
}

}  // namespace

KAPPA_ONNX_OPERATOR(Hardmax) { return along_axis(hardmax); }
KAPPA_ONNX_OPERATOR(LogSoftmax) {
  return along_axis([](const Array& x, std::int64_t axis) { return log_softmax(x, axis); });
}
KAPPA_ONNX_OPERATOR(Softmax) {
  return along_axis([](const Array& x, std::int64_t axis) { return softmax(x, axis); });
}

}  // namespace kappa
