// erf, erfc, lgamma, polygamma.

#include <boost/math/special_functions/digamma.hpp>
#include <boost/math/special_functions/polygamma.hpp>
#include <boost/math/special_functions/trigamma.hpp>
#include <cmath>
#include <numbers>

#include "kappa/error.h"
#include "primitives/elementwise.h"
#include "primitives/vector_math.h"

namespace kappa {
namespace {

constexpr double two_over_root_pi = 2 * std::numbers::inv_sqrtpi;

// std::lgamma writes the global signgam, which threads would race for.
double log_gamma(double x) {
  int sign = 0;
  return ::lgamma_r(x, &sign);
}

// Poles and overflow answer with infinities and NaN; boost would throw.
using Policy = boost::math::policies::policy<
    boost::math::policies::domain_error<boost::math::policies::ignore_error>,
    boost::math::policies::pole_error<boost::math::policies::ignore_error>,
    boost::math::policies::overflow_error<boost::math::policies::ignore_error>,
    boost::math::policies::evaluation_error<boost::math::policies::ignore_error>,
    boost::math::policies::promote_double<false>>;

double polygamma_value(std::int64_t order, double x) {
  constexpr double inf = std::numeric_limits<double>::infinity();
  if (std::isnan(x) || x == -inf) return std::numeric_limits<double>::quiet_NaN();
  if (x == inf) return order == 0 ? inf : 0;
  if (order == 0) return boost::math::digamma(x, Policy{});
  if (order == 1) return boost::math::trigamma(x, Policy{});
  return boost::math::polygamma(static_cast<int>(order), x, Policy{});
}

template <class T>
void polygamma_loop(const TileCall& call) {
  const std::int64_t order = call.attributes.integer("order");
  const T* x = static_cast<const T*>(call.inputs[0]);
  T* out = static_cast<T*>(call.output);
  for (std::int64_t i = 0; i < call.count; ++i) {
    out[i] = static_cast<T>(polygamma_value(order, x[i]));
  }
}

}  // namespace

KAPPA_PRIMITIVE(erf) {
  return unary_primitive({.name = "erf",
                          .doc =
                              "Error function, 2/sqrt(pi) times the integral of exp(-t^2) from 0 "
                              "to x.",
                          .kernel = tile_kernel(erf_tile),
                          .jvp = [](const Array& x, const Array&, const Array& dx) {
                            return (two_over_root_pi * exp(-(x * x))) * dx;
                          }});
}

KAPPA_PRIMITIVE(erfc) {
  return unary_primitive({.name = "erfc",
                          .doc = "1 - erf(x), accurate where erf is close to 1.",
                          .kernel = tile_kernel([](DType t) {
                            return scalar_tile([](auto x) { return std::erfc(x); }, t);
                          }),
                          .jvp = [](const Array& x, const Array&, const Array& dx) {
                            return -((two_over_root_pi * exp(-(x * x))) * dx);
                          }});
}

KAPPA_PRIMITIVE(lgamma) {
  return unary_primitive(
      {.name = "lgamma",
       .doc = "Logarithm of the absolute value of the gamma function.",
       .kernel = tile_kernel([](DType t) {
         return scalar_tile([](auto x) { return static_cast<decltype(x)>(log_gamma(x)); }, t);
       }),
       .jvp = [](const Array& x, const Array&, const Array& dx) { return polygamma(0, x) * dx; },
       .range = {0.5, 5}});
}

KAPPA_PRIMITIVE(polygamma) {
  return {.name = "polygamma",
          .doc = "Derivative number order + 1 of lgamma.",
          .infer = infer_floating,
          .jvp =
              [](const Call& call, std::span<const Array> tangents) {
                return polygamma(call.attributes.integer("order") + 1, call.operands[0]) *
                       tangents[0];
              },
          .kernel = {.tile = [](std::span<const Type>, const Type& result) -> TileFunction {
                       return result.dtype == DType::f64 ? polygamma_loop<double>
                                                         : polygamma_loop<float>;
                     },
                     .element_cost = transcendental_cost},
          .samples =
              [] {
                std::vector<Sample> samples;
                for (const std::int64_t order : {0, 1, 2}) {
                  samples.push_back(elementwise_sample(1, {{0.7, 5}}));
                  samples.back().attributes = {{"order", order}};
                }
                return samples;
              },
          .print =
              [](const Attributes& attributes, std::span<const Printed> operands) {
                return Printed{"polygamma(" + std::to_string(attributes.integer("order")) + ", " +
                                   operands[0].first + ")",
                               9};
              }};
}

Array erf(const Array& x) { return apply_floating(kappa_primitive_erf(), {{x}}); }
Array erfc(const Array& x) { return apply_floating(kappa_primitive_erfc(), {{x}}); }
Array lgamma(const Array& x) { return apply_floating(kappa_primitive_lgamma(), {{x}}); }

Array polygamma(std::int64_t order, const Array& x) {
  if (order < 0 || order > 100) {
    throw Error(ErrorKind::value,
                "[polygamma] order " + std::to_string(order) + " is outside 0 to 100");
  }
  const auto operands = floating_operands({{x}}, "polygamma");
  return operands[0].builder()->apply(kappa_primitive_polygamma(), {{"order", order}}, operands);
}

}  // namespace kappa
