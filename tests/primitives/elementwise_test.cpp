#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <functional>
#include <random>

#include "kappa/error.h"
#include "program/builder.h"
#include "transform/derivatives.h"

namespace kappa {
namespace {

constexpr double inf = std::numeric_limits<double>::infinity();
constexpr double nan = std::numeric_limits<double>::quiet_NaN();
const Type number{DType::f64, {}};

using Function = std::function<Array(const std::vector<Array>&)>;

Function named(const std::string& name) {
  if (name == "gelu") return [](const auto& x) { return gelu(x[0]); };
  if (name == "silu") return [](const auto& x) { return silu(x[0]); };
  return [name](const auto& x) { return kappa::apply(name, x); };
}

Program trace(const Function& function, std::size_t num_inputs, const Type& type = number) {
  Builder builder;
  std::vector<Array> inputs;
  for (std::size_t i = 0; i < num_inputs; ++i) {
    inputs.push_back(builder.input(type, std::string(1, static_cast<char>('a' + i))));
  }
  return builder.finish(std::vector<Array>{function(inputs)});
}

std::vector<double> run(const Program& program, const std::vector<double>& at) {
  std::vector<Tensor> inputs;
  for (std::size_t i = 0; i < at.size(); ++i) {
    inputs.push_back(Tensor::scalar(at[i], program.input_type(i).dtype));
  }
  std::vector<double> values;
  for (const Tensor& output : evaluate(program, inputs)) values.push_back(output.at(0));
  return values;
}

struct Derivatives {
  double value;
  std::vector<double> gradient, hessian_product;
};

// Along the direction (1, 0), or 1 for a function of one variable.
Derivatives differentiate(const Function& function, std::vector<double> at) {
  const std::size_t n = at.size();
  const Program program = trace(function, n);
  at.resize(2 * n, 0);
  at[n] = 1;
  const auto all = run(hessian_product(program, std::vector<bool>(n, true)), at);
  return {all[n],
          {all.begin() + static_cast<std::ptrdiff_t>(n) + 1, all.end()},
          {all.begin(), all.begin() + static_cast<std::ptrdiff_t>(n)}};
}

void expect_close(double got, double want, double tolerance) {
  EXPECT_LE(std::abs(got - want), tolerance * std::abs(want)) << got << " against " << want;
}

struct Golden {
  const char* name;
  double at[2];
  double expected[3];
};

const Golden golden[] = {
#include "primitives/elementwise_golden.inc"
};

TEST(Elementwise, ValuesAndDerivativesAgreeWithMpmath) {
  for (const Golden& row : golden) {
    const bool binary = std::string_view(row.name) == "pow" ||
                        std::string_view(row.name) == "atan2" ||
                        std::string_view(row.name) == "hypot";
    SCOPED_TRACE(testing::Message() << row.name << " at " << row.at[0] << ", " << row.at[1]);
    std::vector<double> at = {row.at[0]};
    if (binary) at.push_back(row.at[1]);
    const Derivatives got = differentiate(named(row.name), at);
    // The condition number of the function at its argument is not the kernel's fault.
    const double condition = 1 + std::abs(row.at[0] * row.expected[1] / row.expected[0]);
    expect_close(got.value, row.expected[0], 1e-15 * std::max(10.0, condition));
    expect_close(got.gradient[0], row.expected[1], 1e-12);
    expect_close(binary ? got.gradient[1] : got.hessian_product[0], row.expected[2], 1e-12);
  }
}

TEST(Elementwise, FunctionsOfPowersAndProductsAtZero) {
  const auto square = differentiate([](const auto& x) { return pow(x[0], 2); }, {0});
  EXPECT_EQ(square.gradient[0], 0);
  EXPECT_EQ(square.hessian_product[0], 2);
  const auto cube = differentiate([](const auto& x) { return pow(x[0], 3.0); }, {0});
  EXPECT_EQ(cube.hessian_product[0], 0);
  const auto large = differentiate([](const auto& x) { return pow(x[0], 12); }, {0});
  EXPECT_EQ(large.gradient[0], 0);
  EXPECT_EQ(large.hessian_product[0], 0);
  // The exponent is a variable, the base 0: x^2 still has derivative 0 and curvature 2 in x.
  const auto variable = differentiate(named("pow"), {0, 2});
  EXPECT_EQ(variable.value, 0);
  EXPECT_EQ(variable.gradient[0], 0);
  EXPECT_EQ(variable.gradient[1], 0);
  EXPECT_EQ(variable.hessian_product[0], 2);
  const auto constant = differentiate(named("pow"), {0, 0});
  EXPECT_EQ(constant.value, 1);
  EXPECT_EQ(constant.gradient[0], 0);
  // A negative base with an integer exponent.
  const auto negative = differentiate([](const auto& x) { return pow(x[0], 11); }, {-2});
  EXPECT_EQ(negative.gradient[0], 11 * 1024.0);
}

TEST(Elementwise, ConventionsAtKinks) {
  const auto slope = [](const char* name, double x) {
    return differentiate(named(name), {x}).gradient[0];
  };
  EXPECT_EQ(slope("relu", 0), 0);
  EXPECT_EQ(slope("relu", 1), 1);
  EXPECT_EQ(slope("abs", 0), 0);
  EXPECT_EQ(slope("abs", -2), -1);
  EXPECT_EQ(slope("sqrt", 0), inf);
  EXPECT_EQ(slope("cbrt", 0), inf);
  for (const char* name : {"minimum", "maximum"}) {
    const auto tie = differentiate(named(name), {2, 2});
    EXPECT_EQ(tie.gradient, (std::vector<double>{1, 0})) << name;
  }
  const auto origin = differentiate(named("hypot"), {0, 0});
  EXPECT_EQ(origin.value, 0);
  EXPECT_EQ(origin.gradient, (std::vector<double>{0, 0}));
  EXPECT_TRUE(std::isnan(differentiate(named("atan2"), {0, 0}).gradient[0]));
}

// The C library's answers at the edges, sign of zero included.
TEST(Elementwise, SpecialValuesAsTheCLibrary) {
  const std::pair<const char*, double (*)(double)> functions[] = {
      {"exp", [](double x) { return std::exp(x); }},
      {"expm1", [](double x) { return std::expm1(x); }},
      {"log", [](double x) { return std::log(x); }},
      {"log1p", [](double x) { return std::log1p(x); }},
      {"tanh", [](double x) { return std::tanh(x); }},
      {"erf", [](double x) { return std::erf(x); }},
      {"sin", [](double x) { return std::sin(x); }},
      {"cos", [](double x) { return std::cos(x); }},
      {"sqrt", [](double x) { return std::sqrt(x); }},
      {"sigmoid",
       [](double x) { return std::exp(std::min(x, 0.0)) / (1 + std::exp(-std::abs(x))); }},
      {"softplus",
       [](double x) { return x > 0 ? x + std::log1p(std::exp(-x)) : std::log1p(std::exp(x)); }},
  };
  for (const auto& [name, function] : functions) {
    for (const DType dtype : {DType::f64, DType::f32}) {
      const bool single = dtype == DType::f32;
      const Program program = trace(named(name), 1, {dtype, {}});
      for (double x : {0.0,    -0.0,  inf,    -inf,   nan,     1.0,   -1.0,  -2.0,   88.7,
                       89.0,   104.0, -87.5,  -103.5, -104.5,  709.5, 710.5, -708.5, -745.0,
                       -746.5, 1e-40, -1e-40, 1e-310, -1e-310, 3e38,  -3e38, 1e300,  -1e300}) {
        if (single) x = static_cast<float>(x);
        const double want = single ? static_cast<float>(function(x)) : function(x);
        const double got = run(program, {x})[0];
        SCOPED_TRACE(testing::Message() << name << (single ? " f32" : " f64") << " at " << x);
        if (std::isnan(want) || std::isinf(want) || want == 0) {
          EXPECT_EQ(std::isnan(got), std::isnan(want));
          if (!std::isnan(want)) {
            EXPECT_EQ(got, want);
          }
          if (want == 0 && x == 0) {
            EXPECT_EQ(std::signbit(got), std::signbit(want));
          }
        } else {
          const double tiny = single ? 2.9e-45 : 1e-323;  // two subnormal units
          EXPECT_LE(std::abs(got - want), (single ? 1e-6 : 2e-15) * std::abs(want) + tiny)
              << got << " against " << want;
        }
      }
    }
  }
}

TEST(Elementwise, SigmoidKeepsItsSmallValues) {
  expect_close(run(trace(named("sigmoid"), 1), {-700})[0], std::exp(-700.0), 1e-14);
  expect_close(run(trace(named("softplus"), 1), {-700})[0], std::exp(-700.0), 1e-14);
}

// Units in the last place against the C library in extended precision.
template <class T>
double worst_ulps(const char* name, long double (*exact)(long double), double low, double high) {
  constexpr std::int64_t count = 20000;
  const Type type{sizeof(T) == 4 ? DType::f32 : DType::f64, {count}};
  std::mt19937_64 random(3);
  std::uniform_real_distribution<double> uniform(low, high);
  Tensor x(type);
  for (std::int64_t i = 0; i < count; ++i) x.set(i, uniform(random));
  const Tensor y = evaluate(trace(named(name), 1, type), std::vector<Tensor>{x})[0];
  double worst = 0;
  for (std::int64_t i = 0; i < count; ++i) {
    const long double want = exact(x.as<T>()[i]);
    const T magnitude = std::abs(static_cast<T>(want));
    const T unit = std::nextafter(magnitude, std::numeric_limits<T>::infinity()) - magnitude;
    worst = std::max(worst, static_cast<double>(std::abs(y.as<T>()[i] - want) / unit));
  }
  return worst;
}

TEST(Elementwise, VectorFunctionsWithinAFewUnitsInTheLastPlace) {
  struct Case {
    const char* name;
    long double (*exact)(long double);
    double low, high, limit;
  };
  const Case cases[] = {
      {"exp", expl, -80, 80, 1.1},
      {"expm1", expm1l, -2, 2, 4},
      {"log", logl, 1e-3, 10, 1.1},
      {"log1p", log1pl, -0.99, 2, 2.5},
      {"tanh", tanhl, -10, 10, 3.5},
      {"sin", sinl, -100, 100, 3},
      {"cos", cosl, -100, 100, 3},
      {"sqrt", sqrtl, 0, 10, 0.5},
      {"sigmoid", [](long double x) { return 1 / (1 + expl(-x)); }, -10, 10, 3},
      {"softplus", [](long double x) { return log1pl(expl(x)); }, -10, 10, 3.5},
  };
  for (const Case& c : cases) {
    EXPECT_LE(worst_ulps<float>(c.name, c.exact, c.low, c.high), c.limit) << c.name << " f32";
    EXPECT_LE(worst_ulps<double>(c.name, c.exact, c.low, c.high), c.limit) << c.name << " f64";
  }
  EXPECT_LE(worst_ulps<float>("erf", erfl, -5, 5), 6) << "erf f32";
  EXPECT_LE(worst_ulps<double>("erf", erfl, -5, 5), 1.1) << "erf f64";
}

// A result element depends on its operand elements alone: whole runs, single elements, uneven runs
// and runs in place all give the same bits. What plans fuse and threads split rests on this.
TEST(Elementwise, BitsDoNotDependOnRunsOrPlaces) {
  constexpr std::int64_t count = 193;
  std::mt19937_64 random(5);
  for (const Primitive* primitive : all_primitives()) {
    if (!primitive->elementwise()) continue;
    const Sample sample = primitive->samples()[0];
    for (const DType dtype : {DType::f64, DType::f32, DType::i64}) {
      std::vector<Type> types = sample.operands;
      for (Type& type : types) {
        type.shape = {count};
        if (is_floating(type.dtype)) type.dtype = dtype;
      }
      Type result;
      try {
        result = primitive->infer(sample.attributes, types);
      } catch (const Error&) {
        continue;  // not defined for integers
      }
      const TileFunction tile = primitive->kernel.tile(types, result);
      ASSERT_NE(tile, nullptr) << primitive->name << " " << to_string(result);
      std::vector<Tensor> operands;
      for (std::size_t i = 0; i < types.size(); ++i) {
        const auto [low, high] =
            i < sample.ranges.size() ? sample.ranges[i] : std::pair<double, double>(-2, 2);
        std::uniform_real_distribution<double> uniform(low, high);
        operands.emplace_back(types[i]);
        for (std::int64_t k = 0; k < count; ++k) operands[i].set(k, uniform(random));
      }
      const auto call = [&](std::int64_t first, std::int64_t size, std::byte* output) {
        std::vector<const void*> inputs;
        for (const Tensor& x : operands) {
          inputs.push_back(x.data() + first * size_of(x.dtype()));
        }
        tile({size, inputs.data(), output, sample.attributes});
      };
      Tensor whole(result), parts(result);
      call(0, count, whole.data());
      for (const std::int64_t size : {1, 3, 17, 64}) {
        for (std::int64_t first = 0; first < count; first += size) {
          call(first, std::min(size, count - first), parts.data() + first * size_of(result.dtype));
        }
        EXPECT_EQ(whole, parts) << primitive->name << " in runs of " << size;
      }
      for (Tensor& x : operands) {
        if (!(x.type() == result)) continue;
        Tensor kept(result);
        std::memcpy(kept.data(), x.data(), static_cast<std::size_t>(x.bytes()));
        call(0, count, x.data());
        EXPECT_EQ(whole, x) << primitive->name << " in place";
        x = kept;
      }
    }
  }
}

TEST(Elementwise, IntegersBooleansAndConversions) {
  const Type integer{DType::i64, {}};
  const auto binary = [&](const char* name, double a, double b) {
    return run(trace(named(name), 2, integer), {a, b})[0];
  };
  EXPECT_EQ(binary("add", -7, 3), -4);
  EXPECT_EQ(binary("sub", -7, 3), -10);
  EXPECT_EQ(binary("mul", -7, 3), -21);
  EXPECT_EQ(binary("minimum", -7, 3), -7);
  EXPECT_EQ(binary("maximum", -7, 3), 3);
  EXPECT_EQ(binary("less", -7, 3), 1);
  // Division and roots leave the integers, as in Python.
  const auto half = [](const auto& x) { return x[0] / 2; };
  EXPECT_EQ(trace(half, 1, integer).output_type(0).dtype, DType::f64);
  EXPECT_EQ(run(trace(half, 1, integer), {-7})[0], -3.5);
  // Sums of conditions count.
  const auto count = [](const auto& x) { return (x[0] < 1) + (x[0] < 2) + (x[0] < 3); };
  EXPECT_EQ(run(trace(count, 1), {1.5})[0], 2);
  const auto truncated = [](const auto& x) { return convert(x[0], DType::i64); };
  for (const auto& [x, want] :
       {std::pair(2.9, 2.0), {-2.9, -2.0}, {nan, -0x1p63}, {1e30, -0x1p63}}) {
    EXPECT_EQ(run(trace(truncated, 1), {x})[0], want);
  }
  // The side not chosen has no influence, whatever it is.
  const auto guarded = [](const auto& x) { return where(x[0] > 0, log(x[0]), 0); };
  const auto at_pole = differentiate(guarded, {-1});
  EXPECT_EQ(at_pole.value, 0);
  EXPECT_EQ(at_pole.gradient[0], 0);
}

TEST(Elementwise, MistakesAreNamed) {
  Builder builder;
  const Array x = builder.input({DType::f64, {3}}), y = builder.input({DType::f64, {2}});
  const Array flag = builder.input({DType::boolean, {3}});
  const auto message = [](const std::function<void()>& mistake) -> std::string {
    try {
      mistake();
    } catch (const Error& error) {
      return error.what();
    }
    return "no error";
  };
  EXPECT_EQ(message([&] { (void)(x + y); }),
            "[add] shapes (3) and (2) do not fit: extents 3 and 2 must be equal, or one of them 1");
  EXPECT_NE(message([&] { (void)where(flag, x, y); }).find("[where]"), std::string::npos);
  EXPECT_NE(message([&] { (void)polygamma(-1, x); }).find("order -1"), std::string::npos);
  EXPECT_NE(message([&] { (void)exp(2.0); }).find("numbers alone"), std::string::npos);
}

// The formula of a traced function, by the primitives' own printing.
std::string printed(const Program& program) {
  std::vector<std::pair<std::string, int>> text(program.nodes.size());
  for (std::size_t i = 0; i < program.nodes.size(); ++i) {
    const Node& node = program.nodes[i];
    std::vector<std::pair<std::string, int>> operands;
    for (const NodeId id : node.operands) operands.push_back(text[static_cast<std::size_t>(id)]);
    if (is_input(node)) {
      const auto index = static_cast<std::size_t>(node.attributes.integer("index"));
      text[i] = {program.input_names[index], 9};
    } else if (is_constant(node)) {
      const double value = node.attributes.tensor("value").at(0);
      char buffer[32];
      std::snprintf(buffer, sizeof(buffer), "%g", value);
      text[i] = {buffer, value < 0 ? 4 : 9};
    } else if (node.primitive->print) {
      text[i] = node.primitive->print(node.attributes, operands);
    } else {
      std::string all;
      for (const auto& operand : operands) all += (all.empty() ? "" : ", ") + operand.first;
      text[i] = {node.primitive->name + "(" + all + ")", 9};
    }
  }
  return text[static_cast<std::size_t>(program.outputs[0])].first;
}

TEST(Elementwise, SimplifiesAndPrints) {
  const auto text = [](const Function& f) { return printed(trace(f, 3)); };
#define EXPECT_PRINTS(EXPRESSION, TEXT)                                        \
  EXPECT_EQ(text([](const auto& in) {                                          \
              [[maybe_unused]] const Array &a = in[0], &b = in[1], &c = in[2]; \
              return EXPRESSION;                                               \
            }),                                                                \
            TEXT)
  // Neutral elements and signs.
  EXPECT_PRINTS(a + 0, "a");
  EXPECT_PRINTS(0 + a, "a");
  EXPECT_PRINTS(a - 0, "a");
  EXPECT_PRINTS(0 - a, "-a");
  EXPECT_PRINTS(1 * a, "a");
  EXPECT_PRINTS(a / 1, "a");
  EXPECT_PRINTS(a * 0, "0");
  EXPECT_PRINTS(-1 * a, "-a");
  EXPECT_PRINTS(-(-a), "a");
  EXPECT_PRINTS(a + -b, "a - b");
  EXPECT_PRINTS(-a + b, "b - a");
  EXPECT_PRINTS(a - -b, "a + b");
  EXPECT_PRINTS(-a - b, "-(a + b)");
  EXPECT_PRINTS(-(a - b), "b - a");
  EXPECT_PRINTS((-a) * b, "-a*b");
  EXPECT_PRINTS((-a) * (-b), "a*b");
  EXPECT_PRINTS((-a) / b, "-a/b");
  // Constants gather in front, like terms are added.
  EXPECT_PRINTS(2 * (3 * a), "6*a");
  EXPECT_PRINTS(a * 2 * b * 3, "6*a*b");
  EXPECT_PRINTS(a / 2, "0.5*a");
  EXPECT_PRINTS((2 * a) / (4 * b), "0.5*a/b");
  EXPECT_PRINTS(a + a, "2*a");
  EXPECT_PRINTS(3 * a - a, "2*a");
  EXPECT_PRINTS(a * b + b * a, "2*a*b");
  // Powers.
  EXPECT_PRINTS(pow(a, 0), "1");
  EXPECT_PRINTS(pow(a, 1), "a");
  EXPECT_PRINTS(pow(a, 2), "a^2");
  EXPECT_PRINTS(pow(a, 5), "a^5");
  EXPECT_PRINTS(pow(a + b, 3), "(a + b)^3");
  EXPECT_PRINTS(pow(a, -1), "1/a");
  EXPECT_PRINTS(pow(a, -2), "1/a^2");
  EXPECT_PRINTS(pow(a, 0.5), "sqrt(a)");
  EXPECT_PRINTS(pow(a, 1.5), "a^1.5");
  EXPECT_PRINTS(pow(-a, 1.5), "(-a)^1.5");
  EXPECT_PRINTS(-(a * a), "-a^2");
  EXPECT_PRINTS(pow(a, b), "a^b");
  EXPECT_PRINTS(pow(pow(a, b), c), "(a^b)^c");
  EXPECT_PRINTS(pow(a, pow(b, c)), "a^(b^c)");
  // Associativity and precedence.
  EXPECT_PRINTS(a - (b - c), "a - (b - c)");
  EXPECT_PRINTS(a - (b + c), "a - (b + c)");
  EXPECT_PRINTS(a / (b * c), "a/(b*c)");
  EXPECT_PRINTS(a / b / c, "a/b/c");
  EXPECT_PRINTS(a * (b + c), "a*(b + c)");
  EXPECT_PRINTS(a + 2 * b - 1, "a + 2*b - 1");
  EXPECT_PRINTS(where(a < b + 1, a, minimum(b, c)), "where(a < b + 1, a, min(b, c))");
  EXPECT_PRINTS(polygamma(1, a), "polygamma(1, a)");
#undef EXPECT_PRINTS
}

TEST(Elementwise, EqualExpressionsAreOneNode) {
  Builder builder;
  const Array a = builder.input(number), b = builder.input(number);
  EXPECT_EQ((a * b).id(), (b * a).id());
  EXPECT_EQ((a + b).id(), (b + a).id());
  EXPECT_EQ((2 * a).id(), (a * 2).id());
  EXPECT_EQ((1 + a).id(), (a + 1).id());
  EXPECT_EQ((a * (2 * b)).id(), (2 * (a * b)).id());
  EXPECT_EQ(pow(a, 2).id(), (a * a).id());
  EXPECT_NE((a - b).id(), (b - a).id());
}

// Rewriting must not lose what IEEE says beyond a product with a constant zero.
TEST(Elementwise, RewritingKeepsNanAndInfinity) {
  const auto difference = trace([](const auto& x) { return x[0] - x[0]; }, 1);
  EXPECT_TRUE(std::isnan(run(difference, {inf})[0]));
  const auto zero_terms = trace([](const auto& x) { return 2 * x[0] + -2 * x[0]; }, 1);
  EXPECT_TRUE(std::isnan(run(zero_terms, {inf})[0]));
  const auto huge = trace([](const auto& x) { return 1e200 * (1e200 * x[0]); }, 1);
  EXPECT_EQ(run(huge, {0})[0], 0);
}

}  // namespace
}  // namespace kappa
