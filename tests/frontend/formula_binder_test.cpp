#include <gtest/gtest.h>

#include "formula_helpers.h"

namespace kappa {
namespace {

using namespace kappa::testing;

TEST(FormulaBinder, IndicesAndSlices) {
  const std::vector<Given> x{vector("x", {1, 2, 3, 4, 5})};
  EXPECT_EQ(values_of("x[0]", x), List{1});
  EXPECT_EQ(values_of("x[-1]", x), List{5});
  EXPECT_EQ(values_of("x[1:]", x), (List{2, 3, 4, 5}));
  EXPECT_EQ(values_of("x[:-1]", x), (List{1, 2, 3, 4}));
  EXPECT_EQ(values_of("x[::2]", x), (List{1, 3, 5}));
  EXPECT_EQ(values_of("x[::-1]", x), (List{5, 4, 3, 2, 1}));
  EXPECT_EQ(values_of("x[3:0:-2]", x), (List{4, 2}));
  EXPECT_EQ(values_of("x[-2::-2]", x), (List{4, 2}));
  EXPECT_EQ(values_of("x[1:100]", x), (List{2, 3, 4, 5}));
  EXPECT_EQ(values_of("x[-100:2]", x), (List{1, 2}));
  EXPECT_EQ(values_of("sum(x[4:2])", x), List{0});
  EXPECT_EQ(values_of("x[len(x) - 2]", x), List{4});
  EXPECT_EQ(values_of("x[[0, 4, -2]]", x), (List{1, 5, 4}));
}

TEST(FormulaBinder, MatrixIndices) {
  const std::vector<Given> a{{"a", {2, 3}, {1, 2, 3, 4, 5, 6}}};
  EXPECT_EQ(values_of("a[1]", a), (List{4, 5, 6}));
  EXPECT_EQ(values_of("a[:,0]", a), (List{1, 4}));
  EXPECT_EQ(values_of("a[1,2]", a), List{6});
  EXPECT_EQ(values_of("a[-1,::-1]", a), (List{6, 5, 4}));
  EXPECT_EQ(values_of("a.T[2]", a), (List{3, 6}));
  EXPECT_EQ(values_of("a.T", a), (List{1, 4, 2, 5, 3, 6}));
  EXPECT_EQ(values_of("sum(a[:,None]*a[None], axis=[0, 2])", a),
            (List{5 * 1 + 7 * 2 + 9 * 3, 5 * 4 + 7 * 5 + 9 * 6}));
  EXPECT_EQ(values_of("reshape(a[0][:,None] + a[1][None,:], 9)", a),
            (List{5, 6, 7, 6, 7, 8, 7, 8, 9}));
  EXPECT_EQ(values_of("a[:,[2, 0]]", a), (List{3, 1, 6, 4}));
  EXPECT_EQ(values_of("reshape(a, 3, -1)[1]", a), (List{3, 4}));
}

TEST(FormulaBinder, ArraysAndStructure) {
  EXPECT_EQ(values_of("range(4)"), (List{0, 1, 2, 3}));
  EXPECT_EQ(values_of("range(2, 11, 4)"), (List{2, 6, 10}));
  EXPECT_EQ(values_of("range(3, 0, -1)"), (List{3, 2, 1}));
  EXPECT_EQ(values_of("[[1, 2], [3, 4]]@[1, -1]"), (List{-1, -1}));
  EXPECT_EQ(values_of("[x, x^2, 3]", {scalar("x", 2)}), (List{2, 4, 3}));
  EXPECT_EQ(values_of("concat(x, [1, 2], 3)", {scalar("x", 2)}), (List{2, 1, 2, 3}));
  EXPECT_EQ(values_of("concat([[1], [2]], [[3], [4]], axis=1)"), (List{1, 3, 2, 4}));
  EXPECT_EQ(values_of("zeros(2) + ones(2)*x", {scalar("x", 2)}), (List{2, 2}));
  EXPECT_EQ(values_of("sum(range(10000))/10000"), List{4999.5});
  EXPECT_EQ(values_of("(range(5000) + 1)[-1]"), List{5000});
}

TEST(FormulaBinder, Reductions) {
  const std::vector<Given> a{{"a", {2, 3}, {1, 2, 3, 4, 5, 7}}};
  EXPECT_EQ(values_of("sum(a)", a), List{22});
  EXPECT_EQ(values_of("sum(a, axis=0)", a), (List{5, 7, 10}));
  EXPECT_EQ(values_of("sum(a, axis=-1)", a), (List{6, 16}));
  EXPECT_EQ(values_of("sum(a, axis=[0, 1])", a), List{22});
  EXPECT_EQ(values_of("mean(a, axis=1)", a), (List{2, 16.0 / 3}));
  EXPECT_EQ(values_of("max(a, axis=0)", a), (List{4, 5, 7}));
  EXPECT_EQ(values_of("min(a)", a), List{1});
  EXPECT_EQ(values_of("max(3, x, 2)", {scalar("x", 5)}), List{5});
  EXPECT_EQ(values_of("min(a, 3)", a), (List{1, 2, 3, 3, 3, 3}));
  EXPECT_EQ(values_of("prod(a)", a), List{840});
  EXPECT_EQ(values_of("cumsum(a, axis=1)", a), (List{1, 3, 6, 4, 9, 16}));
  EXPECT_EQ(values_of("dot(a, a)", a), List{104});
  EXPECT_EQ(values_of("dot(a, a, axis=1)", a), (List{14, 90}));
  EXPECT_EQ(values_of("norm([3, 4*x])", {scalar("x", 1)}), List{5});
  EXPECT_EQ(values_of("norm([[3, 4], [5, 12]]*x, axis=1)", {scalar("x", 1)}), (List{5, 13}));
}

TEST(FormulaBinder, WhereAndTruthValues) {
  const std::vector<Given> x{vector("x", {-1, 0, 2})};
  EXPECT_EQ(values_of("where(x > 0, x, -x)", x), (List{1, 0, 2}));
  EXPECT_EQ(values_of("where(x, 1, 2)", x), (List{1, 2, 1}));
  EXPECT_EQ(values_of("sum(x > -1)", x), List{2});
  EXPECT_EQ(values_of("(x > 0)*x + 1", x), (List{1, 1, 3}));
  EXPECT_EQ(values_of("where((x > -1)*(x < 1), 5, x)", x), (List{-1, 5, 2}));
  EXPECT_EQ(values_of("where(len(x) > 2, x[0], 7)", x), List{-1});
  EXPECT_EQ(values_of("where(0 < 1, 3, 4)"), List{3});
}

TEST(FormulaBinder, ConstantsStayDoubleUntilTheyMeetAParameter) {
  // 1e-9 is lost against 1 in single precision, but not while the numbers are constant.
  EXPECT_EQ(value_of("x*((1 + 1e-9) - 1)*1e9", {scalar("x", 1)}, DType::f32),
            static_cast<float>(static_cast<float>((1 + 1e-9) - 1) * 1e9f));
  EXPECT_EQ(value_of("n = 2^24 + 1; x[n - 2^24]", {vector("x", {1, 7})}, DType::f32), 7);
  const BoundFormula bound = bind_formula(parse_formula("sum((range(3)/3 - x)^2)"),
                                          bindings_of({vector("x", {1, 2, 3})}, DType::f32));
  EXPECT_EQ(bound.program.output_type(0).dtype, DType::f32);
}

TEST(FormulaBinder, NamesAreBoundInOrder) {
  FormulaBindings bindings;
  bindings.constants["k"] = Tensor::scalar(10, DType::f64);
  bindings.constants["a"] = Tensor::from_doubles(List{1, 2, 3}, {3}, DType::i64);
  bindings.columns = {"y", "t", "k", "unused"};
  bindings.parameters = {{"b", {}}, {"flat", {2}}};
  const BoundFormula bound = bind_formula(parse_formula("t = 2; b*t*k*y + sum(a) + y"), bindings);
  EXPECT_EQ(bound.columns, std::vector<std::string>{"y"});
  EXPECT_EQ(bound.program.input_names, (std::vector<std::string>{"b", "flat", "y"}));
  const std::vector<Tensor> inputs{Tensor::scalar(3, DType::f64),
                                   Tensor::from_doubles(List{0, 0}, {2}, DType::f64),
                                   Tensor::scalar(5, DType::f64)};
  EXPECT_EQ(evaluate(bound.program, inputs)[0].at(0), 3 * 2 * 10 * 5 + 6 + 5);
}

TEST(FormulaBinder, MistakesNameTheOperation) {
  const std::vector<Given> at{
      vector("x", {1, 2, 3}), scalar("alpha", 1), {"A", {2, 2}, {1, 2, 3, 4}}};
  const Wrong cases[] = {
      {"x + y", 5, ErrorKind::name, "'y' has no value"},
      {"x + y", 5, ErrorKind::name, "--at y=VALUE"},
      {"x + y + z", 5, ErrorKind::name, "--at y=VALUE,z=VALUE"},
      {"x*alhpa", 3, ErrorKind::name, "did you mean 'alpha'?"},
      {"x[:2] + x", 7, ErrorKind::shape, "(2)"},
      {"1 + A@x", 6, ErrorKind::shape, ""},
      {"x[3]", 3, ErrorKind::shape, "index 3 on an axis of 3 entries"},
      {"x[-4]", 3, ErrorKind::shape, "index -4"},
      {"x[0,0]", 2, ErrorKind::shape, "2 indices"},
      {"x[0.5]", 3, ErrorKind::value, "0.5"},
      {"x[alpha]", 3, ErrorKind::type, "constant whole number"},
      {"x[::0]", 3, ErrorKind::value, "step 0"},
      {"x[[0, 5]]", 3, ErrorKind::shape, "index 5"},
      {"alpha[0]", 6, ErrorKind::shape, "shape ()"},
      {"2 + len(alpha)", 5, ErrorKind::shape, "len of a scalar"},
      {"range(alpha)", 1, ErrorKind::type, "constant whole number"},
      {"range(2.5)", 1, ErrorKind::value, "2.5"},
      {"range(-1)", 1, ErrorKind::value, "counts up"},
      {"sum(A, axis=2)", 1, ErrorKind::shape, ""},
      {"sum(A, axis=alpha)", 8, ErrorKind::type, "axis="},
      {"[x, alpha]", 5, ErrorKind::shape, "shape () beside one of shape (3)"},
      {"concat(x, A)", 1, ErrorKind::shape, ""},
      {"reshape(x, 2, 2)", 1, ErrorKind::shape, "3 elements"},
      {"zeros(0)", 1, ErrorKind::shape, "no elements"},
      {"max(x, 2, axis=0)", 1, ErrorKind::usage, "no axis="},
  };
  expect_refused(cases,
                 [&](const char* text) { bind_formula(parse_formula(text), bindings_of(at)); });
}

TEST(FormulaBinder, ParametersThatMeanSomethingElse) {
  const auto refused = [](const char* text, const FormulaBindings& bindings) {
    try {
      bind_formula(parse_formula(text), bindings);
      ADD_FAILURE() << text;
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::usage) << error.what();
    }
  };
  refused("t = 1; t + x", bindings_of({scalar("x", 1), scalar("t", 1)}));
  refused("x", bindings_of({scalar("x", 1), scalar("x", 1)}));
  refused("x + e", bindings_of({scalar("x", 1), scalar("e", 1)}));
  FormulaBindings table = bindings_of({scalar("x", 1)});
  table.columns = {"x"};
  refused("x", table);
  FormulaBindings constants = bindings_of({scalar("x", 1)});
  constants.constants["x"] = Tensor::scalar(1, DType::f64);
  refused("x", constants);
}

// ------------------------------------------------------------------------------- least squares

// scale * sum residuals^2 must be the formula's own value.
void expect_residuals(const std::string& text, const std::vector<Given>& at, std::size_t count,
                      double scale) {
  const BoundFormula bound = bind_formula(parse_formula(text), bindings_of(at));
  ASSERT_TRUE(bound.residuals) << text;
  const List r = elements(evaluate(bound.residuals->program, tensors_of(at))[0]);
  EXPECT_EQ(r.size(), count) << text;
  EXPECT_EQ(bound.residuals->scale, scale) << text;
  double total = 0;
  for (const double value : r) total += value * value;
  const double f = evaluate(bound.program, tensors_of(at))[0].at(0);
  EXPECT_NEAR(bound.residuals->scale * total, f, 1e-13 * std::abs(f)) << text;
}

TEST(FormulaResiduals, SumsOfSquaresAreRecognised) {
  const std::vector<Given> at{scalar("a", 0.7), scalar("b", -1.3), vector("x", {0.3, -2, 1.7})};
  expect_residuals("(a - 2)^2", at, 1, 1);
  expect_residuals("100*(b - a^2)^2 + (1 - a)^2", at, 2, 1);
  expect_residuals("0.5*sum((x - a)^2)", at, 3, 0.5);
  expect_residuals("mean((x - a)^2)", at, 3, 1.0 / 3);
  expect_residuals("sum((x - a)^2)/4", at, 3, 0.25);
  expect_residuals("sum(100*(x[1:] - x[:-1]^2)^2 + (1 - x[:-1])^2)", at, 4, 1);
  expect_residuals("r = x - a; r@r", at, 3, 1);
  expect_residuals("r = x - a; dot(r, r) + norm(x - 1)^2", at, 6, 1);
  expect_residuals("r = a - b; r*r", at, 1, 1);
  expect_residuals("a^4 + b^4", at, 2, 1);
  expect_residuals("abs(a)^2 + 2", at, 2, 1);
  expect_residuals("s = sum(x); 2 + sum(((range(4) + 1)*s - 1)^2)", at, 5, 1);
  expect_residuals("sum([1, 4, 9]*(x - 1)^2)", at, 3, 1);
  expect_residuals("sum((x - 1)^2 + (a - 3)^2)", at, 6, 1);
}

TEST(FormulaResiduals, OthersAreNot) {
  const std::vector<Given> at{scalar("a", 0.7), scalar("b", -1.3), vector("x", {0.3, -2, 1.7})};
  for (const char* text :
       {"a^2 - b^2", "a^3", "-(a^2)", "a^2 + b", "exp(a)^2*b", "(-1)*a^2", "a^b", "sum(x)",
        "(a^2, b^2)", "a^2.5", "a^-2", "sum(x^2 + norm(x)^2)", "3", "a^0"}) {
    EXPECT_FALSE(bind_formula(parse_formula(text), bindings_of(at)).residuals) << text;
  }
}

}  // namespace
}  // namespace kappa
