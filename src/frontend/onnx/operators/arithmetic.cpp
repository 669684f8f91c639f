// Add, Sub, Mul, Div, Pow, Mod: two operands that broadcast. Before opset 7 the second operand
// broadcast only where the attribute `broadcast` said so, from the axis `axis` on.

#include "frontend/onnx/operator.h"
#include "kappa/error.h"

namespace kappa {
namespace {

Array second_operand(OnnxCall& call, const Array& a) {
  const Array b = call.input(1);
  if (call.opset() >= 7 || !call.has_attribute("axis")) return b;
  const std::int64_t axis = onnx_axis(call.integer("axis"), a.rank());
  Shape shape = b.shape();
  const std::int64_t behind = a.rank() - axis - b.rank();
  if (behind < 0) call.fail("the attribute 'axis' leaves no room for the second operand");
  shape.insert(shape.end(), static_cast<std::size_t>(behind), 1);
  return reshape(b, shape);
}

template <class Function>
OnnxOperator binary(Function function) {
  return {.build = [function](OnnxCall& call) {
    const Array a = call.input(0);
    return std::vector<Array>{function(call, a, second_operand(call, a))};
  }};
}

bool integers(const Array& a) { return !a.is_literal() && a.dtype() == DType::i64; }

}  // namespace

KAPPA_ONNX_OPERATOR(Add) {
  return binary([](OnnxCall&, const Array& a, const Array& b) { return a + b; });
}

KAPPA_ONNX_OPERATOR(Sub) {
  return binary([](OnnxCall&, const Array& a, const Array& b) { return a - b; });
}

KAPPA_ONNX_OPERATOR(Mul) {
  return binary([](OnnxCall&, const Array& a, const Array& b) { return a * b; });
}

KAPPA_ONNX_OPERATOR(Div) {
  return binary([](OnnxCall&, const Array& a, const Array& b) {
    return integers(a) && integers(b) ? apply("integer_divide", {{a, b}}) : a / b;
  });
}

KAPPA_ONNX_OPERATOR(Pow) {
  return binary([](OnnxCall&, const Array& a, const Array& b) {
    // The result has the base's type, whatever the exponent's.
    if (integers(a))
      return convert(pow(convert(a, DType::f64), convert(b, DType::f64)), DType::i64);
    return pow(a, convert(b, a.dtype()));
  });
}

KAPPA_ONNX_OPERATOR(Mod) {
  return binary([](OnnxCall& call, const Array& a, const Array& b) {
    const bool truncated = call.integer("fmod", 0) != 0;
    if (integers(a) && integers(b)) {
      const Array rest = a - apply("integer_divide", {{a, b}}) * b;
      if (truncated) return rest;
      // The sign of the divisor, as in Python.
      const Array opposite =
          logical_and(not_equal(rest, 0.0), not_equal(less(rest, 0.0), less(b, 0.0)));
      return where(opposite, rest + b, rest);
    }
    return apply(truncated ? "fmod" : "floor_mod", {{a, b}});
  });
}

}  // namespace kappa
