#pragma once

#include <cmath>
#include <cstdint>
#include <numbers>

namespace kappa {

/// Random bits with the same sequence on every machine and library: SplitMix64 (Steele, Lea, Flood,
/// OOPSLA 2014). One generator a (seed, stream), so probes do not depend on how many run at once.
class Random {
 public:
  explicit Random(std::uint64_t seed, std::uint64_t stream = 0)
      : state_(mix(seed + 0x9e3779b97f4a7c15ULL) ^ mix(stream * 0xd1342543de82ef95ULL + 1)) {}

  std::uint64_t bits() { return mix(state_ += 0x9e3779b97f4a7c15ULL); }
  /// Uniform in (0, 1].
  double uniform() { return (static_cast<double>(bits() >> 11) + 1.0) * 0x1p-53; }

  void fill_normal(std::int64_t n, double* x) {
    for (std::int64_t i = 0; i < n; i += 2) {  // Box and Muller, in pairs
      const double r = std::sqrt(-2 * std::log(uniform()));
      const double angle = 2 * std::numbers::pi * uniform();
      x[i] = r * std::cos(angle);
      if (i + 1 < n) x[i + 1] = r * std::sin(angle);
    }
  }

  template <class T>
  void fill_signs(std::int64_t n, T* x) {
    std::uint64_t word = 0;
    for (std::int64_t i = 0; i < n; ++i, word >>= 1) {
      if (i % 64 == 0) word = bits();
      x[i] = (word & 1) != 0 ? T{1} : T{-1};
    }
  }

 private:
  static std::uint64_t mix(std::uint64_t z) {
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    return z ^ (z >> 31);
  }
  std::uint64_t state_;
};

}  // namespace kappa
