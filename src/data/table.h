#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "kappa/error.h"

namespace kappa {

/// A named column of numbers. Entries that are missing or no numbers are NaN, and `fault` then says
/// where the first one is and what to do: a column nobody asks for stops nobody.
struct Column {
  std::string name;
  std::vector<double> values;
  std::string fault;
  ErrorKind fault_kind = ErrorKind::data;
};

/// Columns of equal length.
struct Table {
  std::string source;  ///< the file, for messages
  std::vector<Column> columns;
  std::int64_t num_rows = 0;

  [[nodiscard]] bool contains(std::string_view name) const;
  /// The column of that name, free of faults. Throws Error(name), listing the names there are, or
  /// the column's own fault.
  [[nodiscard]] const Column& column(std::string_view name) const;
};

/// Throws the fault of a column, if it has one.
const Column& require_numbers(const Column& column);

}  // namespace kappa
