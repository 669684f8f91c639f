#include <algorithm>
#include <cmath>

#include "report/json_numbers.h"
#include "report/svg/chart.h"
#include "report/svg/pictures.h"

namespace kappa {
namespace {

ChartPoint bounded(const Json& pair, double x) {
  const double value = number_or_nan(pair, "value"), bound = number_or_nan(pair, "error_bound");
  return {x, value, value - bound, value + bound};
}

std::string matrix_name(const Json& result) {
  const std::string name = text_or(result, "operator", "hessian");
  return name == "hessian" ? "Hessian" : name == "ggn" ? "Gauss-Newton matrix" : "Fisher matrix";
}

}  // namespace

// Eigenvalues from the largest, with error bounds.
void add_spectrum(const Json& result, std::vector<Picture>& list) {
  if (!has(result, "eigenvalues")) return;
  const Json& e = result["eigenvalues"];
  Chart chart;
  chart.title = "Curvature along the eigenvectors of the " + matrix_name(result);
  double last = 0;
  if (has(e, "all")) {
    std::vector<double> all = numbers_or_nan(e["all"]);
    std::reverse(all.begin(), all.end());
    ChartSeries series{
        "eigenvalue", 1, all.size() <= 128 ? SeriesKind::bars : SeriesKind::line, {}};
    for (const double value : all) series.points.push_back({++last, value});
    chart.series = {series};
  } else {
    ChartSeries top{"largest", 1, SeriesKind::bars, {}},
        bottom{"smallest", 2, SeriesKind::bars, {}};
    for (const Json& pair : e.at("top")) top.points.push_back(bounded(pair, ++last));
    ++last;
    const Json& low = e.at("bottom");
    for (auto pair = low.rbegin(); pair != low.rend(); ++pair) {
      bottom.points.push_back(bounded(*pair, ++last));
    }
    chart.series = {top, bottom};
  }
  double smallest = INFINITY, largest = -INFINITY;
  for (const ChartSeries& series : chart.series) {
    for (const ChartPoint& p : series.points) {
      if (!std::isfinite(p.y)) continue;
      smallest = std::min(smallest, p.y);
      largest = std::max(largest, p.y);
    }
  }
  const bool log = smallest > 0 && largest / smallest > 30;
  chart.x = {has(e, "all") ? "eigenvalue, from the largest" : "largest, then smallest",
             false,
             {{0.3, last + 0.7}},
             true};
  chart.y = {log ? "eigenvalue (logarithmic)" : "eigenvalue", log};
  if (log) chart.y.domain = {smallest / 2, largest * 1.5};
  list.push_back({"spectrum", to_svg(chart)});
}

}  // namespace kappa
