#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "formula_helpers.h"

namespace kappa {
namespace {

using namespace kappa::testing;
using nlohmann::json;

json read_json(const std::string& path) {
  std::ifstream file(std::string(KAPPA_SOURCE_DIR) + "/tests/" + path);
  return json::parse(file);
}

void flatten(const json& value, Shape& shape, List& list, std::size_t depth = 0) {
  if (!value.is_array()) {
    list.push_back(value.get<double>());
    return;
  }
  if (shape.size() <= depth) shape.push_back(static_cast<std::int64_t>(value.size()));
  for (const json& element : value) flatten(element, shape, list, depth + 1);
}

// The point, constants and formula of one case; returns all elements of its value.
List value_of_case(const json& item, bool* least_squares = nullptr) {
  FormulaBindings bindings;
  std::vector<Tensor> inputs;
  // The order of the parameters is that of --at, which objects of json do not keep.
  const std::string order = "," + item["at"].get<std::string>();
  std::vector<std::pair<std::size_t, std::string>> names;
  for (const auto& [name, value] : item["point"].items()) {
    names.emplace_back(order.find("," + name + "="), name);
  }
  std::sort(names.begin(), names.end());
  for (const auto& [position, name] : names) {
    Given given{name, {}, {}};
    flatten(item["point"][name], given.shape, given.values);
    bindings.parameters.emplace_back(name, given.shape);
    inputs.push_back(Tensor::from_doubles(given.values, given.shape, DType::f64));
  }
  if (item.contains("const")) {
    for (const auto& [name, value] : item["const"].items()) {
      Given given{name, {}, {}};
      flatten(value, given.shape, given.values);
      bindings.constants[name] = Tensor::from_doubles(given.values, given.shape, DType::f64);
    }
  }
  const BoundFormula bound =
      bind_formula(parse_formula(item["formula"].get<std::string>()), bindings);
  const List values = elements(evaluate(bound.program, inputs)[0]);
  if (bound.residuals) {
    double total = 0;
    for (const double r : elements(evaluate(bound.residuals->program, inputs)[0])) total += r * r;
    total *= bound.residuals->scale;
    EXPECT_NEAR(total, values[0], 1e-12 * std::abs(values[0]) + 1e-300) << item["formula"];
  }
  if (least_squares != nullptr) *least_squares = bound.residuals.has_value();
  return values;
}

// Values from an independent parser and evaluator in multi-precision (tests/golden/README.md).
TEST(FormulaGolden, ValuesOfEveryConstruct) {
  const json golden = read_json("golden/formulas.json");
  std::size_t count = 0;
  for (const json& item : golden["cases"]) {
    SCOPED_TRACE(item["name"].get<std::string>());
    Shape shape;
    List expected;
    flatten(item["value"], shape, expected);
    List values;
    ASSERT_NO_THROW(values = value_of_case(item));
    ASSERT_EQ(values.size(), expected.size());
    double largest = 0;
    for (const double v : expected) largest = std::max(largest, std::abs(v));
    for (std::size_t i = 0; i < values.size(); ++i) {
      EXPECT_NEAR(values[i], expected[i], 1e-12 * largest + 1e-300);
    }
    ++count;
  }
  EXPECT_GE(count, 200u);
}

// More, Garbow & Hillstrom, ACM TOMS 7(1) 1981.
TEST(FormulaGolden, MoreGarbowHillstrom) {
  std::size_t squares = 0, count = 0;
  for (const json& item : read_json("mgh/formulas.json")) {
    SCOPED_TRACE(item["name"].get<std::string>());
    bool least_squares = false;
    List values;
    ASSERT_NO_THROW(values = value_of_case(item, &least_squares));
    ASSERT_EQ(values.size(), 1u);
    const double expected = item["value"].get<double>();
    EXPECT_NEAR(values[0], expected, 1e-12 * std::abs(expected));
    squares += least_squares;
    ++count;
  }
  EXPECT_EQ(count, 42u);
  // Each is a sum of squares by its definition.
  EXPECT_EQ(squares, 42u);
}

}  // namespace
}  // namespace kappa
