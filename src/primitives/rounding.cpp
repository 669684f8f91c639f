// floor, ceil, round, and what is left of a division: fmod, floor_mod, integer_divide.

#include <fmt/format.h>

#include <cmath>

#include "kappa/error.h"
#include "primitives/elementwise.h"

namespace kappa {
namespace {

struct Floor {
  template <class T>
  T operator()(T x) const {
    return std::floor(x);
  }
};
struct Ceil {
  template <class T>
  T operator()(T x) const {
    return std::ceil(x);
  }
};
struct RoundToEven {
  template <class T>
  T operator()(T x) const {
    return std::nearbyint(x);
  }
};
struct TruncatedRest {
  template <class T>
  T operator()(T a, T b) const {
    return std::fmod(a, b);
  }
};
struct FlooredRest {
  template <class T>
  T operator()(T a, T b) const {
    const T rest = std::fmod(a, b);
    return rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest;
  }
};

// Division by zero has no integer: 0, so that a program never traps.
void integer_divide_loop(const TileCall& call) {
  const auto* a = static_cast<const std::int64_t*>(call.inputs[0]);
  const auto* b = static_cast<const std::int64_t*>(call.inputs[1]);
  auto* out = static_cast<std::int64_t*>(call.output);
  for (std::int64_t i = 0; i < call.count; ++i) {
    if (b[i] == -1) {
      out[i] = static_cast<std::int64_t>(std::uint64_t{0} - static_cast<std::uint64_t>(a[i]));
    } else {
      out[i] = b[i] == 0 ? 0 : a[i] / b[i];
    }
  }
}

Primitive rounding(const char* name, const char* doc, Kernel kernel) {
  return unary_primitive({.name = name,
                          .doc = doc,
                          .kernel = std::move(kernel),
                          .range = {0.1, 0.4},
                          .formula_function = false});
}

// The rest of a / b: a less a whole number of b, which does not change nearby.
Primitive rest(const char* name, const char* doc, Kernel kernel) {
  return {.name = name,
          .doc = doc,
          .num_operands = 2,
          .infer = infer_floating,
          .jvp = [](const Call& call, std::span<const Array> tangents) -> Array {
            const Array& a = call.operands[0];
            const Array& b = call.operands[1];
            if (!tangents[1].defined()) return tangents[0];
            const Array times = apply("round", {{(a - call.result) / b}});
            const Array change = times * tangents[1];
            return tangents[0].defined() ? tangents[0] - change : -change;
          },
          .kernel = std::move(kernel),
          .samples =
              [] {
                return std::vector<Sample>{elementwise_sample(2, {{2.2, 2.8}, {1, 1.05}}),
                                           elementwise_sample(2, {{-2.8, -2.2}, {1, 1.05}})};
              },
          .print =
              [name](const Attributes&, std::span<const Printed> operands) {
                return Printed{
                    fmt::format("{}({}, {})", name, operands[0].first, operands[1].first), 9};
              }};
}

}  // namespace

KAPPA_PRIMITIVE(floor) {
  return rounding("floor", "The greatest whole number not above x.",
                  tile_kernel([](DType t) { return scalar_tile(Floor{}, t); }, 2));
}

KAPPA_PRIMITIVE(ceil) {
  return rounding("ceil", "The least whole number not below x.",
                  tile_kernel([](DType t) { return scalar_tile(Ceil{}, t); }, 2));
}

KAPPA_PRIMITIVE(round) {
  return rounding("round", "The nearest whole number; of two, the even one.",
                  tile_kernel([](DType t) { return scalar_tile(RoundToEven{}, t); }, 2));
}

KAPPA_PRIMITIVE(fmod) {
  return rest(
      "fmod", "a - b trunc(a / b): the sign is that of a.",
      tile_kernel([](DType t) { return scalar_tile2(TruncatedRest{}, t); }, transcendental_cost));
}

KAPPA_PRIMITIVE(floor_mod) {
  return rest(
      "floor_mod", "a - b floor(a / b): the sign is that of b.",
      tile_kernel([](DType t) { return scalar_tile2(FlooredRest{}, t); }, transcendental_cost));
}

KAPPA_PRIMITIVE(integer_divide) {
  return {.name = "integer_divide",
          .doc = "a / b of integers, rounded towards zero; 0 where b is.",
          .num_operands = 2,
          .infer = [](const Attributes& attributes, std::span<const Type> operands) -> Type {
            if (operands[0].dtype != DType::i64) {
              throw Error(ErrorKind::type, fmt::format("[integer_divide] operands are {}; expected "
                                                       "i64",
                                                       to_string(operands[0].dtype)));
            }
            return infer_same(attributes, operands);
          },
          .kernel = tile_kernel([](DType t) -> TileFunction {
            return t == DType::i64 ? integer_divide_loop : nullptr;
          }),
          .samples =
              [] {
                return std::vector<Sample>{{.operands = {{DType::i64, {7}}, {DType::i64, {7}}},
                                            .ranges = {{-20, 20}, {1, 5}},
                                            .smooth = false}};
              },
          .print =
              [](const Attributes&, std::span<const Printed> operands) {
                return Printed{
                    fmt::format("integer_divide({}, {})", operands[0].first, operands[1].first), 9};
              }};
}

}  // namespace kappa
