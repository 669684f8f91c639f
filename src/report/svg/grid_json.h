#pragma once

#include "report/json_numbers.h"
#include "report/svg/contours.h"

namespace kappa {

/// {"x": [...], "y": [...], "value": [[a row for each y]]} as a grid; missing values are NaN.
inline Grid grid_of(const Json& json) {
  Grid grid{numbers_or_nan(json.at("x")), numbers_or_nan(json.at("y")), {}};
  for (std::size_t j = 0; j < grid.y.size(); ++j) {
    std::vector<double> row = numbers_or_nan(json.at("value").at(j));
    row.resize(grid.x.size(), std::numeric_limits<double>::quiet_NaN());
    grid.value.insert(grid.value.end(), row.begin(), row.end());
  }
  return grid;
}

}  // namespace kappa
