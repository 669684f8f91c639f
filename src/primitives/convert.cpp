#include "primitives/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "primitives/convert.cpp"
#include "hwy/foreach_target.h"  // must stand before highway.h
#include "hwy/highway.h"
#include "primitives/tile-inl.h"

HWY_BEFORE_NAMESPACE();
namespace kappa {
namespace HWY_NAMESPACE {

template <class To>
struct ConvertOperation {
  template <class From>
  static HWY_INLINE To scalar(From x) {
    if constexpr (std::is_floating_point_v<From> && std::is_same_v<To, std::int64_t>) {
      // Out of range (and NaN) has no int64: the least one, as x86 hardware answers.
      return x >= From(-0x1p63) && x < From(0x1p63) ? static_cast<To>(x) : INT64_MIN;
    } else {
      return static_cast<To>(x);
    }
  }
};

struct TruthOperation {
  template <class From>
  static HWY_INLINE std::uint8_t scalar(From x) {
    return static_cast<std::uint8_t>(x != From{0});
  }
};

template <class From>
TileFunction convert_from(DType to) {
  switch (to) {
    case DType::f64: return unary_loop<ConvertOperation<double>, From, double>;
    case DType::f32: return unary_loop<ConvertOperation<float>, From, float>;
    case DType::i64: return unary_loop<ConvertOperation<std::int64_t>, From, std::int64_t>;
    case DType::boolean: return unary_loop<TruthOperation, From, std::uint8_t>;
  }
  return nullptr;
}

TileFunction convert_tile(DType from, DType to) {
  switch (from) {
    case DType::f64: return convert_from<double>(to);
    case DType::f32: return convert_from<float>(to);
    case DType::i64: return convert_from<std::int64_t>(to);
    case DType::boolean: return convert_from<std::uint8_t>(to);
  }
  return nullptr;
}

}  // namespace HWY_NAMESPACE
}  // namespace kappa
HWY_AFTER_NAMESPACE();

#if HWY_ONCE

#include "primitives/elementwise.h"

namespace kappa {
namespace {

HWY_EXPORT(convert_tile);

DType target(const Attributes& attributes) {
  return static_cast<DType>(attributes.integer("dtype"));
}

Array converted(const Array& x, DType dtype) {
  return x.builder()->apply(kappa_primitive_convert(),
                            {{"dtype", static_cast<std::int64_t>(dtype)}}, {{x}});
}

Sample sample(DType from, DType to, bool smooth) {
  return {.operands = {Type{from, {3, 7}}},
          .attributes = {{"dtype", static_cast<std::int64_t>(to)}},
          .smooth = smooth};
}

}  // namespace

KAPPA_PRIMITIVE(convert) {
  return {
      .name = "convert",
      .doc =
          "The same numbers as another dtype: floating to i64 truncates towards zero, to bool "
          "compares with zero.",
      .infer = [](const Attributes& attributes, std::span<const Type> operands) -> Type {
        return {target(attributes), operands[0].shape};
      },
      // Integers and booleans are piecewise constant: their tangent is zero.
      .jvp = [](const Call& call, std::span<const Array> tangents) -> Array {
        const DType to = target(call.attributes);
        return is_floating(to) ? converted(tangents[0], to) : Array{};
      },
      .transpose =
          [](const Call& call, int, const Array& cotangent) {
            return converted(cotangent, call.operands[0].dtype());
          },
      .simplify = [](const Call& call) -> Array {
        return call.operands[0].dtype() == target(call.attributes) ? call.operands[0] : Array{};
      },
      .kernel = {.tile =
                     [](std::span<const Type> operands, const Type& result) {
                       return HWY_DYNAMIC_DISPATCH(convert_tile)(operands[0].dtype, result.dtype);
                     }},
      .samples =
          [] {
            return std::vector<Sample>{
                sample(DType::f64, DType::f64, true), sample(DType::f64, DType::i64, false),
                sample(DType::f64, DType::boolean, false), sample(DType::i64, DType::f64, false),
                sample(DType::boolean, DType::f32, false)};
          },
      .print = [](const Attributes&, std::span<const Printed> operands) { return operands[0]; }};
}

Array convert(const Array& x, DType dtype) {
  if (x.is_literal()) return x;
  return converted(x, dtype);
}

}  // namespace kappa

#endif  // HWY_ONCE
