#include "primitives/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "primitives/where.cpp"
#include "hwy/foreach_target.h"  // must stand before highway.h
#include "hwy/highway.h"
#include "primitives/tile-inl.h"

HWY_BEFORE_NAMESPACE();
namespace kappa {
namespace HWY_NAMESPACE {

// Selection moves bits: floating types are handled as integers of their size.
template <class Bits>
void select_loop(const TileCall& call) {
  const auto* condition = static_cast<const std::uint8_t*>(call.inputs[0]);
  const auto* a = static_cast<const Bits*>(call.inputs[1]);
  const auto* b = static_cast<const Bits*>(call.inputs[2]);
  auto* out = static_cast<Bits*>(call.output);
  const std::int64_t count = call.count;  // a store through `out` might change the original
  KAPPA_INDEPENDENT
  for (std::int64_t i = 0; i < count; ++i) {
    const Bits x = a[i], y = b[i];
    out[i] = condition[i] != 0 ? x : y;
  }
}

TileFunction where_tile(DType dtype) {
  switch (size_of(dtype)) {
    case 8: return select_loop<std::uint64_t>;
    case 4: return select_loop<std::uint32_t>;
    default: return select_loop<std::uint8_t>;
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace kappa
HWY_AFTER_NAMESPACE();

#if HWY_ONCE

#include <fmt/format.h>

#include "kappa/error.h"
#include "primitives/elementwise.h"

namespace kappa {
namespace {

HWY_EXPORT(where_tile);

Type infer_where(const Attributes&, std::span<const Type> operands) {
  const Type condition{DType::boolean, operands[1].shape};
  if (!(operands[0] == condition)) {
    throw Error(ErrorKind::type, fmt::format("[where] operand 0 is {} where {} is expected",
                                             to_string(operands[0]), to_string(condition)));
  }
  if (!(operands[1] == operands[2])) {
    throw Error(ErrorKind::type, fmt::format("[where] operand 2 is {}, operand 1 is {}; they must "
                                             "agree",
                                             to_string(operands[2]), to_string(operands[1])));
  }
  return operands[1];
}

}  // namespace

KAPPA_PRIMITIVE(where) {
  return {.name = "where",
          .doc = "a where the condition holds, else b.",
          .num_operands = 3,
          .infer = infer_where,
          .linear_operands = {1, 2},
          .transpose = [](const Call& call, int index, const Array& cotangent) -> Array {
            const Array zero = filled(cotangent, 0);
            return index == 1 ? where(call.operands[0], cotangent, zero)
                              : where(call.operands[0], zero, cotangent);
          },
          .simplify = [](const Call& call) -> Array {
            const Array &condition = call.operands[0], &a = call.operands[1], &b = call.operands[2];
            if (const auto c = constant_value(condition)) return *c != 0 ? a : b;
            if (a.id() == b.id()) return a;
            if (is(condition, kappa_primitive_logical_not())) {
              return where(operand(condition, 0), b, a);
            }
            return {};
          },
          .kernel = tile_kernel([](DType t) { return HWY_DYNAMIC_DISPATCH(where_tile)(t); }),
          .samples =
              [] {
                Sample sample = elementwise_sample(3, {{0, 1}, {-2, 2}, {-2, 2}});
                sample.operands[0].dtype = DType::boolean;
                return std::vector<Sample>{sample};
              }};
}

Array where(const Array& condition, const Array& a, const Array& b) {
  const Array sides[] = {a, b};
  const Array* typed = a.is_literal() && b.is_literal() ? nullptr : sides;
  std::vector<Array> values;
  if (typed != nullptr) {
    values = unify(sides, "where");
  } else {
    Builder& builder = builder_of({{condition}});
    values = {builder.scalar(a.literal(), DType::f64), builder.scalar(b.literal(), DType::f64)};
  }
  const Array flag = convert(condition, DType::boolean);
  const Shape shape = broadcast_shapes(flag.shape(), values[0].shape(), "where");
  const Array operands[] = {broadcast_to(flag, shape), broadcast_to(values[0], shape),
                            broadcast_to(values[1], shape)};
  return operands[0].builder()->apply(kappa_primitive_where(), {}, operands);
}

}  // namespace kappa

#endif  // HWY_ONCE
