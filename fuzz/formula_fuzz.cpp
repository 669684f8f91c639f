// floor: frontend
// Any bytes as a formula: it is read and bound, or refused in one line.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "frontend/formula.h"
#include "frontend/print_formula.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace kappa;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  try {
    const ParsedFormula formula = parse_formula(text);
    FormulaBindings bindings;
    // A scalar, a vector and a matrix parameter, one column, one constant; every other name a
    // scalar.
    bindings.constants["c"] = Tensor::scalar(3, DType::f64);
    bindings.columns = {"y"};
    bindings.parameters = {{"x", {3}}, {"A", {3, 3}}};
    for (const std::string& name : formula.free_names) {
      if (name != "c" && name != "y" && name != "x" && name != "A") {
        bindings.parameters.emplace_back(name, Shape{});
      }
    }
    const BoundFormula bound = bind_formula(formula, bindings);
    print_formula(bound.program);
  } catch (const FormulaError& error) {
    if (std::string_view(error.what()).find('\n') != std::string_view::npos) std::abort();
    if (error.offset() > size) std::abort();
    caret_excerpt(error.text(), error.offset());
  } catch (const Error& error) {
    if (std::string_view(error.what()).find('\n') != std::string_view::npos) std::abort();
  }
  return 0;
}
