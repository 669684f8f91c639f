#pragma once

#include <optional>
#include <string>
#include <vector>

#include "common.h"
#include "kappa/minimize.h"
#include "option_table.h"
#include "report/minimization.h"
#include "report/walk_paths.h"

namespace kappa {

/// Options that minimize and compare share.
struct WalkOptions {
  std::vector<std::string> settings;  ///< KEY=VALUE
  std::optional<std::int64_t> max_iterations;
  double max_seconds = 0, epochs = 0;
  std::optional<double> gradient_tolerance, learning_rate;
  std::int64_t minibatch = 0, track_curvature = 0;
  std::string switch_rule = "plateau";
  std::optional<std::int64_t> path_grid;

  void add_to(OptionTable& table);
  [[nodiscard]] MinimizeOptions build(const std::string& method, const CommonOptions& common) const;
};

/// Walks, and classifies the point where the walk ended. `progress` may be empty; `paths`, where
/// given, keeps where the walk went.
Minimization walk(const LoadedObjective& loaded, const MinimizeOptions& options,
                  bool standard_errors, WalkPaths* paths = nullptr);

/// The paths for a page, with f around them.
Json paths_json(const WalkPaths& paths, const WalkOptions& walk, const CommonOptions& common,
                const LoadedObjective& loaded, const ProgressCallback& progress);

/// "gd, momentum, ...": every method there is.
std::string method_names();

}  // namespace kappa
