#include "data/table.h"

#include <fmt/format.h>

#include <algorithm>

#include "data/bytes.h"

namespace kappa {

bool Table::contains(std::string_view name) const {
  return std::any_of(columns.begin(), columns.end(),
                     [&](const Column& c) { return c.name == name; });
}

const Column& Table::column(std::string_view name) const {
  for (const Column& each : columns) {
    if (each.name == name) return require_numbers(each);
  }
  std::string names;
  constexpr std::size_t kShown = 30;
  for (std::size_t i = 0; i < std::min(columns.size(), kShown); ++i) {
    names += (i ? ", " : "") + quote(columns[i].name);
  }
  if (columns.size() > kShown) names += ", ...";
  throw Error(ErrorKind::name, fmt::format("{}: has no column {}; its {} columns are {}", source,
                                           quote(name), columns.size(), names));
}

const Column& require_numbers(const Column& column) {
  if (!column.fault.empty()) throw Error(column.fault_kind, column.fault);
  return column;
}

}  // namespace kappa
