#pragma once

#include <string>
#include <utility>
#include <vector>

#include "program/program.h"

namespace kappa {

/// A program's outputs as simplified formulas.
struct FormulaText {
  struct Output {
    Shape shape;
    /// One formula for the whole output, or one for each of its elements in row-major order.
    std::vector<std::string> entries;
    bool elementwise = false;
  };
  /// Names that the entries use, each made of those before it: {"t1", "exp(-b2*x)"}.
  std::vector<std::pair<std::string, std::string>> definitions;
  std::vector<Output> outputs;
  /// False where some operation has no form in the formula language and stands as a call of the
  /// primitive's name.
  bool readable = true;
};

struct FormulaTextOptions {
  /// An output of more elements is written as one formula for the whole array.
  std::int64_t max_entries = 144;
  /// Texts longer than this in all share their repeated parts through definitions.
  std::int64_t max_inline_characters = 400;
};

/// Prints a program in the language that `parse_formula` reads: sums and products flattened, like
/// terms collected, equal factors as powers, x[i] for the elements of small arrays.
///
/// Parsing the text again gives the same values up to rounding. Cost is linear in the size of the
/// text.
FormulaText print_formula(const Program& program, const FormulaTextOptions& options = {});

/// The definitions and one output as one text that parse_formula reads.
std::string join_formula(const FormulaText& text, std::size_t output, std::size_t entry = 0);

}  // namespace kappa
