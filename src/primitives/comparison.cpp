// less, less_equal, greater, greater_equal, equal, not_equal. Piecewise constant: no derivative.

#include "primitives/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "primitives/comparison.cpp"
#include "hwy/foreach_target.h"  // must stand before highway.h
#include "hwy/highway.h"
#include "primitives/tile-inl.h"

HWY_BEFORE_NAMESPACE();
namespace kappa {
namespace HWY_NAMESPACE {

#define KAPPA_COMPARISON(NAME, OPERATOR)              \
  struct NAME##Operation {                            \
    template <class T>                                \
    static HWY_INLINE std::uint8_t scalar(T a, T b) { \
      return static_cast<std::uint8_t>(a OPERATOR b); \
    }                                                 \
  };                                                  \
  TileFunction NAME##_tile(DType dtype) { return predicate_tile<NAME##Operation>(dtype); }

template <class Operation>
TileFunction predicate_tile(DType dtype) {
  switch (dtype) {
    case DType::f64: return binary_loop<Operation, double, std::uint8_t>;
    case DType::f32: return binary_loop<Operation, float, std::uint8_t>;
    case DType::i64: return binary_loop<Operation, std::int64_t, std::uint8_t>;
    case DType::boolean: return binary_loop<Operation, std::uint8_t, std::uint8_t>;
  }
  return nullptr;
}

KAPPA_COMPARISON(less, <)
KAPPA_COMPARISON(less_equal, <=)
KAPPA_COMPARISON(greater, >)
KAPPA_COMPARISON(greater_equal, >=)
KAPPA_COMPARISON(equal, ==)
KAPPA_COMPARISON(not_equal, !=)

#undef KAPPA_COMPARISON

}  // namespace HWY_NAMESPACE
}  // namespace kappa
HWY_AFTER_NAMESPACE();

#if HWY_ONCE

#include <fmt/format.h>

#include "primitives/elementwise.h"

namespace kappa {
namespace {

HWY_EXPORT(less_tile);
HWY_EXPORT(less_equal_tile);
HWY_EXPORT(greater_tile);
HWY_EXPORT(greater_equal_tile);
HWY_EXPORT(equal_tile);
HWY_EXPORT(not_equal_tile);

Primitive comparison(std::string name, std::string sign, TileFunction (*choose)(DType)) {
  return {.name = std::move(name),
          .doc = "a " + sign + " b.",
          .num_operands = 2,
          .infer = infer_predicate,
          .kernel = {.tile = [choose](std::span<const Type> operands,
                                      const Type&) { return choose(operands[0].dtype); }},
          .samples =
              [] {
                Sample floating = elementwise_sample(2);
                floating.smooth = false;
                Sample integers = floating;
                integers.operands.assign(2, Type{DType::i64, {3, 7}});
                return std::vector<Sample>{floating, integers};
              },
          .print =
              [sign](const Attributes&, std::span<const Printed> operands) {
                return Printed{fmt::format("{} {} {}", parenthesized(operands[0], 2), sign,
                                           parenthesized(operands[1], 2)),
                               1};
              }};
}

}  // namespace

KAPPA_PRIMITIVE(less) {
  return comparison("less", "<", [](DType t) { return HWY_DYNAMIC_DISPATCH(less_tile)(t); });
}
KAPPA_PRIMITIVE(less_equal) {
  return comparison("less_equal",
                    "<=", [](DType t) { return HWY_DYNAMIC_DISPATCH(less_equal_tile)(t); });
}
KAPPA_PRIMITIVE(greater) {
  return comparison("greater", ">", [](DType t) { return HWY_DYNAMIC_DISPATCH(greater_tile)(t); });
}
KAPPA_PRIMITIVE(greater_equal) {
  return comparison("greater_equal",
                    ">=", [](DType t) { return HWY_DYNAMIC_DISPATCH(greater_equal_tile)(t); });
}
KAPPA_PRIMITIVE(equal) {
  return comparison("equal", "==", [](DType t) { return HWY_DYNAMIC_DISPATCH(equal_tile)(t); });
}
KAPPA_PRIMITIVE(not_equal) {
  return comparison("not_equal",
                    "!=", [](DType t) { return HWY_DYNAMIC_DISPATCH(not_equal_tile)(t); });
}

Array less(const Array& a, const Array& b) {
  return apply_elementwise(kappa_primitive_less(), {{a, b}});
}
Array less_equal(const Array& a, const Array& b) {
  return apply_elementwise(kappa_primitive_less_equal(), {{a, b}});
}
Array greater(const Array& a, const Array& b) {
  return apply_elementwise(kappa_primitive_greater(), {{a, b}});
}
Array greater_equal(const Array& a, const Array& b) {
  return apply_elementwise(kappa_primitive_greater_equal(), {{a, b}});
}
Array equal(const Array& a, const Array& b) {
  return apply_elementwise(kappa_primitive_equal(), {{a, b}});
}
Array not_equal(const Array& a, const Array& b) {
  return apply_elementwise(kappa_primitive_not_equal(), {{a, b}});
}

}  // namespace kappa

#endif  // HWY_ONCE
