#include "frontend/onnx/operator.h"
#include "program/type.h"

namespace kappa {

// Places of the entries that are not zero, (axes, count): the result's shape depends on values.
KAPPA_ONNX_OPERATOR(NonZero) {
  return {.first = 9, .note = "the array must be known in advance", .build = [](OnnxCall& call) {
            const Tensor x = call.known(0);
            const Dims strides = contiguous_strides(x.shape());
            Dims found;
            for (std::int64_t i = 0; i < x.size(); ++i) {
              if (x.at(i) != 0) found.push_back(i);
            }
            Dims places;
            for (std::size_t d = 0; d < strides.size(); ++d) {
              for (const std::int64_t i : found) places.push_back(i / strides[d] % x.shape()[d]);
            }
            return std::vector<Array>{
                reshape(call.integers_constant(places), {static_cast<std::int64_t>(strides.size()),
                                                         static_cast<std::int64_t>(found.size())})};
          }};
}

}  // namespace kappa
