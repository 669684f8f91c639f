// HannWindow, HammingWindow, BlackmanWindow: sums of cosines over a period.

#include <cmath>
#include <numbers>

#include "frontend/onnx/operator.h"

namespace kappa {
namespace {

OnnxOperator window_function(double a0, double a1, double a2) {
  return {
      .first = 17, .build = [=](OnnxCall& call) {
        const Dims size = call.known_integers(0);
        if (size.size() != 1 || size[0] < 1 || size[0] > 1 << 24) call.fail("a size out of range");
        const DType dtype = call.computed(call.integer("output_datatype", 1));
        const bool periodic = call.integer("periodic", 1) != 0;
        const double period = static_cast<double>(size[0]) - (periodic ? 0 : 1);
        std::vector<double> values;
        for (std::int64_t i = 0; i < size[0]; ++i) {
          const double angle = 2 * std::numbers::pi * static_cast<double>(i) / period;
          values.push_back(a0 - a1 * std::cos(angle) + a2 * std::cos(2 * angle));
        }
        return std::vector<Array>{call.constant(Tensor::from_doubles(values, {size[0]}, dtype))};
      }};
}

}  // namespace

KAPPA_ONNX_OPERATOR(HannWindow) { return window_function(0.5, 0.5, 0); }
KAPPA_ONNX_OPERATOR(HammingWindow) { return window_function(25.0 / 46, 21.0 / 46, 0); }
KAPPA_ONNX_OPERATOR(BlackmanWindow) { return window_function(0.42, 0.5, 0.08); }

}  // namespace kappa
