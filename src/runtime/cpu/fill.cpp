#include "runtime/cpu/fill.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "runtime/cpu/fill.cpp"
#include "hwy/foreach_target.h"  // must stand before highway.h
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace kappa {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

template <class T>
void fill(T* HWY_RESTRICT target, std::int64_t count, T value) {
  const hn::ScalableTag<T> d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  const auto all = hn::Set(d, value);
  std::int64_t i = 0;
  for (; i + lanes <= count; i += lanes) hn::StoreU(all, d, target + i);
  for (; i < count; ++i) target[i] = value;
}

void fill_u64(std::uint64_t* target, std::int64_t count, std::uint64_t value) {
  fill(target, count, value);
}
void fill_f64(double* target, std::int64_t count, double value) { fill(target, count, value); }
void fill_u32(std::uint32_t* target, std::int64_t count, std::uint32_t value) {
  fill(target, count, value);
}

}  // namespace HWY_NAMESPACE
}  // namespace kappa
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace kappa {

HWY_EXPORT(fill_u64);
HWY_EXPORT(fill_f64);
HWY_EXPORT(fill_u32);

void fill_elements(std::uint64_t* target, std::int64_t count, std::uint64_t value) {
  HWY_DYNAMIC_DISPATCH(fill_u64)(target, count, value);
}
void fill_elements(double* target, std::int64_t count, double value) {
  HWY_DYNAMIC_DISPATCH(fill_f64)(target, count, value);
}
void fill_elements(std::uint32_t* target, std::int64_t count, std::uint32_t value) {
  HWY_DYNAMIC_DISPATCH(fill_u32)(target, count, value);
}

}  // namespace kappa
#endif  // HWY_ONCE
