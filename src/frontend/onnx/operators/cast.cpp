#include "frontend/onnx/operator.h"

namespace kappa {
namespace {

// Floating types are all computed in the model's, integers in 64 bits: casts between them are
// neutral, and what a narrower type would round or wrap is kept.
Array cast(const Array& x, DType to) { return convert(x, to); }

}  // namespace

KAPPA_ONNX_OPERATOR(Cast) {
  return {.note = "no texts; floating types are one, integers have 64 bits",
          .build = [](OnnxCall& call) {
            return std::vector<Array>{cast(call.input(0), call.computed(call.integer("to")))};
          }};
}

KAPPA_ONNX_OPERATOR(CastLike) {
  return {.note = "as Cast", .build = [](OnnxCall& call) {
            return std::vector<Array>{cast(call.input(0), call.input(1).dtype())};
          }};
}

}  // namespace kappa
