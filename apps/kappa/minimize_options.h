#pragma once

#include <optional>
#include <string>
#include <vector>

#include "common.h"
#include "kappa/minimize.h"
#include "option_table.h"
#include "report/minimization.h"

namespace kappa {

/// Options that minimize and compare share.
struct WalkOptions {
  std::vector<std::string> settings;  ///< KEY=VALUE
  std::optional<std::int64_t> max_iterations;
  double max_seconds = 0, epochs = 0;
  std::optional<double> gradient_tolerance, learning_rate;
  std::int64_t minibatch = 0, track_curvature = 0;

  void add_to(OptionTable& table);
  [[nodiscard]] MinimizeOptions build(const std::string& method, const CommonOptions& common) const;
};

/// Walks, and classifies the point where the walk ended. `progress` may be empty.
Minimization walk(const LoadedObjective& loaded, const MinimizeOptions& options,
                  bool standard_errors);

/// "gd, momentum, ...": every method there is.
std::string method_names();

}  // namespace kappa
