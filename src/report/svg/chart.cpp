#include "report/svg/chart.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "report/svg/frame.h"
#include "report/svg/scale.h"
#include "report/svg/svg.h"

namespace kappa {
namespace {

constexpr double width = 720, plot_height = 330;
constexpr double left = 84, right = 20;

bool drawable(const Chart& chart, const ChartPoint& p) {
  return std::isfinite(p.x) && std::isfinite(p.y) && (!chart.x.log || p.x > 0) &&
         (!chart.y.log || p.y > 0);
}

Scale scale_of(const ChartAxis& axis, const std::vector<double>& values, double from, double to) {
  if (axis.domain) return {axis.domain->first, axis.domain->second, from, to, axis.log};
  const auto [low, high] = std::minmax_element(values.begin(), values.end());
  const double pad = axis.log ? 0 : axis.pad * (*high - *low);
  return {*low - pad, *high + pad, from, to, axis.log};
}

class Drawing {
 public:
  Drawing(const Chart& chart, Svg& svg, const Scale& x, const Scale& y)
      : chart_(chart), svg_(svg), x_(x), y_(y) {}

  void draw(const ChartSeries& series) {
    svg_.begin_group(series.name);
    const std::string color = series_color(series.color);
    if (series.kind == SeriesKind::bars) {
      bars(series, color);
    } else if (series.kind == SeriesKind::dots) {
      for (const ChartPoint& p : series.points) {
        if (drawable(chart_, p)) {
          svg_.circle(x_(p.x), y_(p.y), 4, fmt::format("fill=\"{}\" stroke=\"#fff\"", color));
        }
      }
    } else {
      band(series, color);
      svg_.path(
          pieces(series),
          fmt::format("fill=\"none\" stroke=\"{}\" stroke-width=\"{}\" "
                      "stroke-linejoin=\"round\"{}{}",
                      color, series.faint ? "1.2" : "2.2", series.faint ? " opacity=\"0.3\"" : "",
                      series.kind == SeriesKind::dashes ? " stroke-dasharray=\"7 4\"" : ""));
    }
    svg_.end_group();
  }

 private:
  // Cut where a value is missing.
  std::vector<std::vector<Svg::Point>> pieces(const ChartSeries& series) {
    std::vector<std::vector<Svg::Point>> lines(1);
    for (const ChartPoint& p : series.points) {
      if (drawable(chart_, p)) {
        lines.back().emplace_back(x_(p.x), y_(p.y));
      } else if (!lines.back().empty()) {
        lines.emplace_back();
      }
    }
    return lines;
  }

  void band(const ChartSeries& series, const std::string& color) {
    std::vector<Svg::Point> above, below;
    for (const ChartPoint& p : series.points) {
      if (!drawable(chart_, p) || !std::isfinite(p.low) || !std::isfinite(p.high)) continue;
      above.emplace_back(x_(p.x), y_(p.high));
      below.emplace_back(x_(p.x), y_(chart_.y.log ? std::max(p.low, y_.low() / 10) : p.low));
    }
    above.insert(above.end(), below.rbegin(), below.rend());
    svg_.path({above}, fmt::format("fill=\"{}\" opacity=\"0.22\"", color), true);
  }

  void bars(const ChartSeries& series, const std::string& color) {
    const double step = (x_.last_pixel() - x_.first_pixel()) / std::max(1.0, x_.high() - x_.low());
    const double half = std::clamp(0.36 * step, 1.0, 22.0);
    const double base = chart_.y.log ? y_.first_pixel() : y_(0);
    for (const ChartPoint& p : series.points) {
      if (!drawable(chart_, p)) continue;
      const double top = y_(p.y), at = x_(p.x);
      svg_.rect(at - half, std::min(top, base), 2 * half, std::max(1.0, std::fabs(base - top)),
                fmt::format("fill=\"{}\"", color));
      if (!std::isfinite(p.low) || !std::isfinite(p.high)) continue;
      const double high = y_(p.high), low = y_(chart_.y.log ? std::max(p.low, y_.low()) : p.low);
      svg_.path({{{at, low}, {at, high}},
                 {{at - 4, low}, {at + 4, low}},
                 {{at - 4, high}, {at + 4, high}}},
                fmt::format("fill=\"none\" stroke=\"{}\" stroke-width=\"1.4\"", ink_color));
    }
  }

  const Chart& chart_;
  Svg& svg_;
  const Scale &x_, &y_;
};

std::string description(const Chart& chart) {
  std::string text = fmt::format("{} against {}.", chart.y.title, chart.x.title);
  for (const ChartRule& rule : chart.rules) text += " " + rule.label + ".";
  return text;
}

}  // namespace

std::string to_svg(const Chart& chart) {
  std::vector<double> xs, ys;
  std::size_t total = 0, drawn = 0;
  std::vector<LegendEntry> entries;
  for (const ChartSeries& series : chart.series) {
    for (const ChartPoint& p : series.points) {
      ++total;
      if (!drawable(chart, p)) continue;
      ++drawn;
      xs.push_back(p.x);
      for (const double y : {p.y, p.low, p.high}) {
        if (std::isfinite(y) && (!chart.y.log || y > 0)) ys.push_back(y);
      }
    }
    if (series.kind == SeriesKind::bars && !chart.y.log) ys.push_back(0);
    if (!series.faint) {
      entries.push_back({series.name, series_color(series.color), series.kind == SeriesKind::dashes,
                         series.kind == SeriesKind::dots || series.kind == SeriesKind::bars});
    }
  }
  if (entries.size() < 2) entries.clear();
  const double head = head_height(entries, width);
  const double height = head + plot_height + 52;
  Svg svg(width, height, chart.title, description(chart));
  draw_head(svg, chart.title, entries, width);
  if (drawn == 0) {
    svg.text(left, head + 40,
             total == 0
                 ? std::string("There is no data to draw here.")
                 : fmt::format("None of the {} values can be drawn: they are infinite or not "
                               "defined.",
                               total));
    return svg.finish();
  }
  const double bottom = head + plot_height;
  const Scale x = scale_of(chart.x, xs, left, width - right);
  const Scale y = scale_of(chart.y, ys, bottom, head + 8);
  const Frame frame{left, head + 8, width - right, bottom};
  draw_axes(svg, frame, x, y, chart.x.title, chart.y.title, chart.names, chart.x.integer);
  svg.begin_clip(frame.left, frame.top, frame.right - frame.left, frame.bottom - frame.top);
  if (!chart.y.log && y.low() < 0 && y.high() > 0) {
    svg.line(left, y(0), width - right, y(0), fmt::format("stroke=\"{}\"", soft_color));
  }
  Drawing drawing(chart, svg, x, y);
  for (const ChartSeries& series : chart.series) drawing.draw(series);
  svg.end_clip();
  const std::string dotted = fmt::format("stroke=\"{}\" stroke-dasharray=\"2 4\"", ink_color);
  double row = 0;
  for (const ChartRule& rule : chart.rules) {
    if (rule.x && *rule.x >= x.low() && *rule.x <= x.high()) {
      const bool late = x(*rule.x) > width / 2;
      svg.line(x(*rule.x), frame.top, x(*rule.x), frame.bottom, dotted);
      svg.text(x(*rule.x) + (late ? -5 : 5), frame.top + 13 + 16 * row++, rule.label,
               late ? "end" : "start", halo);
    } else if (rule.y && *rule.y >= y.low() && *rule.y <= y.high()) {
      svg.line(frame.left, y(*rule.y), frame.right, y(*rule.y), dotted);
      svg.text(frame.right - 4, y(*rule.y) - 5, rule.label, "end", halo);
    }
  }
  if (drawn < total) {
    svg.text(frame.left + 4, frame.bottom - 6,
             fmt::format("{} of {} values are infinite or not defined and left out", total - drawn,
                         total),
             "start", halo);
  }
  return svg.finish();
}

}  // namespace kappa
