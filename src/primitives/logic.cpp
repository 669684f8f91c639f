// logical_and, logical_or, logical_not on booleans (bytes 0 or 1).

#include "primitives/elementwise.h"

namespace kappa {
namespace {

using Boolean = std::uint8_t;

template <class Function>
Kernel boolean_kernel(Function) {
  return {.tile = [](std::span<const Type>, const Type& result) -> TileFunction {
    if (result.dtype != DType::boolean) return nullptr;
    return scalar_loop2<Boolean, Function>;
  }};
}

Sample boolean_sample(std::size_t num_operands) {
  return {.operands = std::vector<Type>(num_operands, Type{DType::boolean, {3, 7}}),
          .ranges = std::vector<Range>(num_operands, {0, 1}),
          .smooth = false};
}

template <class Function>
Primitive connective(const char* name, const char* doc, Function function) {
  return {.name = name,
          .doc = doc,
          .num_operands = 2,
          .infer = infer_boolean,
          .kernel = boolean_kernel(function),
          .samples = [] { return std::vector<Sample>{boolean_sample(2)}; }};
}

}  // namespace

KAPPA_PRIMITIVE(logical_and) {
  return connective("logical_and", "Both hold.",
                    [](Boolean a, Boolean b) { return static_cast<Boolean>(a & b); });
}

KAPPA_PRIMITIVE(logical_or) {
  return connective("logical_or", "One holds, or both.",
                    [](Boolean a, Boolean b) { return static_cast<Boolean>(a | b); });
}

KAPPA_PRIMITIVE(logical_not) {
  return {.name = "logical_not",
          .doc = "The condition does not hold.",
          .infer = infer_boolean,
          .simplify =
              [](const Call& call) {
                const Array& x = call.operands[0];
                return is(x, kappa_primitive_logical_not()) ? operand(x, 0) : Array{};
              },
          .kernel = {.tile = [](std::span<const Type>, const Type&) -> TileFunction {
            return [](const TileCall& call) {
              const auto* a = static_cast<const Boolean*>(call.inputs[0]);
              auto* out = static_cast<Boolean*>(call.output);
              const std::int64_t count = call.count;
              for (std::int64_t i = 0; i < count; ++i) out[i] = a[i] ^ 1;
            };
          }},
          .samples = [] { return std::vector<Sample>{boolean_sample(1)}; }};
}

Array logical_and(const Array& a, const Array& b) {
  return apply_elementwise(kappa_primitive_logical_and(),
                           {{convert(a, DType::boolean), convert(b, DType::boolean)}});
}
Array logical_or(const Array& a, const Array& b) {
  return apply_elementwise(kappa_primitive_logical_or(),
                           {{convert(a, DType::boolean), convert(b, DType::boolean)}});
}
Array logical_not(const Array& a) {
  return apply_elementwise(kappa_primitive_logical_not(), {{convert(a, DType::boolean)}});
}

}  // namespace kappa
