#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "frontend/formula.h"
#include "kappa/error.h"
#include "program/builder.h"

namespace kappa::testing {

/// Parameters as text and values: {"x", {}, {1.5}} is a scalar.
struct Given {
  std::string name;
  Shape shape;
  std::vector<double> values;
};
inline Given scalar(std::string name, double value) { return {std::move(name), {}, {value}}; }
inline Given vector(std::string name, std::vector<double> values) {
  const auto n = static_cast<std::int64_t>(values.size());
  return {std::move(name), {n}, std::move(values)};
}

inline FormulaBindings bindings_of(const std::vector<Given>& parameters, DType dtype = DType::f64) {
  FormulaBindings bindings;
  bindings.dtype = dtype;
  for (const Given& given : parameters) bindings.parameters.emplace_back(given.name, given.shape);
  return bindings;
}

inline std::vector<Tensor> tensors_of(const std::vector<Given>& parameters,
                                      DType dtype = DType::f64) {
  std::vector<Tensor> tensors;
  for (const Given& given : parameters) {
    tensors.push_back(Tensor::from_doubles(given.values, given.shape, dtype));
  }
  return tensors;
}

using List = std::vector<double>;

inline std::vector<double> elements(const Tensor& tensor) {
  std::vector<double> list;
  for (std::int64_t i = 0; i < tensor.size(); ++i) list.push_back(tensor.at(i));
  return list;
}

/// The formula's value, all elements.
inline std::vector<double> values_of(const std::string& text,
                                     const std::vector<Given>& parameters = {},
                                     DType dtype = DType::f64) {
  const BoundFormula bound = bind_formula(parse_formula(text), bindings_of(parameters, dtype));
  return elements(evaluate(bound.program, tensors_of(parameters, dtype))[0]);
}

inline double value_of(const std::string& text, const std::vector<Given>& parameters = {},
                       DType dtype = DType::f64) {
  return values_of(text, parameters, dtype).at(0);
}

/// A formula and a part of the one line that refuses it and names the position.
struct Wrong {
  const char* text;
  std::size_t position;  // from 1
  ErrorKind kind;
  const char* message;
};
template <class Read>
void expect_refused(std::span<const Wrong> cases, Read&& read) {
  for (const Wrong& wrong : cases) {
    try {
      read(wrong.text);
      ADD_FAILURE() << wrong.text << " was accepted";
    } catch (const FormulaError& error) {
      const std::string message = error.what();
      EXPECT_EQ(error.kind(), wrong.kind) << wrong.text << ": " << message;
      EXPECT_NE(message.find(wrong.message), std::string::npos) << wrong.text << ": " << message;
      EXPECT_NE(message.find("at position " + std::to_string(wrong.position) + ":"),
                std::string::npos)
          << wrong.text << ": " << message;
      EXPECT_EQ(message.find('\n'), std::string::npos) << message;
    }
  }
}

}  // namespace kappa::testing
