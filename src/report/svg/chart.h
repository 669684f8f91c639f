#pragma once

#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace kappa {

/// A line or bar chart: what the page's charts are (web/src/chart.ts), as data.
struct ChartAxis {
  std::string title;
  bool log = false;
  std::optional<std::pair<double, double>> domain = {};  ///< default: that of the points
  bool integer = false;                                  ///< ticks at whole numbers only
  double pad = 0.04;                                     ///< room beyond the points, linear axes
};

struct ChartPoint {
  double x = 0;
  double y = 0;
  double low = std::numeric_limits<double>::quiet_NaN();  ///< of an error bar or band
  double high = std::numeric_limits<double>::quiet_NaN();
};

enum class SeriesKind { line, dashes, dots, bars };

struct ChartSeries {
  std::string name;
  int color = 1;
  SeriesKind kind = SeriesKind::line;
  std::vector<ChartPoint> points;
  bool faint = false;  ///< thin, and not in the legend
};

/// A dotted line across the chart at x or at y.
struct ChartRule {
  std::optional<double> x, y;
  std::string label;
};

struct Chart {
  std::string title;
  ChartAxis x, y;
  std::vector<ChartSeries> series;
  std::vector<ChartRule> rules = {};
  /// Under the ticks of the x axis in place of numbers: the name of place 1, 2, ...
  std::vector<std::string> names = {};
};

/// The chart as SVG. Points that are not finite, or not positive on a logarithmic axis, are left
/// out, and the picture says how many; where none is left it says that.
std::string to_svg(const Chart& chart);

}  // namespace kappa
