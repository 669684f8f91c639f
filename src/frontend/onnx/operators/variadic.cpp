// Sum, Mean, Max, Min: any number of operands that broadcast.

#include "frontend/onnx/operator.h"

namespace kappa {
namespace {

Array fold(const std::vector<Array>& x, Array (*function)(const Array&, const Array&)) {
  Array result = x[0];
  for (std::size_t i = 1; i < x.size(); ++i) result = function(result, x[i]);
  return result;
}

OnnxOperator folded(Array (*function)(const Array&, const Array&)) {
  return {.build = [function](OnnxCall& call) {
    return std::vector<Array>{fold(call.inputs(), function)};
  }};
}

Array plus(const Array& a, const Array& b) { return a + b; }

}  // namespace

KAPPA_ONNX_OPERATOR(Max) { return folded(maximum); }
KAPPA_ONNX_OPERATOR(Min) { return folded(minimum); }
KAPPA_ONNX_OPERATOR(Sum) { return folded(plus); }
KAPPA_ONNX_OPERATOR(Mean) {
  return {.build = [](OnnxCall& call) {
    const std::vector<Array> x = call.inputs();
    return std::vector<Array>{fold(x, plus) * (1.0 / static_cast<double>(x.size()))};
  }};
}

}  // namespace kappa
