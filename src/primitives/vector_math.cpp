#include "primitives/vector_math.h"

#include "primitives/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "primitives/vector_math.cpp"
#include "hwy/foreach_target.h"  // must stand before highway.h
#include "hwy/highway.h"
#include "primitives/vector_math-inl.h"

HWY_BEFORE_NAMESPACE();
namespace kappa {
namespace HWY_NAMESPACE {

// Each name of a vector function below, as operation and as choice of a kernel.
#define KAPPA_VECTOR_FUNCTION(NAME, FUNCTION) \
  struct FUNCTION##Operation {                \
    template <class D, class V>               \
    static HWY_INLINE V vector(D d, V x) {    \
      return FUNCTION(d, x);                  \
    }                                         \
  };                                          \
  TileFunction NAME##_vectors(DType dtype) { return floating_tile<FUNCTION##Operation, 1>(dtype); }

KAPPA_VECTOR_FUNCTION(sqrt, SquareRoot)
KAPPA_VECTOR_FUNCTION(relu, Relu)
KAPPA_VECTOR_FUNCTION(exp, SafeExp)
KAPPA_VECTOR_FUNCTION(expm1, SafeExpm1)
KAPPA_VECTOR_FUNCTION(log, SafeLog)
KAPPA_VECTOR_FUNCTION(log1p, SafeLog1p)
KAPPA_VECTOR_FUNCTION(sin, Sine)
KAPPA_VECTOR_FUNCTION(cos, Cosine)
KAPPA_VECTOR_FUNCTION(tanh, SafeTanh)
KAPPA_VECTOR_FUNCTION(sigmoid, Sigmoid)
KAPPA_VECTOR_FUNCTION(softplus, Softplus)

#undef KAPPA_VECTOR_FUNCTION

struct ErfOperation {
  template <class D, class V>
  static HWY_INLINE V vector(D d, V x) {
    return ErfSingle(d, x);
  }
};

TileFunction erf_vectors(DType dtype) {
  return dtype == DType::f32 ? vector_tile<ErfOperation, float, 1> : nullptr;
}

}  // namespace HWY_NAMESPACE
}  // namespace kappa
HWY_AFTER_NAMESPACE();

#if HWY_ONCE

#include <cmath>

#include "primitives/elementwise.h"

namespace kappa {

#define KAPPA_DISPATCH(NAME)  \
  HWY_EXPORT(NAME##_vectors); \
  TileFunction NAME##_tile(DType dtype) { return HWY_DYNAMIC_DISPATCH(NAME##_vectors)(dtype); }

KAPPA_DISPATCH(sqrt)
KAPPA_DISPATCH(relu)
KAPPA_DISPATCH(exp)
KAPPA_DISPATCH(expm1)
KAPPA_DISPATCH(log)
KAPPA_DISPATCH(log1p)
KAPPA_DISPATCH(sin)
KAPPA_DISPATCH(cos)
KAPPA_DISPATCH(tanh)
KAPPA_DISPATCH(sigmoid)
KAPPA_DISPATCH(softplus)

#undef KAPPA_DISPATCH

HWY_EXPORT(erf_vectors);

TileFunction erf_tile(DType dtype) {
  if (dtype == DType::f32) return HWY_DYNAMIC_DISPATCH(erf_vectors)(dtype);
  return scalar_tile([](auto x) { return std::erf(x); }, dtype);
}

}  // namespace kappa

#endif  // HWY_ONCE
