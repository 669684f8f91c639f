#include "frontend/onnx/operator.h"

namespace kappa {

// The upper or lower triangle of the last two axes, the diagonal moved by k.
KAPPA_ONNX_OPERATOR(Trilu) {
  return {.first = 14, .build = [](OnnxCall& call) {
            const Array x = call.input(0);
            if (x.rank() < 2) call.fail("an array without two axes");
            const std::int64_t rows = x.shape().end()[-2], columns = x.shape().back();
            const auto k = static_cast<double>(call.has(1) ? call.known_integer(1) : 0);
            const Array above = reshape(iota(x, columns, DType::i64), {1, columns}) -
                                reshape(iota(x, rows, DType::i64), {rows, 1});
            const Array kept = call.integer("upper", 1) != 0 ? above >= k : above <= k;
            if (x.dtype() == DType::boolean) return std::vector<Array>{logical_and(x, kept)};
            return std::vector<Array>{
                where(broadcast_to(kept, x.shape()), x, call.zeros(x.shape(), x.dtype()))};
          }};
}

}  // namespace kappa
