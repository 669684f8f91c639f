#pragma once

#include "program/type.h"

namespace kappa {

/// The type that holds both, by bool < i64 < f32 < f64.
constexpr DType promote(DType a, DType b) {
  const auto rank = [](DType dtype) {
    switch (dtype) {
      case DType::boolean: return 0;
      case DType::i64: return 1;
      case DType::f32: return 2;
      case DType::f64: return 3;
    }
    return 3;
  };
  return rank(a) < rank(b) ? b : a;
}

}  // namespace kappa
