#pragma once

#include <string>
#include <vector>

#include "kappa/landscape.h"
#include "report/json.h"
#include "report/text.h"

namespace kappa {

/// A landscape with what its report says beside it.
struct LandscapeReport {
  ObjectiveSummary objective;
  std::vector<LandscapeAxis> axes;
  Landscape grid;
  LandscapeModel model;
  double seconds = 0;
  std::vector<std::string> warnings;
};

/// As docs/cli.md lays it out, under "landscape". Places not reached are null.
Json to_json(const LandscapeReport& report);

/// The report for a terminal: axes, curvature, lowest place, and how far the quadratic model goes.
std::string to_text(const LandscapeReport& report, const TextStyle& style);

}  // namespace kappa
