#include "report/derivative_formulas.h"

#include <fmt/format.h>

#include "frontend/formula.h"
#include "frontend/print_formula.h"
#include "kappa/error.h"
#include "program/builder.h"
#include "transform/derivatives.h"

namespace kappa {
namespace {

/// The outputs `first`, `first + 1`, ... alone.
Program outputs_from(const Program& program, std::size_t first) {
  std::vector<std::size_t> kept;
  for (std::size_t i = first; i < program.outputs.size(); ++i) kept.push_back(i);
  return prune(program, kept);
}

/// Names of the entries of the parameters that vary.
std::vector<std::string> entry_names(const Parameters& parameters) {
  std::vector<std::string> names;
  for (std::int64_t i = 0; i < parameters.dimension(); ++i) {
    names.push_back(parameters.entry_name(i));
  }
  return names;
}

void add_definitions(DerivativeFormulas& result, const FormulaText& text) {
  for (const auto& definition : text.definitions) result.lines.push_back(definition);
}

}  // namespace

DerivativeFormulas derivative_formulas(const std::string& formula, const Parameters& parameters,
                                       const NamedValues& constants, const Table* table) {
  constexpr std::int64_t most = 64;
  if (parameters.dimension() > most) {
    throw Error(ErrorKind::resource,
                fmt::format("--print: {} parameters; formulas are written for at most {}",
                            parameters.dimension(), most));
  }
  FormulaBindings bindings;
  for (const auto& [name, value] : constants) bindings.constants.emplace(name, value);
  if (table != nullptr) {
    for (const Column& column : table->columns) bindings.columns.push_back(column.name);
  }
  for (const Parameter& p : parameters.list()) bindings.parameters.emplace_back(p.name, p.shape);
  const BoundFormula bound = bind_formula(parse_formula(formula), bindings);
  std::vector<bool> varying = parameters.varying();
  varying.resize(bound.program.inputs.size(), false);
  const std::vector<std::string> names = entry_names(parameters);

  DerivativeFormulas result;
  const auto entries_of = [](const FormulaText::Output& output, std::int64_t i) {
    return output.entries[output.elementwise ? static_cast<std::size_t>(i) : 0];
  };
  if (bound.is_vector) {
    const FormulaText text = print_formula(jacobian(bound.program, varying));
    add_definitions(result, text);
    const std::int64_t rows = num_elements(bound.program.output_type(0).shape);
    for (std::int64_t i = 0; i < rows; ++i) {
      std::int64_t column = 0;
      for (const FormulaText::Output& output : text.outputs) {
        const std::int64_t width = num_elements(output.shape) / rows;
        for (std::int64_t j = 0; j < width; ++j, ++column) {
          result.lines.emplace_back(
              fmt::format("dF{}/d{}", i, names[static_cast<std::size_t>(column)]),
              entries_of(output, i * width + j));
        }
      }
    }
    return result;
  }

  const Program gradient = outputs_from(value_and_gradient(bound.program, varying), 1);
  FormulaText text = print_formula(gradient);
  add_definitions(result, text);
  std::size_t row = 0;
  for (const FormulaText::Output& output : text.outputs) {
    for (std::int64_t i = 0; i < num_elements(output.shape); ++i, ++row) {
      result.lines.emplace_back("df/d" + names[row], entries_of(output, i));
    }
  }
  row = 0;
  for (std::size_t p = 0; p < gradient.outputs.size(); ++p) {
    const std::vector<std::size_t> one{p};
    const Program part = prune(gradient, one);
    const std::int64_t rows = num_elements(part.output_type(0).shape);
    text = print_formula(jacobian(part, varying));
    add_definitions(result, text);
    for (std::int64_t i = 0; i < rows; ++i, ++row) {
      std::size_t column = 0;
      for (const FormulaText::Output& output : text.outputs) {
        const std::int64_t width = num_elements(output.shape) / rows;
        for (std::int64_t j = 0; j < width; ++j, ++column) {
          if (column < row) continue;  // symmetric
          result.lines.emplace_back(column == row
                                        ? fmt::format("d2f/d{}^2", names[row])
                                        : fmt::format("d2f/d{} d{}", names[row], names[column]),
                                    entries_of(output, i * width + j));
        }
      }
    }
  }
  return result;
}

std::string to_text(const DerivativeFormulas& formulas) {
  std::size_t width = 0;
  for (const auto& [name, formula] : formulas.lines) width = std::max(width, name.size());
  std::string out;
  for (const auto& [name, formula] : formulas.lines) {
    out += fmt::format("{:<{}} = {}\n", name, width, formula);
  }
  return out;
}

}  // namespace kappa
