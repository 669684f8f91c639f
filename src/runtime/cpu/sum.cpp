#include "runtime/cpu/sum.h"

#define HWY_DISABLED_TARGETS (HWY_SSSE3 | HWY_SSE4)
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "runtime/cpu/sum.cpp"
#include "hwy/foreach_target.h"
//
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace kappa {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

constexpr std::size_t num_sums = 32;
using Doubles = hn::CappedTag<double, 8>;

inline hn::Vec<Doubles> load(Doubles d, const double* x) { return hn::LoadU(d, x); }
inline hn::Vec<Doubles> load(Doubles d, const float* x) {
  return hn::PromoteTo(d, hn::LoadU(hn::Rebind<float, Doubles>(), x));
}

template <class T>
double sum_of(const T* x, std::int64_t count) {
  const Doubles d;
  const std::size_t lanes = hn::Lanes(d);
  const std::size_t vectors = num_sums / lanes;
  HWY_ALIGN double sums[num_sums] = {};
  std::int64_t i = 0;
  if (vectors == 4) {  // the common case, its running sums in registers
    auto a = hn::Zero(d), b = hn::Zero(d), c = hn::Zero(d), e = hn::Zero(d);
    for (; i + static_cast<std::int64_t>(num_sums) <= count; i += num_sums) {
      a = hn::Add(a, load(d, x + i));
      b = hn::Add(b, load(d, x + i + lanes));
      c = hn::Add(c, load(d, x + i + 2 * lanes));
      e = hn::Add(e, load(d, x + i + 3 * lanes));
    }
    hn::Store(a, d, sums);
    hn::Store(b, d, sums + lanes);
    hn::Store(c, d, sums + 2 * lanes);
    hn::Store(e, d, sums + 3 * lanes);
  } else {
    for (; i + static_cast<std::int64_t>(num_sums) <= count; i += num_sums) {
      for (std::size_t v = 0; v < vectors; ++v) {
        const auto sum = hn::Add(hn::Load(d, sums + v * lanes), load(d, x + i + v * lanes));
        hn::Store(sum, d, sums + v * lanes);
      }
    }
  }
  for (std::size_t k = 0; i < count; ++i, ++k) sums[k] += static_cast<double>(x[i]);
  for (std::size_t width = num_sums / 2; width > 0; width /= 2) {
    for (std::size_t k = 0; k < width; ++k) sums[k] += sums[k + width];
  }
  return sums[0];
}

double sum_doubles(const double* x, std::int64_t count) { return sum_of(x, count); }
double sum_floats(const float* x, std::int64_t count) { return sum_of(x, count); }

}  // namespace HWY_NAMESPACE
}  // namespace kappa
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace kappa {

HWY_EXPORT(sum_doubles);
HWY_EXPORT(sum_floats);

double sum_elements(const double* x, std::int64_t count) {
  return HWY_DYNAMIC_DISPATCH(sum_doubles)(x, count);
}
double sum_elements(const float* x, std::int64_t count) {
  return HWY_DYNAMIC_DISPATCH(sum_floats)(x, count);
}

}  // namespace kappa
#endif
