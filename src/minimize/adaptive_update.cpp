#include "minimize/adaptive_update.h"

#define HWY_DISABLED_TARGETS (HWY_SSSE3 | HWY_SSE4)
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "minimize/adaptive_update.cpp"
#include "hwy/foreach_target.h"
//
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace kappa {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// One vector of the update; returns the step.
template <bool Mean, class D>
hn::Vec<D> update_vector(D d, const AdaptiveUpdate& rule, const double* g_at, double* m_at,
                         double* v_at, double* w_at) {
  const auto times = [d](double factor, auto x) { return hn::Mul(hn::Set(d, factor), x); };
  const auto g = hn::LoadU(d, g_at), w = hn::LoadU(d, w_at);
  const auto v =
      hn::MulAdd(times(1 - rule.second_decay, g), g, times(rule.second_decay, hn::LoadU(d, v_at)));
  hn::StoreU(v, d, v_at);
  auto m = g;
  if constexpr (Mean) {
    m = hn::MulAdd(hn::Set(d, rule.first_decay), hn::LoadU(d, m_at),
                   times(1 - rule.first_decay, g));
    hn::StoreU(m, d, m_at);
  }
  const auto root = hn::Add(hn::Sqrt(times(rule.second_correction, v)), hn::Set(d, rule.epsilon));
  const auto step = times(rule.rate, hn::Add(hn::Div(times(rule.first_correction, m), root),
                                             times(rule.decoupled_decay, w)));
  hn::StoreU(hn::Sub(w, step), d, w_at);
  return step;
}

template <bool Mean>
double update_all(const AdaptiveUpdate& rule, std::size_t n, const double* g, double* m, double* v,
                  double* w) {
  constexpr std::size_t kSums = 8;
  const hn::CappedTag<double, kSums> d;
  const hn::CappedTag<double, 1> one;
  HWY_ALIGN double sums[kSums] = {};
  std::size_t i = 0;
  for (; i + kSums <= n; i += kSums) {
    for (std::size_t j = 0; j < kSums; j += hn::Lanes(d)) {
      const std::size_t k = i + j;
      const auto step = update_vector<Mean>(d, rule, g + k, Mean ? m + k : nullptr, v + k, w + k);
      hn::Store(hn::MulAdd(step, step, hn::Load(d, sums + j)), d, sums + j);
    }
  }
  for (; i < n; ++i) {
    const auto step = update_vector<Mean>(one, rule, g + i, Mean ? m + i : nullptr, v + i, w + i);
    sums[0] += hn::GetLane(hn::Mul(step, step));
  }
  double sum = 0;
  for (const double s : sums) sum += s;
  return sum;
}

double adaptive(const AdaptiveUpdate& rule, std::size_t n, const double* g, double* m, double* v,
                double* w) {
  return rule.first_decay > 0 ? update_all<true>(rule, n, g, m, v, w)
                              : update_all<false>(rule, n, g, m, v, w);
}

}  // namespace HWY_NAMESPACE
}  // namespace kappa
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace kappa {

HWY_EXPORT(adaptive);

double adaptive_update(const AdaptiveUpdate& rule, std::size_t n, const double* g, double* m,
                       double* v, double* w) {
  return HWY_DYNAMIC_DISPATCH(adaptive)(rule, n, g, m, v, w);
}

}  // namespace kappa
#endif
