#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "report/json_numbers.h"
#include "report/svg/grid_json.h"
#include "report/svg/map.h"
#include "report/svg/pictures.h"

namespace kappa {

// Where walks went: in the plane of two parameters, or of the two principal directions.
void add_paths(const Json& result, std::vector<Picture>& list) {
  if (!has(result, "paths")) return;
  const Json& paths = result["paths"];
  const bool principal = text_or(paths, "space", "") == "principal";
  PlaneMap map;
  map.title = principal ? "The walks on their two principal directions" : "The walks on the map";
  std::string titles[2];
  for (std::size_t k = 0; k < 2; ++k) {
    titles[k] = paths.at("names").at(k).get<std::string>();
    if (has(paths, "explained")) {
      titles[k] +=
          fmt::format(" ({:.1f} % of the movement)", 100 * number_or_nan(paths["explained"].at(k)));
    }
  }
  map.x_title = titles[0];
  map.y_title = titles[1];
  double low[2] = {INFINITY, INFINITY}, high[2] = {-INFINITY, -INFINITY};
  int color = 2;
  for (const Json& run : paths.at("runs")) {
    PlaneMap::Walk walk{text_or(run, "method", "walk"), color, color > 4, {}};
    for (const Json& p : run.at("coordinates")) {
      const double at[2] = {number_or_nan(p.at(0)), number_or_nan(p.at(1))};
      walk.points.emplace_back(at[0], at[1]);
      for (std::size_t k = 0; k < 2; ++k) {
        low[k] = std::min(low[k], at[k]);
        high[k] = std::max(high[k], at[k]);
      }
    }
    if (color == 2 && !walk.points.empty()) map.point = walk.points.front();
    map.walks.push_back(std::move(walk));
    ++color;
  }
  if (has(paths, "plane")) {
    map.grid = grid_of(paths["plane"]);
  } else {
    // No heights were computed: an empty map of the right size.
    for (std::size_t k = 0; k < 2; ++k) {
      const double pad = high[k] > low[k] ? 0.1 * (high[k] - low[k]) : 1;
      (k == 0 ? map.grid.x : map.grid.y) = {low[k] - pad, high[k] + pad};
    }
    map.grid.value.assign(4, 0.0);
    map.title += " (no heights: --path-grid draws them)";
  }
  list.push_back({"paths", to_svg(map)});
}

}  // namespace kappa
