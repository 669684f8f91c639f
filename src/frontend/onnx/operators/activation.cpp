// Activations with attributes. Each is its formula in ONNX's documentation; alpha, beta and gamma
// have the defaults given there.

#include <cmath>

#include "frontend/onnx/operator.h"

namespace kappa {
namespace {

using Outputs = std::vector<Array>;

// alpha (e^x - 1) below 0; the exponent is kept from overflowing where it is not chosen.
Array below_zero(const Array& x, double alpha, double divisor = 1) {
  return alpha * expm1(minimum(x * (1 / divisor), 0.0));
}

}  // namespace

KAPPA_ONNX_OPERATOR(Celu) {
  return {.build = [](OnnxCall& call) {
    const Array x = call.input(0);
    const double alpha = call.real("alpha", 1);
    return Outputs{where(x > 0.0, x, below_zero(x, alpha, alpha))};
  }};
}

KAPPA_ONNX_OPERATOR(Elu) {
  return {.build = [](OnnxCall& call) {
    const Array x = call.input(0);
    return Outputs{where(x > 0.0, x, below_zero(x, call.real("alpha", 1)))};
  }};
}

KAPPA_ONNX_OPERATOR(Gelu) {
  return {.build = [](OnnxCall& call) {
    const Array x = call.input(0);
    const std::string form = call.text("approximate", "none");
    if (form == "none") return Outputs{gelu(x)};
    if (form != "tanh") call.fail("approximate=" + form + "; known are none and tanh");
    const double c = std::sqrt(2 / std::acos(-1.0));
    return Outputs{0.5 * x * (1.0 + tanh(c * (x + 0.044715 * x * x * x)))};
  }};
}

KAPPA_ONNX_OPERATOR(HardSigmoid) {
  return {.build = [](OnnxCall& call) {
    const Array x = call.input(0);
    const double alpha = call.real("alpha", 0.2), beta = call.real("beta", 0.5);
    return Outputs{maximum(0.0, minimum(1.0, alpha * x + beta))};
  }};
}

KAPPA_ONNX_OPERATOR(LeakyRelu) {
  return {.build = [](OnnxCall& call) {
    const Array x = call.input(0);
    return Outputs{where(x < 0.0, call.real("alpha", 0.01) * x, x)};
  }};
}

KAPPA_ONNX_OPERATOR(PRelu) {
  return {.build = [](OnnxCall& call) {
    const Array x = call.input(0);
    Array slope = call.input(1);
    // Before opset 7 a slope a channel was a vector.
    if (call.opset() < 7 && slope.rank() == 1 && slope.size() > 1 && x.rank() > 2) {
      Shape shape(static_cast<std::size_t>(x.rank() - 1), 1);
      shape[0] = slope.size();
      slope = reshape(slope, shape);
    }
    return Outputs{where(x < 0.0, slope * x, x)};
  }};
}

KAPPA_ONNX_OPERATOR(Selu) {
  return {.build = [](OnnxCall& call) {
    const Array x = call.input(0);
    const double alpha = call.real("alpha", 1.67326319217681884765625);
    const double gamma = call.real("gamma", 1.05070102214813232421875);
    return Outputs{gamma * where(x > 0.0, x, below_zero(x, alpha))};
  }};
}

KAPPA_ONNX_OPERATOR(Shrink) {
  return {.build = [](OnnxCall& call) {
    const Array x = call.input(0);
    const double bias = call.real("bias", 0), lambda = call.real("lambd", 0.5);
    return Outputs{where(x < -lambda, x + bias, where(x > lambda, x - bias, 0.0 * x))};
  }};
}

KAPPA_ONNX_OPERATOR(Swish) {
  return {.build = [](OnnxCall& call) {
    const Array x = call.input(0);
    return Outputs{x * sigmoid(call.real("alpha", 1) * x)};
  }};
}

KAPPA_ONNX_OPERATOR(ThresholdedRelu) {
  return {.build = [](OnnxCall& call) {
    const Array x = call.input(0);
    return Outputs{where(x > call.real("alpha", 1), x, 0.0 * x)};
  }};
}

}  // namespace kappa
