#include <algorithm>
#include <cmath>

#include "report/json_numbers.h"
#include "report/svg/chart.h"
#include "report/svg/grid_json.h"
#include "report/svg/map.h"
#include "report/svg/pictures.h"

namespace kappa {
namespace {

void add_line(const Json& scape, std::vector<Picture>& list) {
  const Json& axis = scape.at("axes").at(0);
  const std::vector<double> t = numbers_or_nan(axis.at("t")), f = numbers_or_nan(scape.at("value"));
  const Json& m = scape.at("model");
  const double value = number_or_nan(m, "value"), slope = number_or_nan(m.at("slope").at(0)),
               curvature = number_or_nan(m.at("curvature").at(0).at(0));
  ChartSeries function{"function", 1, SeriesKind::line, {}};
  ChartSeries model{"quadratic model at 0", 2, SeriesKind::dashes, {}};
  double low = value, high = value;
  for (std::size_t i = 0; i < std::min(t.size(), f.size()); ++i) {
    function.points.push_back({t[i], f[i]});
    model.points.push_back({t[i], value + slope * t[i] + curvature / 2 * t[i] * t[i]});
    if (std::isfinite(f[i])) {
      low = std::min(low, f[i]);
      high = std::max(high, f[i]);
    }
  }
  Chart chart{"The function along " + text_or(axis, "label", "a line"),
              {"t: steps along the direction", false, {}, false, 0},
              {"f"},
              {function, model}};
  if (std::isfinite(low)) {
    const double room = 0.12 * (high > low ? high - low : std::max(std::fabs(value), 1.0));
    chart.y.domain = {low - room, high + room};
  }
  list.push_back({"landscape", to_svg(chart)});
}

}  // namespace

// A slice of the function: one axis a curve, two a map and a surface.
void add_landscape(const Json& result, std::vector<Picture>& list) {
  if (!has(result, "landscape")) return;
  const Json& scape = result["landscape"];
  if (scape.at("axes").size() == 1) return add_line(scape, list);
  Json plane;
  plane["x"] = scape["axes"].at(0).at("t");
  plane["y"] = scape["axes"].at(1).at("t");
  plane["value"] = scape.at("value");
  PlaneMap map;
  map.title = "Landscape and quadratic model";
  map.x_title = "t: " + text_or(scape["axes"][0], "label", "");
  map.y_title = "u: " + text_or(scape["axes"][1], "label", "");
  map.grid = grid_of(plane);
  const Json& m = scape.at("model");
  const double value = number_or_nan(m, "value");
  const std::vector<double> slope = numbers_or_nan(m.at("slope"));
  const double a = number_or_nan(m.at("curvature").at(0).at(0)),
               b = number_or_nan(m.at("curvature").at(0).at(1)),
               c = number_or_nan(m.at("curvature").at(1).at(1));
  map.model = [=](double x, double y) {
    return value + slope.at(0) * x + slope.at(1) * y + (a * x * x + 2 * b * x * y + c * y * y) / 2;
  };
  map.point = {0, 0};
  list.push_back({"landscape", to_svg(map)});
  list.push_back({"landscape-surface",
                  to_svg(Surface{"Landscape over " + text_or(scape["axes"][0], "label", "t") +
                                     " (t) and " + text_or(scape["axes"][1], "label", "u") + " (u)",
                                 "t", "u", "f", map.grid})});
}

}  // namespace kappa
