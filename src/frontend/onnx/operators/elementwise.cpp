// Operators that are one elementwise function of one array: a line each, since the function is all
// there is to say.

#include "frontend/onnx/operator.h"

namespace kappa {
namespace {

Array reciprocal(const Array& x) { return 1.0 / x; }
Array negative(const Array& x) { return -x; }
Array softsign(const Array& x) { return x / (1.0 + abs(x)); }
Array mish(const Array& x) { return x * tanh(softplus(x)); }
Array hard_swish(const Array& x) { return x * maximum(0.0, minimum(1.0, x * (1.0 / 6) + 0.5)); }
Array is_nan(const Array& x) { return not_equal(x, x); }
Array floor(const Array& x) { return apply("floor", {{x}}); }
Array ceil(const Array& x) { return apply("ceil", {{x}}); }
Array round(const Array& x) { return apply("round", {{x}}); }

}  // namespace

KAPPA_ONNX_OPERATOR(Abs) { return unary_onnx(abs); }
KAPPA_ONNX_OPERATOR(Acos) { return unary_onnx(acos); }
KAPPA_ONNX_OPERATOR(Acosh) { return unary_onnx(acosh); }
KAPPA_ONNX_OPERATOR(Asin) { return unary_onnx(asin); }
KAPPA_ONNX_OPERATOR(Asinh) { return unary_onnx(asinh); }
KAPPA_ONNX_OPERATOR(Atan) { return unary_onnx(atan); }
KAPPA_ONNX_OPERATOR(Atanh) { return unary_onnx(atanh); }
KAPPA_ONNX_OPERATOR(Ceil) { return unary_onnx(ceil); }
KAPPA_ONNX_OPERATOR(Cos) { return unary_onnx(cos); }
KAPPA_ONNX_OPERATOR(Cosh) { return unary_onnx(cosh); }
KAPPA_ONNX_OPERATOR(Erf) { return unary_onnx(erf); }
KAPPA_ONNX_OPERATOR(Exp) { return unary_onnx(exp); }
KAPPA_ONNX_OPERATOR(Floor) { return unary_onnx(floor); }
KAPPA_ONNX_OPERATOR(HardSwish) { return unary_onnx(hard_swish); }
KAPPA_ONNX_OPERATOR(IsNaN) { return unary_onnx(is_nan); }
KAPPA_ONNX_OPERATOR(Log) { return unary_onnx(log); }
KAPPA_ONNX_OPERATOR(Mish) { return unary_onnx(mish); }
KAPPA_ONNX_OPERATOR(Neg) { return unary_onnx(negative); }
KAPPA_ONNX_OPERATOR(Not) { return unary_onnx(logical_not); }
KAPPA_ONNX_OPERATOR(Reciprocal) { return unary_onnx(reciprocal); }
KAPPA_ONNX_OPERATOR(Relu) { return unary_onnx(relu); }
KAPPA_ONNX_OPERATOR(Round) { return unary_onnx(round); }
KAPPA_ONNX_OPERATOR(Sigmoid) { return unary_onnx(sigmoid); }
KAPPA_ONNX_OPERATOR(Sign) { return unary_onnx(sign); }
KAPPA_ONNX_OPERATOR(Sin) { return unary_onnx(sin); }
KAPPA_ONNX_OPERATOR(Sinh) { return unary_onnx(sinh); }
KAPPA_ONNX_OPERATOR(Softplus) { return unary_onnx(softplus); }
KAPPA_ONNX_OPERATOR(Softsign) { return unary_onnx(softsign); }
KAPPA_ONNX_OPERATOR(Sqrt) { return unary_onnx(sqrt); }
KAPPA_ONNX_OPERATOR(Tan) { return unary_onnx(tan); }
KAPPA_ONNX_OPERATOR(Tanh) { return unary_onnx(tanh); }

}  // namespace kappa
