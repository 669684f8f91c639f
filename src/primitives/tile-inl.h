// Tile loops, compiled once for each SIMD target (hence no ordinary include guard).
//
// An operation is a struct with a static template `vector(d, v...)` for floating types, and for the
// generic loops a static template `scalar(x...)`. Each result element depends on its operand
// elements alone, with the same bits at any position of a run: the rest of a run that fills no
// vector is moved to padded buffers and goes through the same code.
#if defined(KAPPA_PRIMITIVES_TILE_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef KAPPA_PRIMITIVES_TILE_INL_H
#undef KAPPA_PRIMITIVES_TILE_INL_H
#else
#define KAPPA_PRIMITIVES_TILE_INL_H
#endif

#include <cstring>
#include <utility>

#include "hwy/highway.h"
#include "program/primitive.h"

#if defined(__clang__)
#define KAPPA_INDEPENDENT _Pragma("clang loop vectorize(assume_safety)")
#else
#define KAPPA_INDEPENDENT _Pragma("GCC ivdep")
#endif

HWY_BEFORE_NAMESPACE();
namespace kappa {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

template <class Operation, class T, std::size_t... I>
HWY_INLINE void map_vectors(const TileCall& call, std::index_sequence<I...>) {
  const hn::ScalableTag<T> d;
  constexpr std::size_t max_lanes = hn::MaxLanes(d);
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  const T* in[] = {static_cast<const T*>(call.inputs[I])...};
  T* out = static_cast<T*>(call.output);
  std::int64_t count = call.count;
  HWY_ALIGN T padded_in[sizeof...(I)][max_lanes];
  HWY_ALIGN T padded_out[max_lanes];
  T* rest_out = nullptr;
  std::size_t rest = 0;
  for (;;) {
    std::int64_t i = 0;
    for (; i + lanes <= count; i += lanes) {
      hn::StoreU(Operation::vector(d, hn::LoadU(d, in[I] + i)...), d, out + i);
    }
    if (i == count) break;
    rest = static_cast<std::size_t>(count - i);
    rest_out = out + i;
    for (std::size_t k = 0; k < sizeof...(I); ++k) {
      std::memcpy(padded_in[k], in[k] + i, rest * sizeof(T));
      for (std::size_t j = rest; j < max_lanes; ++j) padded_in[k][j] = padded_in[k][0];
      in[k] = padded_in[k];
    }
    out = padded_out;
    count = lanes;
  }
  if (rest_out != nullptr) std::memcpy(rest_out, padded_out, rest * sizeof(T));
}

/// Operation::vector over operands of type T.
template <class Operation, class T, std::size_t num_operands>
void vector_tile(const TileCall& call) {
  map_vectors<Operation, T>(call, std::make_index_sequence<num_operands>{});
}

/// Operation::scalar, one operand; left to the compiler to vectorise for the target.
template <class Operation, class In, class Out>
void unary_loop(const TileCall& call) {
  const In* a = static_cast<const In*>(call.inputs[0]);
  Out* out = static_cast<Out*>(call.output);
  const std::int64_t count = call.count;  // a store through `out` might change the original
  KAPPA_INDEPENDENT
  for (std::int64_t i = 0; i < count; ++i) out[i] = Operation::scalar(a[i]);
}

template <class Operation, class In, class Out>
void binary_loop(const TileCall& call) {
  const In* a = static_cast<const In*>(call.inputs[0]);
  const In* b = static_cast<const In*>(call.inputs[1]);
  Out* out = static_cast<Out*>(call.output);
  const std::int64_t count = call.count;  // a store through `out` might change the original
  KAPPA_INDEPENDENT
  for (std::int64_t i = 0; i < count; ++i) out[i] = Operation::scalar(a[i], b[i]);
}

/// Floating types by vectors, i64 by the generic loop on unsigned (which wraps) of the same bits.
template <class Operation, std::size_t num_operands>
TileFunction arithmetic_tile(DType dtype) {
  switch (dtype) {
    case DType::f64: return vector_tile<Operation, double, num_operands>;
    case DType::f32: return vector_tile<Operation, float, num_operands>;
    case DType::i64:
      if constexpr (num_operands == 1) return unary_loop<Operation, std::uint64_t, std::uint64_t>;
      if constexpr (num_operands == 2) return binary_loop<Operation, std::uint64_t, std::uint64_t>;
      return nullptr;
    default: return nullptr;
  }
}

/// Floating types only.
template <class Operation, std::size_t num_operands>
TileFunction floating_tile(DType dtype) {
  switch (dtype) {
    case DType::f64: return vector_tile<Operation, double, num_operands>;
    case DType::f32: return vector_tile<Operation, float, num_operands>;
    default: return nullptr;
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace kappa
HWY_AFTER_NAMESPACE();

#endif  // per-target guard
