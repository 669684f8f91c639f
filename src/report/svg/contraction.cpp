#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "report/json_numbers.h"
#include "report/svg/chart.h"
#include "report/svg/pictures.h"
#include "report/text.h"

namespace kappa {

// |1 - rate lambda| of each eigen-direction against the learning rate.
void add_contraction(const Json& result, std::vector<Picture>& list) {
  if (!has(result, "learning_rate") || !has(result["learning_rate"], "directions")) return;
  const Json& rate = result["learning_rate"];
  const double limit = number_or_nan(rate, "stability_limit");
  std::vector<double> lambdas;
  for (const Json& d : rate["directions"]) {
    const double value = number_or_nan(d, "eigenvalue");
    if (std::isfinite(value)) lambdas.push_back(value);
  }
  if (!(limit > 0) || lambdas.empty()) return;
  std::sort(lambdas.rbegin(), lambdas.rend());
  lambdas.erase(std::unique(lambdas.begin(), lambdas.end()), lambdas.end());
  if (lambdas.size() > 12) lambdas.erase(lambdas.begin() + 6, lambdas.end() - 6);
  const double top = 1.25 * limit;
  Chart chart;
  chart.title = "What one step leaves of the distance";
  chart.x = {"learning rate", false, {{0, top}}};
  const double worst = 1 - top * std::min(0.0, lambdas.back()) * 1.05;
  chart.y = {"factor a step", false, {{0, std::max(1.6, worst)}}};
  for (std::size_t k = 0; k < lambdas.size(); ++k) {
    const bool first = k == 0, last = k + 1 == lambdas.size();
    ChartSeries series;
    series.name = fmt::format("{} direction, \u03bb = {}",
                              lambdas.size() == 1 ? "the only"
                              : first             ? "steepest"
                              : lambdas[k] < 0    ? "lowest"
                                                  : "flattest",
                              number(lambdas[k]));
    series.color = first || !last ? 1 : 2;
    series.kind = last && !first ? SeriesKind::dashes : SeriesKind::line;
    series.faint = !first && !last;
    for (int i = 0; i <= 125; ++i) {
      const double x = i * top / 125;
      series.points.push_back({x, std::fabs(1 - x * lambdas[k])});
    }
    chart.series.push_back(std::move(series));
  }
  chart.rules = {{limit, {}, "stability limit " + number(limit)}};
  const double best = number_or_nan(rate, "fastest_fixed");
  if (std::isfinite(best) && lambdas.size() > 1)
    chart.rules.push_back({best, {}, "best " + number(best)});
  list.push_back({"contraction", to_svg(chart)});
}

}  // namespace kappa
