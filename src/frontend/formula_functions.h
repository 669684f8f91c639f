#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "kappa/array.h"
#include "program/builder.h"

namespace kappa {

/// What an expression stands for while a formula is turned into a program. What depends on no
/// parameter and no column is constant, kept in double until it meets something that does; constant
/// scalars are literals.
struct FormulaValue {
  Array array;
  bool variable = false;
};

/// The program being built, and how operations on values append to it. Mistakes throw Error without
/// a position; the binder adds it.
class FormulaScope {
 public:
  explicit FormulaScope(DType dtype) : dtype_(dtype) {}
  [[nodiscard]] Builder& builder() { return builder_; }
  [[nodiscard]] DType dtype() const { return dtype_; }

  using Operation = std::function<Array(std::span<const Array>)>;
  /// `operation` on operands of one dtype (double while all are constant), truth values as 0 and 1;
  /// literals beside arrays stay literals.
  FormulaValue apply(std::span<const FormulaValue> operands, const Operation& operation);

  /// Constants are converted now rather than at every evaluation.
  Array cast(const Array& x, DType dtype);
  /// Literals made arrays of doubles.
  Array as_array(const FormulaValue& value);
  FormulaValue constant(std::span<const double> values, const Shape& shape);
  /// A constant computed now where it is small; a scalar becomes a literal.
  FormulaValue known(FormulaValue value);

 private:
  DType dtype_;
  Builder builder_;
};

Shape shape_of(const FormulaValue& value);
/// The elements of a constant small enough to be known while binding.
std::optional<std::vector<double>> known_elements(const FormulaValue& value);
/// A constant whole number; `what` names it in the error.
std::int64_t known_integer(const FormulaValue& value, const std::string& what);

/// Arguments of one call; `axes` where `axis=` was given.
struct FormulaCall {
  FormulaScope& scope;
  std::span<const FormulaValue> arguments;
  std::optional<Dims> axes;
};

/// One function of the language.
struct FormulaFunction {
  std::string name;
  std::string usage;  // "sum(x, axis=)"
  int min_arguments = 1;
  int max_arguments = 1;  // -1: any number
  bool takes_axis = false;
  std::function<FormulaValue(const FormulaCall&)> build;
};

/// All functions, sorted by name: those below and every primitive marked `formula_function`.
std::span<const FormulaFunction> all_formula_functions();
const FormulaFunction* find_formula_function(std::string_view name);

}  // namespace kappa
