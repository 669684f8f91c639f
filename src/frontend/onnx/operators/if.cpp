#include "frontend/onnx/operator.h"

namespace kappa {

// A condition known while the model is read takes its branch; otherwise both are computed, and the
// condition chooses between them.
KAPPA_ONNX_OPERATOR(If) {
  return {.note = "where the condition depends on data, both branches need the same shapes",
          .build = [](OnnxCall& call) {
            const Array condition = call.input(0);
            if (condition.size() != 1) call.fail("a condition that is not one boolean");
            if (const auto known = call.value_of(condition)) {
              return call.run(call.graph(known->at(0) != 0 ? "then_branch" : "else_branch"), {});
            }
            std::vector<Array> then_values = call.run(call.graph("then_branch"), {});
            const std::vector<Array> else_values = call.run(call.graph("else_branch"), {});
            if (then_values.size() != else_values.size()) call.fail("branches of unequal outputs");
            for (std::size_t i = 0; i < then_values.size(); ++i) {
              if (then_values[i].shape() != else_values[i].shape()) {
                call.fail("the condition depends on the data, and the branches differ in shape");
              }
              then_values[i] = where(reshape(condition, {}), then_values[i], else_values[i]);
            }
            return then_values;
          }};
}

}  // namespace kappa
