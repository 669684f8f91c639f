// Comparison and logic: results are boolean, and no derivative passes.

#include "frontend/onnx/operator.h"

namespace kappa {
namespace {

OnnxOperator predicate(Array (*function)(const Array&, const Array&)) {
  return {.build = [function](OnnxCall& call) {
    return std::vector<Array>{function(call.input(0), call.input(1))};
  }};
}

Array exclusive_or(const Array& a, const Array& b) { return not_equal(a, b); }

}  // namespace

KAPPA_ONNX_OPERATOR(And) { return predicate(logical_and); }
KAPPA_ONNX_OPERATOR(Equal) { return predicate(equal); }
KAPPA_ONNX_OPERATOR(Greater) { return predicate(greater); }
KAPPA_ONNX_OPERATOR(GreaterOrEqual) { return predicate(greater_equal); }
KAPPA_ONNX_OPERATOR(Less) { return predicate(less); }
KAPPA_ONNX_OPERATOR(LessOrEqual) { return predicate(less_equal); }
KAPPA_ONNX_OPERATOR(Or) { return predicate(logical_or); }
KAPPA_ONNX_OPERATOR(Xor) { return predicate(exclusive_or); }

}  // namespace kappa
