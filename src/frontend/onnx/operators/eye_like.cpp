#include "frontend/onnx/operator.h"

namespace kappa {

KAPPA_ONNX_OPERATOR(EyeLike) {
  return {.first = 9, .build = [](OnnxCall& call) {
            const Array x = call.input(0);
            if (x.rank() != 2) call.fail("an array that is no matrix");
            const DType dtype =
                call.has_attribute("dtype") ? call.computed(call.integer("dtype")) : x.dtype();
            const std::int64_t rows = x.shape()[0], columns = x.shape()[1];
            const Array above = reshape(iota(x, columns, DType::i64), {1, columns}) -
                                reshape(iota(x, rows, DType::i64), {rows, 1});
            return std::vector<Array>{
                convert(equal(above, static_cast<double>(call.integer("k", 0))), dtype)};
          }};
}

}  // namespace kappa
