#pragma once

// The element kernels for every instruction set that this machine may turn out to have.
//
// GCC on x86-64 compiles them in `#pragma GCC target` regions; users need no -march. Other
// compilers get the one kernel of their flags.

#include <array>
#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "kappa/detail/list.h"
#include "kappa/detail/simd.h"
#include "kappa/jet.h"

namespace kappa {

/// What becomes of an element's Hessian before it is added up.
enum class Projection {
  none,      ///< as it is
  clamp,     ///< negative eigenvalues become 0
  absolute,  ///< negative eigenvalues become positive (Chen et al. 2024)
};

/// Instruction sets of the element kernels. `automatic` is the widest that the machine has. Results
/// of two levels agree to rounding, not to the bit.
enum class SimdLevel { automatic, base, avx2, avx512 };

namespace detail {

enum class Question { value, gradient, hessian, product };

/// M for an std::array of M doubles, whose entries become packs; else -1.
template <class Data>
inline constexpr int array_size = -1;
template <std::size_t M>
inline constexpr int array_size<std::array<double, M>> = static_cast<int>(M);
/// Data that is no number is handed over as it is, one element at a time.
template <class Data>
inline constexpr bool is_numeric_data =
    std::is_void_v<Data> || std::is_same_v<Data, double> || array_size<Data> >= 0;

/// Some elements of a kind; entry k of element e stands at [k * stride + e].
struct ElementRange {
  const std::int32_t* indices = nullptr;
  const double* numbers = nullptr;
  const void* records = nullptr;  ///< of the type Data, where that is no number
  std::ptrdiff_t stride = 0;
  int count = 0;
  /// Bit k: variable k of neighbouring elements are neighbours.
  std::uint64_t consecutive = 0;
};

/// Where results go, null for what is not asked; entry k of element e at [k * stride + e].
struct ElementOutputs {
  double* value = nullptr;
  double* gradient = nullptr;  ///< or Hessian products
  double* hessian = nullptr;
  std::ptrdiff_t stride = 0;
  Projection projection = Projection::none;
};

/// Evaluates the elements of a range on the calling thread by the callable at `phi`.
using Kernel = void (*)(const void* phi, const ElementRange& range, const double* x,
                        const double* v, const ElementOutputs& out);

/// The elements of the pack at `first`, where they parted, each in a pack of its own, in all lanes:
/// these go one way.
[[gnu::cold, gnu::noinline]] inline void evaluate_one_by_one(Kernel kernel, int arity,
                                                             int num_numbers, int lanes,
                                                             const void* phi,
                                                             const ElementRange& range,
                                                             const double* x, const double* v,
                                                             const ElementOutputs& out, int first) {
  List<std::int32_t> indices;
  List<double> numbers;
  List<double> results;
  indices.resize(static_cast<std::size_t>(arity * lanes));
  numbers.resize(static_cast<std::size_t>(num_numbers * lanes));
  results.resize(static_cast<std::size_t>((1 + arity + arity * (arity + 1) / 2) * lanes));
  const ElementRange one{indices.data(), numbers.data(), nullptr, lanes, lanes, 0};
  double* const gradient = results.data() + lanes;
  double* const hessian = gradient + arity * lanes;
  const ElementOutputs out_of_one{
      out.value == nullptr ? nullptr : results.data(), out.gradient == nullptr ? nullptr : gradient,
      out.hessian == nullptr ? nullptr : hessian, lanes, out.projection};
  const auto copy = [&](const double* from, int count, double* to) {
    if (to == nullptr) return;
    for (int k = 0; k < count; ++k) to[k * out.stride] = from[k * lanes];
  };
  for (int e = first; e < first + lanes; ++e) {
    for (int l = 0; l < lanes; ++l) {
      for (int k = 0; k < arity; ++k) {
        indices.data()[k * lanes + l] = range.indices[k * range.stride + e];
      }
      for (int m = 0; m < num_numbers; ++m) {
        numbers.data()[m * lanes + l] = range.numbers[m * range.stride + e];
      }
    }
    kernel(phi, one, x, v, out_of_one);
    copy(results.data(), 1, out.value == nullptr ? nullptr : out.value + e);
    copy(gradient, arity, out.gradient == nullptr ? nullptr : out.gradient + e);
    copy(hessian, arity * (arity + 1) / 2, out.hessian == nullptr ? nullptr : out.hessian + e);
  }
}

/// Data as the callable sees it.
template <class Data, class S>
struct SeenData {
  using type = Data;
};
template <class S>
struct SeenData<double, S> {
  using type = jets::ValueJet<S>;
};
template <std::size_t M, class S>
struct SeenData<std::array<double, M>, S> {
  using type = Vec<jets::ValueJet<S>, static_cast<int>(M)>;
};

/// Asked once for each kind of elements, with plain values, so that a mistake is one sentence.
template <class J, class F, class X, class... Data>
consteval bool check_callable() {
  constexpr bool callable = std::is_invocable_v<const F&, const X&, const Data&...>;
  static_assert(callable,
                "kappa: the callable of these elements is called as phi(x), or phi(x, data) where "
                "elements(indices, data, phi) was given data; it must be const");
  if constexpr (callable) {
    using Result = std::remove_cvref_t<decltype(std::declval<const F&>()(
        std::declval<const X&>(), std::declval<const Data&>()...))>;
    constexpr bool returns_jet = std::is_same_v<Result, J>;
    static_assert(returns_jet,
                  "kappa: the callable must return its scalar type T; a result of type double has "
                  "lost the derivatives (write `T sum = 0`, not `double sum = 0`)");
    return returns_jet;
  }
  return false;
}
template <int N, class Data, class Phi>
consteval bool check_phi() {
  using J = jets::ValueJet<double>;
  if constexpr (std::is_void_v<Data>) {
    return check_callable<J, Phi, Vec<J, N>>();
  } else {
    return check_callable<J, Phi, Vec<J, N>, typename SeenData<Data, double>::type>();
  }
}

/// What stands for elements that failed a check.
struct NoElement {
  template <class X>
  auto operator()(const X& x) const {
    return x[0];
  }
};

}  // namespace detail

#if defined(__GNUC__) && !defined(__clang__)
// A jet that is not curved leaves its Hessian unwritten; GCC cannot always see that it is not read.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#pragma GCC diagnostic ignored "-Wuninitialized"
#endif

namespace jets {
#define KAPPA_SIMD_LANES KAPPA_BASE_LANES
#include "kappa/detail/element_kernel.inc"
#undef KAPPA_SIMD_LANES
}  // namespace jets

#if defined(__GNUC__) && !defined(__clang__) && defined(__x86_64__) && !defined(KAPPA_NO_DISPATCH)
#if KAPPA_BASE_LANES < 4
#define KAPPA_HAVE_AVX2_KERNELS
#pragma GCC push_options
#pragma GCC target("avx2,fma")
namespace jets_avx2 {
#define KAPPA_SIMD_LANES 4
// clang-format off
#include "kappa/detail/pack.inc"
#include "kappa/detail/jets.inc"
#include "kappa/detail/jet_math.inc"
#include "kappa/detail/element_kernel.inc"
// clang-format on
#undef KAPPA_SIMD_LANES
}  // namespace jets_avx2
#pragma GCC pop_options
#endif
#if KAPPA_BASE_LANES < 8
#define KAPPA_HAVE_AVX512_KERNELS
#pragma GCC push_options
#pragma GCC target("avx2,fma,avx512f,avx512dq,avx512vl,prefer-vector-width=512")
namespace jets_avx512 {
#define KAPPA_SIMD_LANES 8
// clang-format off
#include "kappa/detail/pack.inc"
#include "kappa/detail/jets.inc"
#include "kappa/detail/jet_math.inc"
#include "kappa/detail/element_kernel.inc"
// clang-format on
#undef KAPPA_SIMD_LANES
}  // namespace jets_avx512
#pragma GCC pop_options
#endif
#endif

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic pop
#endif

namespace detail {

/// The widest level that this machine and this translation unit both have, at most `wanted`.
inline SimdLevel simd_level(SimdLevel wanted) {
  SimdLevel best = SimdLevel::base;
#ifdef KAPPA_HAVE_AVX2_KERNELS
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) best = SimdLevel::avx2;
#endif
#ifdef KAPPA_HAVE_AVX512_KERNELS
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
      __builtin_cpu_supports("avx512vl")) {
    best = SimdLevel::avx512;
  }
#endif
  return wanted == SimdLevel::automatic || wanted > best ? best : wanted;
}

/// The kernel of the level. With packs the `count` of its ranges is a multiple of 8.
template <Question q, int N, class Data, bool kPacks, class F>
inline Kernel kernel_for([[maybe_unused]] SimdLevel level) {
  if constexpr (!kPacks) {
    return jets::element_kernel<q, N, Data, double, F>;
  } else {
#ifdef KAPPA_HAVE_AVX512_KERNELS
    if (level == SimdLevel::avx512) {
      return jets_avx512::element_kernel<q, N, Data, jets_avx512::Pack, F>;
    }
#endif
#ifdef KAPPA_HAVE_AVX2_KERNELS
    if (level == SimdLevel::avx2) return jets_avx2::element_kernel<q, N, Data, jets_avx2::Pack, F>;
#endif
    return jets::element_kernel<q, N, Data, jets::Pack, F>;
  }
}

}  // namespace detail
}  // namespace kappa
