#include <algorithm>
#include <cmath>

#include "report/json_numbers.h"
#include "report/svg/chart.h"
#include "report/svg/pictures.h"

namespace kappa {
namespace {

struct Clock {
  const char *key, *title, *file;
};
constexpr Clock clocks[] = {{"iteration", "iterations", "iterations"},
                            {"gradient_equivalents", "work, in gradients", "work"},
                            {"seconds", "time in seconds", "seconds"}};

// Value or slope of every run against one clock.
ChartSeries series_of(const Json& run, const char* clock, const char* key, double shift,
                      int color) {
  ChartSeries series{text_or(run, "method", "method"),
                     color,
                     color > 3 ? SeriesKind::dashes : SeriesKind::line,
                     {}};
  for (const Json& it : run.at("iterations")) {
    series.points.push_back({number_or_nan(it, clock), number_or_nan(it, key) - shift});
  }
  return series;
}

// Runs of very different length, or reaching many powers of ten, need a logarithmic axis.
bool long_range(const std::vector<ChartSeries>& list) {
  double shortest = INFINITY, longest = 0;
  for (const ChartSeries& series : list) {
    double end = 0;
    for (const ChartPoint& p : series.points) {
      if (std::isfinite(p.x)) end = std::max(end, p.x);
    }
    if (end > 0) shortest = std::min(shortest, end);
    longest = std::max(longest, end);
  }
  return longest > 20 * shortest;
}

void add_curvature(const std::vector<Json>& runs, std::vector<Picture>& list) {
  Chart chart{"Largest curvature along the walk", {"iterations"}, {"curvature"}, {}};
  for (const Json& run : runs) {
    const std::string prefix = runs.size() > 1 ? text_or(run, "method", "") + ": " : "";
    const int color = static_cast<int>(chart.series.size()) + 1;
    ChartSeries lambda{prefix + "\u03bbmax", color, SeriesKind::line, {}};
    ChartSeries limit{prefix + "2/learning rate", color + 1, SeriesKind::dashes, {}};
    for (const Json& it : run.at("iterations")) {
      const double at = number_or_nan(it, "iteration"), value = number_or_nan(it, "lambda_max");
      if (!std::isfinite(value)) continue;
      lambda.points.push_back({at, value});
      const double rate = number_or_nan(it, "learning_rate");
      if (rate > 0) limit.points.push_back({at, 2 / rate});
    }
    if (!lambda.points.empty()) chart.series.push_back(std::move(lambda));
    if (!limit.points.empty()) chart.series.push_back(std::move(limit));
  }
  if (!chart.series.empty()) list.push_back({"curvature-on-the-way", to_svg(chart)});
}

}  // namespace

// Value and gradient norm on the way, against iterations, work and seconds.
void add_runs(const Json& result, std::vector<Picture>& list) {
  std::vector<Json> runs;
  if (has(result, "runs")) {
    for (const Json& run : result["runs"]) runs.push_back(run);
  } else if (result.contains("iterations")) {
    runs.push_back(result);
  }
  if (runs.empty()) return;
  double low = INFINITY, high = -INFINITY, least_positive = INFINITY;
  for (const Json& run : runs) {
    for (const Json& it : run.at("iterations")) {
      const double value = number_or_nan(it, "value");
      if (!std::isfinite(value)) continue;
      low = std::min(low, value);
      high = std::max(high, value);
      if (value > 0) least_positive = std::min(least_positive, value);
    }
  }
  const bool positive = low >= 0;
  const bool log = positive ? high / least_positive > 20 : high > low;
  const double shift = log && !positive ? low : 0;
  for (const Clock& clock : clocks) {
    for (const bool slope : {false, true}) {
      Chart chart;
      int color = 0;
      for (const Json& run : runs) {
        chart.series.push_back(series_of(run, clock.key, slope ? "gradient_norm" : "value",
                                         slope ? 0 : shift, ++color));
      }
      chart.title = slope ? "Slope on the way" : "Value on the way";
      const bool far = long_range(chart.series);
      chart.x = {std::string(clock.title) + (far ? " (logarithmic; the start is left out)" : ""),
                 far};
      const std::string f = shift != 0 ? "f above the lowest value seen" : "f";
      chart.y = {slope ? "|gradient| (logarithmic)" : f + (log ? " (logarithmic)" : ""),
                 slope || log};
      list.push_back({std::string(slope ? "slope" : "value") + "-" + clock.file, to_svg(chart)});
    }
  }
  add_curvature(runs, list);
}

}  // namespace kappa
