// Every function of the jets against differences in long double, identities, and its edges.
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "kappa/jet.h"

namespace {

using kappa::Jet;
using J1 = Jet<1>;
using L = long double;

constexpr double kInf = std::numeric_limits<double>::infinity();

/// Sixth-order central differences; in long double good to about 1e-12 of the local scale.
L difference(const std::function<L(L)>& f, L x, L h) {
  return (45 * (f(x + h) - f(x - h)) - 9 * (f(x + 2 * h) - f(x - 2 * h)) +
          (f(x + 3 * h) - f(x - 3 * h))) /
         (60 * h);
}
L second_difference(const std::function<L(L)>& f, L x, L h) {
  return (270 * (f(x + h) + f(x - h)) - 27 * (f(x + 2 * h) + f(x - 2 * h)) +
          2 * (f(x + 3 * h) + f(x - 3 * h)) - 490 * f(x)) /
         (180 * h * h);
}

struct Unary {
  std::string name;
  std::function<J1(const J1&)> jet;
  std::function<L(L)> plain;
  std::vector<double> points;
  std::vector<double> singular = {};  ///< differences keep away from these
};

#define UNARY(name, ...)                                                                           \
  Unary {                                                                                          \
#name, [](const J1& x) { return name(x); }, [](L x) -> L { return std::name(x); }, __VA_ARGS__ \
  }

const std::vector<Unary>& unary_functions() {
  static const std::vector<Unary> functions = {
      UNARY(exp, {-20, -1, 0, 0.7, 5}),
      UNARY(expm1, {-20, -1, 0, 1e-9, 0.7, 5}),
      UNARY(log, {1e-3, 0.5, 1, 2, 1e6}, {0}),
      UNARY(log1p, {-0.9, 0, 1e-9, 2, 1e6}, {-1}),
      UNARY(log2, {1e-3, 0.5, 1, 2, 1e6}, {0}),
      UNARY(log10, {1e-3, 0.5, 1, 2, 1e6}, {0}),
      UNARY(sqrt, {1e-3, 0.5, 1, 2, 1e6}, {0}),
      UNARY(cbrt, {-8, -0.5, 0.5, 2, 1e6}, {0}),
      UNARY(abs, {-8, -0.5, 0.5, 2}, {0}),
      UNARY(fabs, {-8, 2}, {0}),
      UNARY(sin, {-8, -0.5, 0, 0.5, 2, 100}),
      UNARY(cos, {-8, -0.5, 0, 0.5, 2, 100}),
      UNARY(tan, {-1.2, -0.5, 0, 0.5, 1.3}, {-1.5707963, 1.5707963}),
      UNARY(asin, {-0.95, -0.5, 0, 0.5, 0.95}, {-1, 1}),
      UNARY(acos, {-0.95, -0.5, 0, 0.5, 0.95}, {-1, 1}),
      UNARY(atan, {-100, -0.5, 0, 0.5, 7}),
      UNARY(sinh, {-5, -0.5, 0, 0.5, 5}),
      UNARY(cosh, {-5, -0.5, 0, 0.5, 5}),
      UNARY(tanh, {-5, -0.5, 0, 0.5, 5}),
      UNARY(asinh, {-100, -0.5, 0, 0.5, 7}),
      UNARY(acosh, {1.05, 1.5, 7}, {1}),
      UNARY(atanh, {-0.95, -0.5, 0, 0.5, 0.95}, {-1, 1}),
      UNARY(erf, {-3, -0.5, 0, 0.5, 3}),
      UNARY(erfc, {-3, -0.5, 0, 0.5, 3}),
      UNARY(lgamma, {-2.5, -0.3, 0.2, 0.5, 1, 2, 3.7, 9.5, 30, 1e4}, {0, -1, -2, -3}),
      {"pow(x, 2)", [](const J1& x) { return pow(x, 2); }, [](L x) { return x * x; }, {-2, 0, 3}},
      {"pow(x, 5)",
       [](const J1& x) { return pow(x, 5); },
       [](L x) { return x * x * x * x * x; },
       {-2, 0, 3}},
      {"pow(x, -3)",
       [](const J1& x) { return pow(x, -3); },
       [](L x) { return 1 / (x * x * x); },
       {-2, 0.5, 3},
       {0}},
      {"pow(x, 1)", [](const J1& x) { return pow(x, 1); }, [](L x) { return x; }, {-2, 0, 3}},
      {"pow(x, 0)", [](const J1& x) { return pow(x, 0); }, [](L) { return L(1); }, {-2, 0, 3}},
      {"pow(x, 2.0)",
       [](const J1& x) { return pow(x, 2.0); },
       [](L x) { return x * x; },
       {-2, 0, 3}},
      {"pow(x, 3.0)",
       [](const J1& x) { return pow(x, 3.0); },
       [](L x) { return x * x * x; },
       {-2, 0, 3}},
      {"pow(x, 1.7)",
       [](const J1& x) { return pow(x, 1.7); },
       [](L x) { return std::pow(x, L(1.7)); },
       {0.5, 3},
       {0}},
      {"pow(2.5, x)",
       [](const J1& x) { return pow(2.5, x); },
       [](L x) { return std::pow(L(2.5), x); },
       {-2, 0, 3}},
      {"pow(x, x)",
       [](const J1& x) { return pow(x, x); },
       [](L x) { return std::pow(x, x); },
       {0.3, 1, 2, 3.5},
       {0}},
      {"hypot(x, 3)",
       [](const J1& x) { return hypot(x, 3); },
       [](L x) { return std::hypot(x, L(3)); },
       {-4, 0, 1}},
      {"hypot(x, x^2)",
       [](const J1& x) { return hypot(x, x * x); },
       [](L x) { return std::hypot(x, x * x); },
       {-4, 1}},
      {"atan2(x, 2)",
       [](const J1& x) { return atan2(x, 2); },
       [](L x) { return std::atan2(x, L(2)); },
       {-4, 0, 1}},
      {"atan2(1, x)",
       [](const J1& x) { return atan2(1, x); },
       [](L x) { return std::atan2(L(1), x); },
       {-4, 0, 1}},
      {"atan2(x, x^2 - 3)",
       [](const J1& x) { return atan2(x, x * x - 3); },
       [](L x) { return std::atan2(x, x * x - 3); },
       {-4, 0.3, 1}},
      {"fma",
       [](const J1& x) { return fma(x, sin(x), x); },
       [](L x) { return x * std::sin(x) + x; },
       {-1, 2}},
      {"min",
       [](const J1& x) { return min(x * x, x + 1); },
       [](L x) { return std::min(x * x, x + 1); },
       {-3, 0.5, 3}},
      {"max",
       [](const J1& x) { return max(x * x, 2); },
       [](L x) { return std::max(x * x, L(2)); },
       {-3, 0.5, 3}},
      {"x / (1 + x^2)",
       [](const J1& x) { return x / (1 + x * x); },
       [](L x) { return x / (1 + x * x); },
       {-3, 0, 0.5}},
      {"2 / x - x / 3",
       [](const J1& x) { return 2 / x - x / 3; },
       [](L x) { return 2 / x - x / 3; },
       {-3, 0.5},
       {0}},
      {"-x + 1 - (2 - x) * 3",
       [](const J1& x) { return -x + 1 - (2 - x) * 3; },
       [](L x) { return -x + 1 - (2 - x) * 3; },
       {-3, 0.5}},
  };
  return functions;
}

TEST(JetMath, ValueAndDerivativesEqualDifferencesInLongDouble) {
  for (const Unary& f : unary_functions()) {
    for (const double x : f.points) {
      SCOPED_TRACE(f.name + " at " + std::to_string(x));
      const J1 y = f.jet(J1::variable(x, 0));
      L room = f.singular.empty() ? 1 : std::numeric_limits<L>::infinity();
      for (const double s : f.singular) room = std::min(room, std::abs(L(x) - L(s)));
      const L h = L(5e-3) * room;
      const L scale = 1 + std::abs(f.plain(x));
      const L d1 = difference(f.plain, x, h);
      const L d2 = second_difference(f.plain, x, h);
      EXPECT_NEAR(y.value, double(f.plain(x)), 4e-16 * double(scale));
      EXPECT_NEAR(y.gradient[0], double(d1), 1e-9 * double(std::abs(d1) + scale));
      EXPECT_NEAR(y.hessian(0, 0), double(d2), 2e-8 * double(std::abs(d2) + std::abs(d1) + scale));
    }
  }
}

/// The same expression by all four kinds of jets, of an argument with curvature of its own.
template <class F>
void expect_kinds_agree(const F& f, double a, double b, const std::string& name) {
  SCOPED_TRACE(name);
  const auto curved = [&](const auto& x) { return f(x[0] * x[1] + 0.25 * x[1] + x[0] * 0.5); };
  const std::array<double, 2> x = {a, b};
  const std::array<double, 2> v = {0.7, -1.3};
  const auto full = kappa::evaluate(curved, x);
  const auto g = kappa::gradient(curved, x);
  const auto hv = kappa::hvp(curved, x, v);
  EXPECT_EQ(kappa::value(curved, x), full.value);
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(g[i], full.gradient[i]);
    const double product = full.hessian(i, 0) * v[0] + full.hessian(i, 1) * v[1];
    const double scale = std::abs(full.hessian(i, 0)) + std::abs(full.hessian(i, 1)) + 1e-300;
    EXPECT_NEAR(hv[i], product, 4e-15 * scale);
  }
}

TEST(JetMath, ProductJetsAndGradientJetsAgreeWithSecondOrderJets) {
#define AGREE(expression) \
  expect_kinds_agree([](const auto& x) { return expression; }, 0.4, 0.9, #expression)
  AGREE(exp(x));
  AGREE(expm1(x));
  AGREE(log(x));
  AGREE(log1p(x));
  AGREE(log2(x));
  AGREE(log10(x));
  AGREE(sqrt(x));
  AGREE(cbrt(x));
  AGREE(abs(x));
  AGREE(sin(x));
  AGREE(cos(x));
  AGREE(tan(x));
  AGREE(asin(x));
  AGREE(acos(x));
  AGREE(atan(x));
  AGREE(sinh(x));
  AGREE(cosh(x));
  AGREE(tanh(x));
  AGREE(asinh(x));
  AGREE(acosh(x + 1));
  AGREE(atanh(x));
  AGREE(erf(x));
  AGREE(erfc(x));
  AGREE(lgamma(x));
  AGREE(pow(x, 3));
  AGREE(pow(x, -2));
  AGREE(pow(x, 2.5));
  AGREE(pow(2, x));
  AGREE(pow(x, x));
  AGREE(hypot(x, x * x));
  AGREE(hypot(2, x));
  AGREE(atan2(x, x * x + 1));
  AGREE(min(x, x * x));
  AGREE(max(x, 0.1));
  AGREE(x / (1 + x));
  AGREE(2 / x);
  AGREE(x - x * x);
  AGREE(3 - x);
  AGREE(x / 4);
  AGREE(-x);
  AGREE(fma(x, x, x));
  AGREE(select(x < 1, x * x, x));
#undef AGREE
}

/// identity(x) has value, slope and curvature of a known simple function.
void expect_identity(const std::function<J1(const J1&)>& left,
                     const std::function<J1(const J1&)>& right, std::vector<double> points,
                     const char* name) {
  for (const double x : points) {
    SCOPED_TRACE(std::string(name) + " at " + std::to_string(x));
    const J1 a = left(J1::variable(x, 0));
    const J1 b = right(J1::variable(x, 0));
    EXPECT_NEAR(a.value, b.value, 1e-13 * (1 + std::abs(b.value)));
    EXPECT_NEAR(a.gradient[0], b.gradient[0], 1e-13 * (1 + std::abs(b.gradient[0])));
    EXPECT_NEAR(a.hessian(0, 0), b.hessian(0, 0), 1e-13 * (1 + std::abs(b.hessian(0, 0))));
  }
}

TEST(JetMath, Identities) {
#define IDENTITY(left, right, ...)                                                                \
  expect_identity([](const J1& x) { return J1(left); },                                           \
                  [](const J1& x) { return J1(right + 0 * x); }, std::vector<double> __VA_ARGS__, \
                  #left " = " #right)
  IDENTITY(sin(x) * sin(x) + cos(x) * cos(x), 1.0, {-3, 0, 0.4, 10});
  IDENTITY(cosh(x) * cosh(x) - sinh(x) * sinh(x), 1.0, {-1.5, 0, 0.4, 1});
  IDENTITY(exp(log(x)), x, {0.1, 1, 7});
  IDENTITY(expm1(log1p(x)), x, {-0.5, 0, 1e-8, 3});
  IDENTITY(tan(x), sin(x) / cos(x), {-1, 0, 0.5, 2});
  IDENTITY(tanh(x), sinh(x) / cosh(x), {-1, 0, 0.5, 2});
  IDENTITY(asin(x) + acos(x), 1.57079632679489662, {-0.9, 0, 0.4});
  IDENTITY(sin(asin(x)), x, {-0.9, 0, 0.4});
  IDENTITY(tan(atan(x)), x, {-0.9, 0, 2});
  IDENTITY(sinh(asinh(x)), x, {-0.9, 0, 2});
  IDENTITY(cosh(acosh(x)), x, {1.5, 2, 5});
  IDENTITY(tanh(atanh(x)), x, {-0.9, 0, 0.7});
  IDENTITY(erf(x) + erfc(x), 1.0, {-2, 0, 0.7});
  IDENTITY(log2(x) * 0.693147180559945309, log(x), {0.3, 1, 50});
  IDENTITY(log10(x) * 2.302585092994045684, log(x), {0.3, 1, 50});
  IDENTITY(lgamma(x + 1) - lgamma(x), log(x), {0.2, 1, 4.5, 12});
  IDENTITY(pow(cbrt(x), 3), x, {-8, 0.3, 2});
  IDENTITY(pow(x, 3), x * x * x, {-8, 0, 2});
  IDENTITY(pow(x, 0.5), sqrt(x), {0.1, 1, 9});
  IDENTITY(pow(x, x), exp(x * log(x)), {0.1, 1, 3});
  IDENTITY(pow(x, J1(3.0)), x * x * x, {-8, 0, 2});
  IDENTITY(pow(3, x), exp(x * std::log(3.0)), {-2, 0, 2});
  IDENTITY(hypot(x, 2 * x), sqrt(5 * x * x), {-2, 3});
  IDENTITY(atan2(x, 1), atan(x), {-2, 0, 3});
  IDENTITY(abs(x) * abs(x), x * x, {-2, 3});
  IDENTITY(min(x, 1 - x) + max(x, 1 - x), 1.0, {-2, 0.2, 3});
#undef IDENTITY
}

TEST(JetMath, SecondDerivativesAtTheEdges) {
  const J1 zero = J1::variable(0.0, 0);
  for (const J1& square : {pow(zero, 2), pow(zero, 2.0), pow(zero, J1(2.0)), zero * zero}) {
    EXPECT_EQ(square.value, 0);
    EXPECT_EQ(square.gradient[0], 0);
    EXPECT_EQ(square.hessian(0, 0), 2);
  }
  EXPECT_EQ(pow(zero, 3.0).hessian(0, 0), 0);
  EXPECT_EQ(pow(zero, 1.0).gradient[0], 1);
  EXPECT_EQ(pow(zero, 1.0).hessian(0, 0), 0);
  EXPECT_EQ(pow(zero, 0.0).value, 1);
  EXPECT_EQ(pow(zero, 0.0).gradient[0], 0);
  EXPECT_EQ(pow(zero, 1.5).gradient[0], 0);
  EXPECT_EQ(pow(zero, 1.5).hessian(0, 0), kInf);
  EXPECT_EQ(pow(J1::variable(-3.0, 0), 2.0).hessian(0, 0), 2);
  EXPECT_EQ(pow(0.0, J1::variable(2.0, 0)).hessian(0, 0), 0);

  EXPECT_EQ(sqrt(zero).gradient[0], kInf);
  EXPECT_EQ(sqrt(zero).hessian(0, 0), -kInf);
  EXPECT_TRUE(std::isnan(sqrt(J1::variable(-1.0, 0)).hessian(0, 0)));
  EXPECT_EQ(log(zero).gradient[0], kInf);

  EXPECT_EQ(abs(zero).gradient[0], 0);
  EXPECT_EQ(abs(zero).hessian(0, 0), 0);
  EXPECT_EQ(abs(J1::variable(-0.0, 0)).value, 0);
  EXPECT_FALSE(std::signbit(abs(J1::variable(-0.0, 0)).value));

  using J2 = Jet<2>;
  const J2 x = J2::variable(3.0, 0);
  const J2 y = J2::variable(0.0, 1);
  const J2 h = hypot(x, y);  // on the axis everything exists
  EXPECT_EQ(h.value, 3);
  EXPECT_EQ(h.gradient[0], 1);
  EXPECT_EQ(h.hessian(0, 0), 0);
  EXPECT_EQ(h.hessian(0, 1), 0);
  EXPECT_NEAR(h.hessian(1, 1), 1.0 / 3, 1e-16);
  const J2 origin = hypot(J2::variable(0.0, 0), y);
  EXPECT_EQ(origin.value, 0);
  EXPECT_EQ(origin.gradient[0], 0);
  EXPECT_TRUE(std::isnan(origin.hessian(0, 0)));
  const J2 large = hypot(J2::variable(1e200, 0), J2::variable(1e200, 1));
  EXPECT_NEAR(large.gradient[0], std::sqrt(0.5), 1e-15);
  EXPECT_TRUE(std::isfinite(large.hessian(0, 1)));
  const J2 branch = atan2(J2::variable(0.0, 0), J2::variable(-2.0, 1));
  EXPECT_NEAR(branch.value, 3.14159265358979, 1e-14);
  EXPECT_EQ(branch.gradient[0], -0.5);

  // exp(-x^2) stays exact far out; tanh and erf saturate without NaN.
  EXPECT_EQ(tanh(J1::variable(400.0, 0)).hessian(0, 0), 0);
  EXPECT_EQ(tanh(J1::variable(1e4, 0)).gradient[0], 0);
  EXPECT_EQ(erf(J1::variable(40.0, 0)).gradient[0], 0);
  // Relative accuracy of 1 - tanh^2 = 4 exp(-2x) at 20, where 1 - f * f is 0.
  EXPECT_NEAR(tanh(J1::variable(20.0, 0)).gradient[0] / (4 * std::exp(-40.0)), 1, 1e-13);
}

TEST(JetMath, DigammaAndTrigammaAtKnownPoints) {
  constexpr double kEuler = 0.57721566490153286061;
  constexpr double kPi = kappa::detail::kPi;
  using kappa::detail::digamma;
  using kappa::detail::trigamma;
  EXPECT_NEAR(digamma(1), -kEuler, 1e-15);
  EXPECT_NEAR(digamma(0.5), -kEuler - 2 * std::log(2.0), 2e-15);
  EXPECT_NEAR(digamma(10), 2.25175258906672110764, 1e-15);
  EXPECT_NEAR(trigamma(1), kPi * kPi / 6, 1e-15);
  EXPECT_NEAR(trigamma(0.5), kPi * kPi / 2, 4e-15);
  EXPECT_NEAR(trigamma(-0.5), kPi * kPi / 2 + 4, 1e-14);
  EXPECT_TRUE(std::isnan(digamma(-2)));
  EXPECT_TRUE(std::isnan(trigamma(0)));
}

TEST(JetMath, MinAndMaxTakeTheFirstAtATie) {
  const J1 x = J1::variable(1.0, 0);
  EXPECT_EQ(min(x, 2 * x - 1).gradient[0], 1);
  EXPECT_EQ(max(x, 2 * x - 1).gradient[0], 1);
  EXPECT_EQ(min(2 * x - 1, x).gradient[0], 2);
}

}  // namespace
