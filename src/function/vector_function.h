#pragma once

#include <memory>
#include <string>
#include <vector>

#include "function/parameters.h"
#include "program/program.h"

namespace kappa {

/// A differentiable map F: R^n -> R^m given by a program whose inputs are its parameters.
class VectorFunction {
 public:
  /// `program` has one output of shape (m).
  VectorFunction(std::string text, Parameters parameters, std::vector<std::string> components,
                 Program program);
  ~VectorFunction();

  [[nodiscard]] const std::string& text() const { return text_; }
  [[nodiscard]] const Parameters& parameters() const { return parameters_; }
  /// Text of each component, e.g. "x*y"; may be empty.
  [[nodiscard]] const std::vector<std::string>& components() const { return components_; }
  [[nodiscard]] const Program& program() const { return program_; }
  [[nodiscard]] std::int64_t dimension() const { return parameters_.dimension(); }
  [[nodiscard]] std::int64_t num_outputs() const { return num_outputs_; }

  /// F(w), m entries.
  [[nodiscard]] std::vector<double> value(const double* w) const;
  /// J(w), m x n row-major: entry (i, j) is the derivative of component i by parameter j.
  [[nodiscard]] std::vector<double> jacobian(const double* w) const;

 private:
  std::string text_;
  Parameters parameters_;
  std::vector<std::string> components_;
  Program program_;
  std::int64_t num_outputs_ = 0;
};

}  // namespace kappa
