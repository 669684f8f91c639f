// abs, sign, minimum, maximum.

#include "primitives/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "primitives/sign.cpp"
#include "hwy/foreach_target.h"  // must stand before highway.h
#include "hwy/highway.h"
#include "primitives/tile-inl.h"

HWY_BEFORE_NAMESPACE();
namespace kappa {
namespace HWY_NAMESPACE {

struct AbsOperation {
  template <class D, class V>
  static HWY_INLINE V vector(D, V x) {
    return hn::Abs(x);
  }
  static std::uint64_t scalar(std::uint64_t x) { return x >> 63 != 0 ? std::uint64_t{0} - x : x; }
};

struct SignOperation {
  template <class D, class V>
  static HWY_INLINE V vector(D d, V x) {
    const V one = hn::Set(d, hn::TFromD<D>(1));
    const V zero = hn::Zero(d);
    const V positive = hn::IfThenElse(hn::Gt(x, zero), one, x);  // zeros and NaN stay
    return hn::IfThenElse(hn::Lt(x, zero), hn::Neg(one), positive);
  }
  static std::uint64_t scalar(std::uint64_t x) {
    return x == 0 ? 0 : (x >> 63 != 0 ? ~std::uint64_t{0} : 1);
  }
};

// A NaN in either operand gives NaN, as in NumPy.
struct MinimumOperation {
  template <class D, class V>
  static HWY_INLINE V vector(D, V a, V b) {
    const V least = hn::IfThenElse(hn::Le(a, b), a, b);
    return hn::IfThenElse(hn::Eq(a, a), least, a);
  }
  static std::uint64_t scalar(std::uint64_t a, std::uint64_t b) {
    return static_cast<std::int64_t>(a) <= static_cast<std::int64_t>(b) ? a : b;
  }
};

struct MaximumOperation {
  template <class D, class V>
  static HWY_INLINE V vector(D, V a, V b) {
    const V greatest = hn::IfThenElse(hn::Ge(a, b), a, b);
    return hn::IfThenElse(hn::Eq(a, a), greatest, a);
  }
  static std::uint64_t scalar(std::uint64_t a, std::uint64_t b) {
    return static_cast<std::int64_t>(a) >= static_cast<std::int64_t>(b) ? a : b;
  }
};

TileFunction abs_tile(DType dtype) { return arithmetic_tile<AbsOperation, 1>(dtype); }
TileFunction sign_tile(DType dtype) { return arithmetic_tile<SignOperation, 1>(dtype); }
TileFunction minimum_tile(DType dtype) { return arithmetic_tile<MinimumOperation, 2>(dtype); }
TileFunction maximum_tile(DType dtype) { return arithmetic_tile<MaximumOperation, 2>(dtype); }

}  // namespace HWY_NAMESPACE
}  // namespace kappa
HWY_AFTER_NAMESPACE();

#if HWY_ONCE

#include <fmt/format.h>

#include "primitives/elementwise.h"

namespace kappa {
namespace {

HWY_EXPORT(abs_tile);
HWY_EXPORT(sign_tile);
HWY_EXPORT(minimum_tile);
HWY_EXPORT(maximum_tile);

std::vector<Sample> signed_samples() {
  return {elementwise_sample(1, {{0.1, 2}}), elementwise_sample(1, {{-2, -0.1}})};
}

// Both sides apart, each chosen once; at a tie the derivative is the first operand's.
std::vector<Sample> extremum_samples() {
  return {elementwise_sample(2, {{-2, -0.1}, {0.1, 2}}),
          elementwise_sample(2, {{0.1, 2}, {-2, -0.1}})};
}

Array chosen(const Array& first, std::span<const Array> tangents) {
  const Array& any = tangents[0].defined() ? tangents[0] : tangents[1];
  const Array zero = filled(any, 0);
  return where(first, tangents[0].defined() ? tangents[0] : zero,
               tangents[1].defined() ? tangents[1] : zero);
}

auto print_call(const char* name) {
  return [name](const Attributes&, std::span<const Printed> operands) {
    return Printed{fmt::format("{}({}, {})", name, operands[0].first, operands[1].first), 9};
  };
}

}  // namespace

KAPPA_PRIMITIVE(abs) {
  return {
      .name = "abs",
      .doc = "|x|; derivative sign(x), 0 at 0.",
      .infer = infer_numeric,
      .jvp = [](const Call& call,
                std::span<const Array> tangents) { return sign(call.operands[0]) * tangents[0]; },
      .simplify =
          [](const Call& call) {
            const Array& x = call.operands[0];
            if (is(x, kappa_primitive_neg())) return abs(operand(x, 0));
            return is(x, kappa_primitive_abs()) ? x : Array{};
          },
      .kernel = tile_kernel([](DType t) { return HWY_DYNAMIC_DISPATCH(abs_tile)(t); }),
      .samples = signed_samples,
      .formula_function = true};
}

KAPPA_PRIMITIVE(sign) {
  return {.name = "sign",
          .doc = "-1, 0 or 1 as x is negative, zero or positive.",
          .infer = infer_numeric,
          .kernel = tile_kernel([](DType t) { return HWY_DYNAMIC_DISPATCH(sign_tile)(t); }),
          .samples = signed_samples,
          .formula_function = true};
}

KAPPA_PRIMITIVE(minimum) {
  return {.name = "minimum",
          .doc = "The lesser of a and b; derivative of a at ties; NaN where either is.",
          .num_operands = 2,
          .infer = infer_numeric,
          .jvp =
              [](const Call& call, std::span<const Array> tangents) {
                return chosen(call.operands[0] <= call.operands[1], tangents);
              },
          .kernel = tile_kernel([](DType t) { return HWY_DYNAMIC_DISPATCH(minimum_tile)(t); }),
          .samples = extremum_samples,
          .print = print_call("min")};
}

KAPPA_PRIMITIVE(maximum) {
  return {.name = "maximum",
          .doc = "The greater of a and b; derivative of a at ties; NaN where either is.",
          .num_operands = 2,
          .infer = infer_numeric,
          .jvp =
              [](const Call& call, std::span<const Array> tangents) {
                return chosen(call.operands[0] >= call.operands[1], tangents);
              },
          .kernel = tile_kernel([](DType t) { return HWY_DYNAMIC_DISPATCH(maximum_tile)(t); }),
          .samples = extremum_samples,
          .print = print_call("max")};
}

Array abs(const Array& x) { return apply_numeric(kappa_primitive_abs(), {{x}}); }
Array sign(const Array& x) { return apply_numeric(kappa_primitive_sign(), {{x}}); }
Array minimum(const Array& a, const Array& b) {
  return apply_numeric(kappa_primitive_minimum(), {{a, b}});
}
Array maximum(const Array& a, const Array& b) {
  return apply_numeric(kappa_primitive_maximum(), {{a, b}});
}

}  // namespace kappa

#endif  // HWY_ONCE
