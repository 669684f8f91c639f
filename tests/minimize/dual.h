#pragma once

#include <cmath>

namespace kappa::test {

/// a + b e with e^2 = 0: forward derivatives for the test problems; nested for second ones.
template <class T>
struct Dual {
  T a{}, b{};
  Dual() = default;
  Dual(double x) : a(x), b(0.0) {}  // NOLINT: constants mix with variables
  Dual(T x, T y) : a(x), b(y) {}
};

inline double real(double x) { return x; }
template <class T>
double real(const Dual<T>& x) {
  return real(x.a);
}

template <class T>
Dual<T> operator-(const Dual<T>& x) {
  return {-x.a, -x.b};
}
template <class T>
Dual<T> operator+(const Dual<T>& x, const Dual<T>& y) {
  return {x.a + y.a, x.b + y.b};
}
template <class T>
Dual<T> operator-(const Dual<T>& x, const Dual<T>& y) {
  return {x.a - y.a, x.b - y.b};
}
template <class T>
Dual<T> operator*(const Dual<T>& x, const Dual<T>& y) {
  return {x.a * y.a, x.a * y.b + x.b * y.a};
}
template <class T>
Dual<T> operator/(const Dual<T>& x, const Dual<T>& y) {
  const T q = x.a / y.a;
  return {q, (x.b - q * y.b) / y.a};
}
#define KAPPA_TEST_MIXED(op)                        \
  template <class T>                                \
  Dual<T> operator op(const Dual<T>& x, double y) { \
    return x op Dual<T>(y);                         \
  }                                                 \
  template <class T>                                \
  Dual<T> operator op(double x, const Dual<T>& y) { \
    return Dual<T>(x) op y;                         \
  }
KAPPA_TEST_MIXED(+)
KAPPA_TEST_MIXED(-)
KAPPA_TEST_MIXED(*)
KAPPA_TEST_MIXED(/)
#undef KAPPA_TEST_MIXED

using std::atan;
using std::cos;
using std::exp;
using std::log;
using std::pow;
using std::sin;
using std::sqrt;
template <class T>
Dual<T> exp(const Dual<T>& x) {
  const T e = exp(x.a);
  return {e, e * x.b};
}
template <class T>
Dual<T> log(const Dual<T>& x) {
  return {log(x.a), x.b / x.a};
}
template <class T>
Dual<T> sin(const Dual<T>& x) {
  return {sin(x.a), cos(x.a) * x.b};
}
template <class T>
Dual<T> cos(const Dual<T>& x) {
  return {cos(x.a), -(sin(x.a) * x.b)};
}
template <class T>
Dual<T> sqrt(const Dual<T>& x) {
  const T r = sqrt(x.a);
  return {r, x.b / (2.0 * r)};
}
template <class T>
Dual<T> atan(const Dual<T>& x) {
  return {atan(x.a), x.b / (1.0 + x.a * x.a)};
}
/// x^p for x > 0 and any p.
template <class T>
Dual<T> pow(const Dual<T>& x, const Dual<T>& p) {
  return exp(p * log(x));
}
template <class T>
Dual<T> square(const Dual<T>& x) {
  return x * x;
}
inline double square(double x) { return x * x; }

}  // namespace kappa::test
