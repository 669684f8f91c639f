#include <gtest/gtest.h>

#include <functional>

#include "formula_helpers.h"

namespace kappa {
namespace {

using namespace kappa::testing;

TEST(FormulaParser, PowerBindsRightAndTighterThanMinus) {
  EXPECT_EQ(value_of("-3^2"), -9);
  EXPECT_EQ(value_of("2^3^2"), 512);
  EXPECT_EQ(value_of("2^-1"), 0.5);
  EXPECT_EQ(value_of("(-3)^2"), 9);
  EXPECT_EQ(value_of("2*-3^2"), -18);
  EXPECT_EQ(value_of("2**3**2"), 512);
  EXPECT_EQ(value_of("-2^-2"), -0.25);
  EXPECT_EQ(value_of("---2"), -2);
  EXPECT_EQ(value_of("+-+2"), -2);
  EXPECT_EQ(value_of("2^-3^2*2"), std::pow(2, -9) * 2);
}

TEST(FormulaParser, SumsAndProductsLeanLeft) {
  EXPECT_EQ(value_of("10 - 4 - 3"), 3);
  EXPECT_EQ(value_of("16/4/2"), 2);
  EXPECT_EQ(value_of("16/4*2"), 8);
  EXPECT_EQ(value_of("2 + 3*4"), 14);
  EXPECT_EQ(value_of("(2 + 3)*4"), 20);
  EXPECT_EQ(value_of("2 + 3 < 4*5"), 1);
}

TEST(FormulaParser, ComparisonsChain) {
  EXPECT_EQ(value_of("1 < 2 < 3"), 1);
  EXPECT_EQ(value_of("1 < 3 < 2"), 0);
  EXPECT_EQ(value_of("3 > 2 >= 2 == 2 != 1"), 1);
  EXPECT_EQ(value_of("0 < x < 1", {scalar("x", 0.5)}), 1);
  EXPECT_EQ(value_of("0 < x < 1", {scalar("x", 1.5)}), 0);
}

TEST(FormulaParser, Numbers) {
  EXPECT_EQ(value_of("1e-3"), 1e-3);
  EXPECT_EQ(value_of("2E2"), 200);
  EXPECT_EQ(value_of(".5"), 0.5);
  EXPECT_EQ(value_of("3."), 3);
  EXPECT_EQ(value_of("1.5e+2"), 150);
  EXPECT_EQ(value_of("0.1"), 0.1);
  EXPECT_EQ(value_of("1e-400"), 0);
  EXPECT_EQ(value_of("4.9e-324"), 4.9e-324);
  EXPECT_EQ(value_of("1.7976931348623157e308"), 1.7976931348623157e308);
}

TEST(FormulaParser, DefinitionsLinesAndComments) {
  EXPECT_EQ(value_of("t = 3; t^2"), 9);
  EXPECT_EQ(value_of("t = 3\nu = t + 1  # next\n\nt*u;"), 12);
  EXPECT_EQ(value_of("(1 +\n 2)*\n 3"), 9);
  EXPECT_EQ(value_of("unused = 1/0; 2"), 2);
}

TEST(FormulaParser, FreeNamesInOrderOfAppearance) {
  const ParsedFormula formula = parse_formula("t = b*a; t + c*a + pi + e");
  EXPECT_EQ(formula.free_names, (std::vector<std::string>{"b", "a", "c"}));
}

TEST(FormulaParser, VectorOfFormulas) {
  const std::vector<Given> at{scalar("x", 2), scalar("y", 3), scalar("z", -1)};
  const BoundFormula bound = bind_formula(parse_formula("(x + 1, x*y, (x - z))"), bindings_of(at));
  EXPECT_TRUE(bound.is_vector);
  EXPECT_EQ(bound.components, (std::vector<std::string>{"x + 1", "x*y", "(x - z)"}));
  EXPECT_EQ(elements(evaluate(bound.program, tensors_of(at))[0]), (std::vector<double>{3, 6, 3}));
  EXPECT_EQ(bound.program.output_type(0).shape, Shape{3});
}

TEST(FormulaParser, MistakesNameTheirPlace) {
  const Wrong cases[] = {
      {"", 1, ErrorKind::parse, "empty"},
      {"   ", 4, ErrorKind::parse, "empty"},
      {"2 + sinn(x)", 5, ErrorKind::name, "unknown function 'sinn'"},
      {"2 + sinn(x)", 5, ErrorKind::name, "did you mean 'sin'?"},
      {"2x", 2, ErrorKind::parse, "write 2*x"},
      {"x y", 3, ErrorKind::parse, "write x*y"},
      {"2(x + 1)", 2, ErrorKind::parse, "write 2*(...)"},
      {"(x)(y)", 4, ErrorKind::parse, "write (x)*(...)"},
      {"x(1 + y) + x", 1, ErrorKind::name, "unknown function 'x'"},
      {"x*x(1 + y)", 3, ErrorKind::name, "write x*(...)"},
      {"x + ", 5, ErrorKind::parse, "found the end"},
      {"x + * y", 5, ErrorKind::parse, "after '+', found '*'"},
      {"(x + 1", 7, ErrorKind::parse, "expected ')' for the '(' at position 1"},
      {"x + 1)", 6, ErrorKind::parse, "unexpected ')'"},
      {"x, y", 2, ErrorKind::parse, "(a, b)"},
      {"sin((x, y))", 7, ErrorKind::parse, "[a, b]"},
      {"(x, y)^2", 7, ErrorKind::parse, "stands alone"},
      {"x = 3", 6, ErrorKind::parse, "no expression follows"},
      {"t = 1; t = 2; t", 8, ErrorKind::name, "defined twice"},
      {"t = u; u = 2; t", 8, ErrorKind::name, "used before"},
      {"pi = 3; pi", 1, ErrorKind::name, "fixed meaning"},
      {"x; y", 2, ErrorKind::parse, "without a name"},
      {"x + (y = 2)", 8, ErrorKind::parse, "expected ')'"},
      {"sum(x, axes=0)", 8, ErrorKind::name, "sum(x, axis=)"},
      {"sin(x, y)", 1, ErrorKind::parse, "write sin(x)"},
      {"where(x, y)", 1, ErrorKind::parse, "where(condition, a, b)"},
      {"x.shape", 2, ErrorKind::parse, ".T"},
      {"x$", 2, ErrorKind::parse, "unexpected character '$'"},
      {"x − 1", 3, ErrorKind::parse, "write -"},
      {"x²", 2, ErrorKind::parse, "write ^2"},
      {"1e999", 1, ErrorKind::parse, "largest double"},
      {"[]", 1, ErrorKind::parse, "empty array"},
      {"x[]", 3, ErrorKind::parse, "index is missing"},
      {"x[1:2:3:4]", 3, ErrorKind::parse, "at most three"},
      {"None", 1, ErrorKind::parse, "outside an index"},
      {"x[0", 4, ErrorKind::parse, "or ']'"},
  };
  expect_refused(cases, [](const char* text) { parse_formula(text); });
}

TEST(FormulaParser, MessageAndCaret) {
  try {
    parse_formula("2 + sinn(x)");
    FAIL();
  } catch (const FormulaError& error) {
    EXPECT_STREQ(error.what(),
                 "formula: unknown function 'sinn' at position 5: \"2 + ^sinn(x)\" (did you mean "
                 "'sin'?)");
    EXPECT_EQ(caret_excerpt(error.text(), error.offset()), "2 + sinn(x)\n    ^");
  }
  EXPECT_EQ(caret_excerpt("a = 1\nb + $", 10), "b + $\n    ^");
  EXPECT_EQ(caret_excerpt("π + $", 5), "π + $\n    ^");
  EXPECT_EQ(caret_excerpt("", 0), "\n^");
  const std::string caret = caret_excerpt(std::string(500, 'x') + "$" + std::string(500, 'y'), 500);
  const std::size_t end = caret.find('\n');
  EXPECT_EQ(caret[caret.size() - 1 - end - 1], '$') << caret;
  EXPECT_LT(end, 100u);
}

TEST(FormulaParser, LimitsAreRefusedWithFigures) {
  const auto refused = [](const std::string& text, const char* part) {
    try {
      bind_formula(parse_formula(text), {});
      ADD_FAILURE() << "accepted: " << part;
    } catch (const FormulaError& error) {
      EXPECT_EQ(error.kind(), ErrorKind::resource) << error.what();
      EXPECT_NE(std::string(error.what()).find(part), std::string::npos) << error.what();
      EXPECT_LT(std::string(error.what()).size(), 300u);
    }
  };
  refused(std::string(2000, '(') + "1" + std::string(2000, ')'), "250 levels");
  refused(std::string(2000, '-') + "1", "250 levels");
  std::string tower = "1";
  for (int i = 0; i < 2000; ++i) tower += "^1";
  refused(tower, "250 levels");
  refused("range(1e12)", "1e+12 elements (8000 GB)");
  refused("zeros(1e6, 1e6)", "1e+12 elements");
  refused("range(0, 9e15, 2)", "elements");
  std::string sum = "1";
  for (std::size_t i = 0; i < max_formula_nodes / 2 + 1; ++i) sum += "+1";
  refused(sum, "1000000 operations");
}

TEST(FormulaParser, LongChainsNeedNoStack) {
  std::string sum = "x";
  for (int i = 0; i < 100000; ++i) sum += "+x";
  const ParsedFormula formula = parse_formula(sum);
  EXPECT_EQ(formula.nodes.size(), 200001u);
}

}  // namespace
}  // namespace kappa
