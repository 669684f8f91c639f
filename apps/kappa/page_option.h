#pragma once

#include <string>

#include "option_table.h"
#include "report/json.h"

namespace kappa {

/// `--html FILE`: the result as a page.
struct PageOption {
  std::string path;

  void add_to(OptionTable& table);
  [[nodiscard]] bool wanted() const { return !path.empty(); }
  /// Before long work: throws Error if the page is not built in or could not be written.
  void check() const;
  void write(const Json& result) const;
};

}  // namespace kappa
