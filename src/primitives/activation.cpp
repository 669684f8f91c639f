// sigmoid, softplus, relu; silu is a composition.

#include "primitives/elementwise.h"
#include "primitives/vector_math.h"

namespace kappa {

// The derivative by sigmoid(-x), which is 1 - y without losing its digits where y is close to 1.
KAPPA_PRIMITIVE(sigmoid) {
  return unary_primitive({.name = "sigmoid",
                          .doc = "1 / (1 + exp(-x)).",
                          .kernel = tile_kernel(sigmoid_tile),
                          .jvp = [](const Array& x, const Array& y, const Array& dx) {
                            return (y * sigmoid(-x)) * dx;
                          }});
}

KAPPA_PRIMITIVE(softplus) {
  return unary_primitive(
      {.name = "softplus",
       .doc = "log(1 + exp(x)).",
       .kernel = tile_kernel(softplus_tile),
       .jvp = [](const Array& x, const Array&, const Array& dx) { return sigmoid(x) * dx; }});
}

KAPPA_PRIMITIVE(relu) {
  Primitive primitive = unary_primitive(
      {.name = "relu",
       .doc = "max(x, 0); derivative 0 at 0.",
       .kernel = tile_kernel(relu_tile),
       .jvp = [](const Array& x, const Array&, const Array& dx) { return where(x > 0, dx, 0); }});
  primitive.kernel.element_cost = 1;
  primitive.samples = [] {
    return std::vector<Sample>{elementwise_sample(1, {{0.1, 2}}),
                               elementwise_sample(1, {{-2, -0.1}})};
  };
  return primitive;
}

Array sigmoid(const Array& x) { return apply_floating(kappa_primitive_sigmoid(), {{x}}); }
Array softplus(const Array& x) { return apply_floating(kappa_primitive_softplus(), {{x}}); }
Array relu(const Array& x) { return apply_floating(kappa_primitive_relu(), {{x}}); }

Array silu(const Array& x) { return x * sigmoid(x); }

}  // namespace kappa
