#include "frontend/onnx/operator.h"

namespace kappa {

KAPPA_ONNX_OPERATOR(Constant) {
  return {.note = "numbers and booleans", .build = [](OnnxCall& call) {
            using Outputs = std::vector<Array>;
            if (call.has_attribute("value")) {
              return Outputs{call.constant(call.tensor("value").read(call.floating()))};
            }
            if (call.has_attribute("sparse_value")) {
              return Outputs{call.constant(call.tensor("sparse_value").read(call.floating()))};
            }
            if (call.has_attribute("value_int")) {
              return Outputs{reshape(call.integers_constant({call.integer("value_int")}), {})};
            }
            if (call.has_attribute("value_ints")) {
              return Outputs{call.integers_constant(call.integers("value_ints"))};
            }
            if (call.has_attribute("value_float")) {
              return Outputs{call.number(call.real("value_float", 0), call.floating())};
            }
            if (call.has_attribute("value_floats")) {
              const std::vector<double> values = call.reals("value_floats");
              return Outputs{call.constant(Tensor::from_doubles(
                  values, {static_cast<std::int64_t>(values.size())}, call.floating()))};
            }
            call.fail("a constant of texts");
          }};
}

}  // namespace kappa
