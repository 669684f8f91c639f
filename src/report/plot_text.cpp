#include "report/plot_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "report/json_numbers.h"
#include "report/svg/contours.h"
#include "report/svg/grid_json.h"

namespace kappa {
namespace {

constexpr std::size_t columns = 60, rows = 14, map_rows = 22;

struct Range {
  double low = INFINITY, high = -INFINITY;
  void take(double v) {
    if (!std::isfinite(v)) return;
    low = std::min(low, v);
    high = std::max(high, v);
  }
  [[nodiscard]] bool empty() const { return !(low <= high); }
  /// 0 at the low end, 1 at the high one.
  [[nodiscard]] double share(double v) const { return high > low ? (v - low) / (high - low) : 0.5; }
};

/// A picture of characters with an axis at its left and below.
class Canvas {
 public:
  explicit Canvas(std::size_t height) : cells_(height, std::string(columns, ' ')) {}
  void put(std::size_t column, std::size_t row, char c) {
    if (row < cells_.size() && column < columns) cells_[row][column] = c;
  }
  [[nodiscard]] std::string text(const Range& x, const Range& y, const TextStyle& style,
                                 const std::string& x_title) const {
    std::string out;
    for (std::size_t row = 0; row < cells_.size(); ++row) {
      std::string label;
      if (row == 0) label = fmt::format("{:.4g}", y.high);
      if (row + 1 == cells_.size()) label = fmt::format("{:.4g}", y.low);
      std::string line = cells_[row];
      line.erase(line.find_last_not_of(' ') + 1);
      out +=
          fmt::format("{:>10} {}{}\n", label, style.symbols ? "\u2502" : "|", symbols(line, style));
    }
    std::string base;
    for (std::size_t i = 0; i < columns; ++i) base += style.symbols ? "\u2500" : "-";
    out += fmt::format("{:>10} {}{}\n", "", style.symbols ? "\u2514" : "+", base);
    const std::string left = fmt::format("{:.4g}", x.low), right = fmt::format("{:.4g}", x.high);
    const std::size_t middle = columns - std::min(columns, left.size() + right.size());
    return out +
           fmt::format("{:>11} {}{:^{}}{}\n", "", left, x_title.substr(0, middle), middle, right);
  }

 private:
  // ASCII stands for itself where the terminal has no more.
  static std::string symbols(const std::string& line, const TextStyle& style) {
    if (!style.symbols) return line;
    std::string out;
    for (const char c : line) {
      switch (c) {
        case '*': out += "\u2022"; break;
        case '.': out += "\u00b7"; break;
        case 'O': out += "\u25cb"; break;
        default: out += c;
      }
    }
    return out;
  }

  std::vector<std::string> cells_;
};

std::size_t to_cell(double share, std::size_t count) {
  return static_cast<std::size_t>(
      std::lround(std::clamp(share, 0.0, 1.0) * static_cast<double>(count - 1)));
}

struct Curve {
  char mark = '*';
  std::vector<double> x, y;
};

// A mark in every column that the curve crosses; a single point where it stands.
void draw(const Curve& curve, const Range& x, const Range& y, Canvas& canvas) {
  const auto put = [&](std::size_t column, double v) {
    const double share = y.share(v);
    if (share >= 0 && share <= 1) canvas.put(column, rows - 1 - to_cell(share, rows), curve.mark);
  };
  const std::size_t count = std::min(curve.x.size(), curve.y.size());
  for (std::size_t i = 0; i < count; ++i) {
    if (!std::isfinite(curve.x[i]) || !std::isfinite(curve.y[i])) continue;
    const std::size_t column = to_cell(x.share(curve.x[i]), columns);
    put(column, curve.y[i]);
    if (i + 1 == count || !std::isfinite(curve.x[i + 1]) || !std::isfinite(curve.y[i + 1]))
      continue;
    const std::size_t next = to_cell(x.share(curve.x[i + 1]), columns);
    for (std::size_t c = column + 1; c < next; ++c) {
      const double part = static_cast<double>(c - column) / static_cast<double>(next - column);
      put(c, curve.y[i] + part * (curve.y[i + 1] - curve.y[i]));
    }
  }
}

std::string curves(const std::string& title, const std::vector<Curve>& list, const Range& y,
                   const std::string& x_title, const TextStyle& style) {
  Range x;
  for (const Curve& curve : list) {
    for (const double v : curve.x) x.take(v);
  }
  std::string out = "\n" + title + "\n\n";
  if (x.empty() || y.empty()) {
    return out + "  nothing to draw: every value is infinite or not a number\n";
  }
  Canvas canvas(rows);
  for (const Curve& curve : list) draw(curve, x, y, canvas);
  return out + canvas.text(x, y, style, x_title);
}

// f and its model along a line: the model is cut where it leaves the picture.
std::string line_plot(const std::string& title, const std::string& x_title,
                      const std::vector<double>& t, const std::vector<double>& f, double value,
                      double slope, double curvature, const TextStyle& style) {
  Curve function{'*', t, f}, model{'.', t, {}}, point{'O', {0}, {value}};
  Range y;
  for (const double v : f) y.take(v);
  y.take(value);
  for (const double v : t) model.y.push_back(value + slope * v + curvature / 2 * v * v);
  return curves(title + "  (* f, . quadratic model, O the point)", {model, function, point}, y,
                x_title, style);
}

// Heights as bands of letters: the digit is the band, its edges the contours.
std::string map_plot(const std::string& title, const Grid& grid, const std::string& x_title,
                     const std::string& y_title, double point_x, double point_y,
                     const TextStyle& style) {
  static constexpr std::array<char, 10> bands = {' ', '.', ':', '-', '=', '+', 'x', 'X', '#', '@'};
  const std::vector<double> levels = contour_levels(grid.value, 9);
  std::string out = "\n" + title + "\n\n";
  if (levels.empty()) return out + "  nothing to draw: every value is infinite or not a number\n";
  Range x, y;
  for (const double v : grid.x) x.take(v);
  for (const double v : grid.y) y.take(v);
  Canvas canvas(map_rows);
  const auto nearest = [](double share, std::size_t count) { return to_cell(share, count); };
  for (std::size_t row = 0; row < map_rows; ++row) {
    for (std::size_t column = 0; column < columns; ++column) {
      const std::size_t i = nearest(static_cast<double>(column) / (columns - 1), grid.x.size());
      const std::size_t j = nearest(1 - static_cast<double>(row) / (map_rows - 1), grid.y.size());
      const double v = grid.at(i, j);
      const auto band = static_cast<std::size_t>(std::upper_bound(levels.begin(), levels.end(), v) -
                                                 levels.begin());
      canvas.put(column, row, std::isfinite(v) ? bands[std::min(band, bands.size() - 1)] : '?');
    }
  }
  canvas.put(to_cell(x.share(point_x), columns), map_rows - 1 - to_cell(y.share(point_y), map_rows),
             'O');
  TextStyle plain = style;
  plain.symbols = false;
  out += canvas.text(x, y, plain, x_title);
  return out +
         fmt::format("            upwards: {}\n            low ' .:-=+xX#@' high, O the point\n",
                     y_title.substr(0, columns - 10));
}

std::string analysis_plot(const Json& result, const TextStyle& style) {
  std::string out;
  const Json& slices = result["slices"];
  const double value = number_or_nan(result, "value");
  if (has(slices, "plane") && has(result, "point")) {
    const Grid grid = grid_of(slices["plane"]);
    const Json& names = result["point"].at("names");
    out += map_plot("The function around the point", grid, names.at(0).get<std::string>(),
                    names.at(1).get<std::string>(), (grid.x.front() + grid.x.back()) / 2,
                    (grid.y.front() + grid.y.back()) / 2, style);
  }
  for (const Json& line : slices.value("lines", Json::array())) {
    const std::string label = text_or(line, "label", "");
    const bool axis = text_or(line, "kind", "") == "axis";
    out += line_plot(axis ? "f against " + label : "f " + label,
                     axis ? label + " from the point" : "distance from the point",
                     numbers_or_nan(line.at("t")), numbers_or_nan(line.at("value")), value,
                     number_or_nan(line, "slope"), number_or_nan(line, "curvature"), style);
  }
  return out;
}

std::string runs_plot(const Json& result, const TextStyle& style) {
  std::vector<Json> runs;
  if (has(result, "runs")) {
    for (const Json& run : result["runs"]) runs.push_back(run);
  } else {
    runs.push_back(result);
  }
  std::vector<Curve> list;
  Range y;
  std::string names;
  double low = INFINITY, high = 0;
  for (const Json& run : runs) {
    for (const Json& it : run.at("iterations")) {
      low = std::min(low, number_or_nan(it, "value"));
      high = std::max(high, number_or_nan(it, "value"));
    }
  }
  // Powers of ten where the values fall by more than one; a value of 0 is then left out.
  const bool positive = low >= 0 && high > 10 * low;
  for (const Json& run : runs) {
    Curve curve;
    curve.mark = runs.size() == 1 ? '*' : static_cast<char>('a' + list.size() % 26);
    for (const Json& it : run.at("iterations")) {
      const double v = number_or_nan(it, "value");
      curve.x.push_back(number_or_nan(it, "gradient_equivalents"));
      curve.y.push_back(positive ? std::log10(v) : v);
      y.take(curve.y.back());
    }
    if (runs.size() > 1) names += fmt::format(" {} {}", curve.mark, text_or(run, "method", ""));
    list.push_back(std::move(curve));
  }
  return curves(std::string(positive ? "log10 f" : "f") + " on the way" + names, list, y,
                "work, in gradients", style);
}

std::string landscape_plot(const Json& scape, const TextStyle& style) {
  const Json& axes = scape.at("axes");
  const Json& m = scape.at("model");
  if (axes.size() == 1) {
    return line_plot("f along " + text_or(axes[0], "label", "a line"), "t",
                     numbers_or_nan(axes[0].at("t")), numbers_or_nan(scape.at("value")),
                     number_or_nan(m, "value"), number_or_nan(m.at("slope").at(0)),
                     number_or_nan(m.at("curvature").at(0).at(0)), style);
  }
  Json plane;
  plane["x"] = axes.at(0).at("t");
  plane["y"] = axes.at(1).at("t");
  plane["value"] = scape.at("value");
  return map_plot("Landscape", grid_of(plane), "t: " + text_or(axes[0], "label", ""),
                  "u, " + text_or(axes[1], "label", ""), 0, 0, style);
}

}  // namespace

std::string plot_text(const Json& result, const TextStyle& style) {
  std::string out;
  if (has(result, "results")) {
    for (const Json& part : result["results"]) out += plot_text(part, style);
    return out;
  }
  if (has(result, "slices")) out += analysis_plot(result, style);
  if (has(result, "runs") || result.contains("iterations")) out += runs_plot(result, style);
  if (has(result, "landscape")) out += landscape_plot(result["landscape"], style);
  return out;
}

}  // namespace kappa
