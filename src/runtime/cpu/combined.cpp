// Compiled with -ffp-contract=off: a fused multiply-add would round once where the operations it
// stands for round twice.

#include "runtime/cpu/combined.h"

#define HWY_DISABLED_TARGETS (HWY_SSSE3 | HWY_SSE4 | HWY_AVX3_DL)
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "runtime/cpu/combined.cpp"
#include "hwy/foreach_target.h"
//
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace kappa {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

struct MultiplyAdd {
  template <class V>
  static V vector(V a, V b, V c) {
    return hn::Add(hn::Mul(a, b), c);
  }
  template <class T>
  static T scalar(T a, T b, T c) {
    return a * b + c;
  }
};
struct MultiplySubtract {
  template <class V>
  static V vector(V a, V b, V c) {
    return hn::Sub(hn::Mul(a, b), c);
  }
  template <class T>
  static T scalar(T a, T b, T c) {
    return a * b - c;
  }
};
struct SubtractProduct {
  template <class V>
  static V vector(V a, V b, V c) {
    return hn::Sub(c, hn::Mul(a, b));
  }
  template <class T>
  static T scalar(T a, T b, T c) {
    return c - a * b;
  }
};
struct MultiplyMultiply {
  template <class V>
  static V vector(V a, V b, V c) {
    return hn::Mul(hn::Mul(a, b), c);
  }
  template <class T>
  static T scalar(T a, T b, T c) {
    return a * b * c;
  }
};

template <class Operation, class T>
void run(const TileCall& call) {
  const hn::ScalableTag<T> d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  const T* a = static_cast<const T*>(call.inputs[0]);
  const T* b = static_cast<const T*>(call.inputs[1]);
  const T* c = static_cast<const T*>(call.inputs[2]);
  T* out = static_cast<T*>(call.output);
  const std::int64_t count = call.count;
  std::int64_t i = 0;
  for (; i + 2 * lanes <= count; i += 2 * lanes) {
    const auto first =
        Operation::vector(hn::LoadU(d, a + i), hn::LoadU(d, b + i), hn::LoadU(d, c + i));
    const auto second = Operation::vector(hn::LoadU(d, a + i + lanes), hn::LoadU(d, b + i + lanes),
                                          hn::LoadU(d, c + i + lanes));
    hn::StoreU(first, d, out + i);
    hn::StoreU(second, d, out + i + lanes);
  }
  for (; i < count; ++i) out[i] = Operation::scalar(a[i], b[i], c[i]);
}

template <class T>
TileFunction choose(Combined which) {
  switch (which) {
    case Combined::multiply_add: return run<MultiplyAdd, T>;
    case Combined::multiply_subtract: return run<MultiplySubtract, T>;
    case Combined::subtract_product: return run<SubtractProduct, T>;
    case Combined::multiply_multiply: return run<MultiplyMultiply, T>;
  }
  return nullptr;
}

TileFunction combined(Combined which, DType dtype) {
  if (dtype == DType::f64) return choose<double>(which);
  if (dtype == DType::f32) return choose<float>(which);
  return nullptr;
}

}  // namespace HWY_NAMESPACE
}  // namespace kappa
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace kappa {

HWY_EXPORT(combined);

TileFunction combined_tile(Combined which, DType dtype) {
  return HWY_DYNAMIC_DISPATCH(combined)(which, dtype);
}

}  // namespace kappa
#endif
