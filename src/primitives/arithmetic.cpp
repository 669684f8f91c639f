// add, sub, mul, div, neg: kernels and rules. What they simplify to: arithmetic_simplify.cpp.

#include "primitives/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "primitives/arithmetic.cpp"
#include "hwy/foreach_target.h"  // must stand before highway.h
#include "hwy/highway.h"
#include "primitives/tile-inl.h"

HWY_BEFORE_NAMESPACE();
namespace kappa {
namespace HWY_NAMESPACE {

struct AddOperation {
  template <class D, class V>
  static HWY_INLINE V vector(D, V a, V b) {
    return hn::Add(a, b);
  }
  static std::uint64_t scalar(std::uint64_t a, std::uint64_t b) { return a + b; }
};

struct SubOperation {
  template <class D, class V>
  static HWY_INLINE V vector(D, V a, V b) {
    return hn::Sub(a, b);
  }
  static std::uint64_t scalar(std::uint64_t a, std::uint64_t b) { return a - b; }
};

struct MulOperation {
  template <class D, class V>
  static HWY_INLINE V vector(D, V a, V b) {
    return hn::Mul(a, b);
  }
  static std::uint64_t scalar(std::uint64_t a, std::uint64_t b) { return a * b; }
};

struct DivOperation {
  template <class D, class V>
  static HWY_INLINE V vector(D, V a, V b) {
    return hn::Div(a, b);
  }
};

struct NegOperation {
  template <class D, class V>
  static HWY_INLINE V vector(D, V a) {
    return hn::Neg(a);
  }
  static std::uint64_t scalar(std::uint64_t a) { return std::uint64_t{0} - a; }
};

TileFunction add_tile(DType dtype) { return arithmetic_tile<AddOperation, 2>(dtype); }
TileFunction sub_tile(DType dtype) { return arithmetic_tile<SubOperation, 2>(dtype); }
TileFunction mul_tile(DType dtype) { return arithmetic_tile<MulOperation, 2>(dtype); }
TileFunction div_tile(DType dtype) { return floating_tile<DivOperation, 2>(dtype); }
TileFunction neg_tile(DType dtype) { return arithmetic_tile<NegOperation, 1>(dtype); }

}  // namespace HWY_NAMESPACE
}  // namespace kappa
HWY_AFTER_NAMESPACE();

#if HWY_ONCE

#include "primitives/arithmetic.h"

namespace kappa {
namespace {

HWY_EXPORT(add_tile);
HWY_EXPORT(sub_tile);
HWY_EXPORT(mul_tile);
HWY_EXPORT(div_tile);
HWY_EXPORT(neg_tile);

std::vector<Sample> binary_samples() { return {elementwise_sample(2)}; }

}  // namespace

static Kernel with_role(Kernel kernel, Kernel::Role role) {
  kernel.role = role;
  return kernel;
}

KAPPA_PRIMITIVE(add) {
  return {
      .name = "add",
      .doc = "a + b.",
      .num_operands = 2,
      .infer = infer_numeric,
      .linear_operands = {0, 1},
      .transpose = [](const Call&, int, const Array& cotangent) { return cotangent; },
      .simplify = simplify_add,
      .kernel = with_role(tile_kernel([](DType t) { return HWY_DYNAMIC_DISPATCH(add_tile)(t); }),
                          Kernel::Role::add),
      .samples = binary_samples,
      .print = print_add};
}

KAPPA_PRIMITIVE(sub) {
  return {
      .name = "sub",
      .doc = "a - b.",
      .num_operands = 2,
      .infer = infer_numeric,
      .linear_operands = {0, 1},
      .transpose = [](const Call&, int index,
                      const Array& cotangent) { return index == 0 ? cotangent : -cotangent; },
      .simplify = simplify_sub,
      .kernel = with_role(tile_kernel([](DType t) { return HWY_DYNAMIC_DISPATCH(sub_tile)(t); }),
                          Kernel::Role::subtract),
      .samples = binary_samples,
      .print = print_sub};
}

KAPPA_PRIMITIVE(mul) {
  return {
      .name = "mul",
      .doc = "a * b.",
      .num_operands = 2,
      .infer = infer_numeric,
      .bilinear = true,
      .transpose =
          [](const Call& call, int index, const Array& cotangent) {
            return cotangent * call.operands[index == 0 ? 1 : 0];
          },
      .simplify = simplify_mul,
      .kernel = with_role(tile_kernel([](DType t) { return HWY_DYNAMIC_DISPATCH(mul_tile)(t); }),
                          Kernel::Role::multiply),
      .samples = binary_samples,
      .print = print_mul};
}

KAPPA_PRIMITIVE(div) {
  return {.name = "div",
          .doc = "a / b; integers are converted to f64.",
          .num_operands = 2,
          .infer = infer_floating,
          // The factor y / b does not depend on the direction: one product a direction remains.
          .jvp = [](const Call& call, std::span<const Array> tangents) -> Array {
            const Array& b = call.operands[1];
            if (!tangents[1].defined()) return tangents[0] / b;
            const Array change = (call.result / b) * tangents[1];
            return tangents[0].defined() ? tangents[0] / b - change : -change;
          },
          .transpose = [](const Call& call, int,
                          const Array& cotangent) { return cotangent / call.operands[1]; },
          .simplify = simplify_div,
          .kernel = tile_kernel([](DType t) { return HWY_DYNAMIC_DISPATCH(div_tile)(t); }),
          .samples =
              [] {
                return std::vector<Sample>{elementwise_sample(2, {{-2, 2}, {0.5, 2}}),
                                           elementwise_sample(2, {{-2, 2}, {-2, -0.5}})};
              },
          .print = print_div};
}

KAPPA_PRIMITIVE(neg) {
  return {.name = "neg",
          .doc = "-a.",
          .infer = infer_numeric,
          .linear_operands = {0},
          .transpose = [](const Call&, int, const Array& cotangent) { return -cotangent; },
          .simplify = simplify_neg,
          .kernel = tile_kernel([](DType t) { return HWY_DYNAMIC_DISPATCH(neg_tile)(t); }),
          .samples = [] { return std::vector<Sample>{elementwise_sample(1)}; },
          .print = print_neg};
}

Array operator+(const Array& a, const Array& b) {
  if (a.is_literal() && b.is_literal()) return a.literal() + b.literal();
  return apply_numeric(kappa_primitive_add(), {{a, b}});
}
Array operator-(const Array& a, const Array& b) {
  if (a.is_literal() && b.is_literal()) return a.literal() - b.literal();
  return apply_numeric(kappa_primitive_sub(), {{a, b}});
}
Array operator*(const Array& a, const Array& b) {
  if (a.is_literal() && b.is_literal()) return a.literal() * b.literal();
  return apply_numeric(kappa_primitive_mul(), {{a, b}});
}
Array operator/(const Array& a, const Array& b) {
  if (a.is_literal() && b.is_literal()) return a.literal() / b.literal();
  return apply_floating(kappa_primitive_div(), {{a, b}});
}
Array operator-(const Array& x) {
  if (x.is_literal()) return -x.literal();
  return apply_numeric(kappa_primitive_neg(), {{x}});
}

}  // namespace kappa

#endif  // HWY_ONCE
