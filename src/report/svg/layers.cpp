#include "report/json_numbers.h"
#include "report/svg/chart.h"
#include "report/svg/pictures.h"

namespace kappa {

// The largest eigenvalue of each parameter array's block.
void add_layers(const Json& result, std::vector<Picture>& list) {
  if (!has(result, "per_layer")) return;
  ChartSeries series{"largest eigenvalue", 1, SeriesKind::bars, {}};
  Chart chart;
  chart.title = "Curvature by layer";
  double last = 0;
  for (const Json& layer : result["per_layer"]) {
    const Json& pair = layer.at("lambda_max");
    const double value = number_or_nan(pair, "value"), bound = number_or_nan(pair, "error_bound");
    series.points.push_back({++last, value, value - bound, value + bound});
    chart.names.push_back(text_or(layer, "name", ""));
  }
  chart.x = {"parameters", false, {{0.3, last + 0.7}}};
  chart.y = {"largest eigenvalue"};
  chart.series = {series};
  list.push_back({"layers", to_svg(chart)});
}

}  // namespace kappa
