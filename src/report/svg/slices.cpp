#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "report/json_numbers.h"
#include "report/svg/chart.h"
#include "report/svg/pictures.h"
#include "report/text.h"

namespace kappa {

// The function along a line, with its tangent and the parabola that fits it.
void add_slices(const Json& result, std::vector<Picture>& list) {
  if (!has(result, "slices") || !has(result["slices"], "lines")) return;
  const double value = number_or_nan(result, "value");
  for (const Json& line : result["slices"]["lines"]) {
    const std::vector<double> t = numbers_or_nan(line.at("t")),
                              f = numbers_or_nan(line.at("value"));
    const double slope = number_or_nan(line, "slope"), curvature = number_or_nan(line, "curvature");
    const std::string kind = text_or(line, "kind", "line"), label = text_or(line, "label", "");
    double origin = 0;
    if (kind == "axis" && has(result, "point")) {
      origin = number_or_nan(result["point"].at("values").at(0));
    }
    ChartSeries function{"function", 1, SeriesKind::line, {}};
    ChartSeries model{"quadratic model", 2, SeriesKind::dashes, {}};
    ChartSeries tangent{"tangent", 3, SeriesKind::dashes, {}};
    double low = value, high = value;
    for (std::size_t i = 0; i < std::min(t.size(), f.size()); ++i) {
      function.points.push_back({origin + t[i], f[i]});
      model.points.push_back({origin + t[i], value + slope * t[i] + curvature / 2 * t[i] * t[i]});
      tangent.points.push_back({origin + t[i], value + slope * t[i]});
      if (std::isfinite(f[i])) {
        low = std::min(low, f[i]);
        high = std::max(high, f[i]);
      }
    }
    Chart chart;
    chart.title = kind == "axis" ? "f against " + label : "The function " + label;
    chart.x = {kind == "axis" ? label : "distance from the point", false, {}, false, 0};
    chart.y = {"f"};
    const double room = 0.12 * (high > low ? high - low : std::max(std::fabs(value), 1.0));
    if (std::isfinite(low)) chart.y.domain = {low - room, high + room};
    chart.series = {function, tangent, {"the point", 4, SeriesKind::dots, {{origin, value}}}};
    if (std::isfinite(curvature)) chart.series.insert(chart.series.begin() + 1, model);
    const double holds = number_or_nan(line, "model_holds_to");
    if (holds > 0) {
      chart.rules = {{origin + holds, {}, "model holds to " + number(holds)},
                     {origin - holds, {}, ""}};
    }
    list.push_back({"slice-" + kind, to_svg(chart)});
  }
}

}  // namespace kappa
