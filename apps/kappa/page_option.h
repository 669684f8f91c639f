#pragma once

#include <string>

#include "common.h"
#include "option_table.h"
#include "report/json.h"

namespace kappa {

/// Pictures of a result: `--html FILE`, `--svg DIR`, `--plot`.
struct PageOption {
  std::string html, svg;
  bool plot = false;

  void add_to(OptionTable& table);
  [[nodiscard]] bool wanted() const { return plot || !html.empty() || !svg.empty(); }
  /// Whether the result should carry what pictures are made of: for them, or for `kappa report` to
  /// make them later from a JSON file.
  [[nodiscard]] bool data_wanted(const CommonOptions& common) const {
    return wanted() || (!common.json.empty() && !common.json_to_stdout());
  }
  /// Before long work: throws Error if the page is not built in, a file could not be written, or
  /// the plot would land in the midst of JSON.
  void check(const CommonOptions& common) const;
  /// Writes page and pictures, and prints the plot below the report.
  void write(const Json& result) const;
};

}  // namespace kappa
