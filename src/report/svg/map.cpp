#include "report/svg/map.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "report/svg/frame.h"

namespace kappa {
namespace {

constexpr double side = 520, left = 84, right = 24;

void draw_contours(Svg& svg, const Grid& grid, const std::vector<double>& levels, const Scale& x,
                   const Scale& y, const std::string& name, const std::string& style) {
  svg.begin_group(name);
  for (const double level : levels) {
    std::vector<std::vector<Svg::Point>> lines;
    for (const auto& line : contour(grid, level)) {
      lines.emplace_back();
      for (const auto& [px, py] : line) lines.back().emplace_back(x(px), y(py));
    }
    svg.path(lines, style);
  }
  svg.end_group();
}

Grid model_grid(const PlaneMap& map) {
  Grid grid{map.grid.x, map.grid.y, {}};
  for (const double y : grid.y) {
    for (const double x : grid.x) grid.value.push_back(map.model(x, y));
  }
  return grid;
}

}  // namespace

std::string to_svg(const PlaneMap& map) {
  const std::vector<double> levels = contour_levels(map.grid.value);
  std::vector<LegendEntry> entries{{"the function", series_color(1)}};
  if (map.model) entries.push_back({"its quadratic model", soft_color, true});
  if (!map.arrows.empty())
    entries.push_back({"eigenvectors, longer where steeper", series_color(5)});
  for (const PlaneMap::Walk& walk : map.walks) {
    entries.push_back({walk.name, series_color(walk.color), walk.dashed});
  }
  const double width = left + side + right;
  const double head = head_height(entries, width);
  const double height = head + side + 60;
  Svg svg(width, height, map.title,
          fmt::format("Contours over {} and {}.", map.x_title, map.y_title));
  draw_head(svg, map.title, entries, width);
  if (levels.empty() || map.grid.x.size() < 2 || map.grid.y.size() < 2) {
    svg.text(left, head + 40, "No value of this plane is finite: there is nothing to draw.");
    return svg.finish();
  }
  const Frame frame{left, head + 8, left + side, head + 8 + side};
  const Scale x(map.grid.x.front(), map.grid.x.back(), frame.left, frame.right);
  const Scale y(map.grid.y.front(), map.grid.y.back(), frame.bottom, frame.top);
  draw_axes(svg, frame, x, y, map.x_title, map.y_title);
  svg.begin_clip(frame.left, frame.top, side, side);
  draw_contours(svg, map.grid, levels, x, y, "the function",
                fmt::format("fill=\"none\" stroke=\"{}\" stroke-width=\"1.2\" opacity=\"0.8\"",
                            series_color(1)));
  if (map.model) {
    draw_contours(svg, model_grid(map), levels, x, y, "its quadratic model",
                  fmt::format("fill=\"none\" stroke=\"{}\" stroke-width=\"1.1\" "
                              "stroke-dasharray=\"4 4\" opacity=\"0.8\"",
                              soft_color));
  }
  for (const PlaneMap::Arrow& arrow : map.arrows) {
    svg.line(x(arrow.from.first), y(arrow.from.second), x(arrow.to.first), y(arrow.to.second),
             fmt::format("stroke=\"{}\" stroke-width=\"3\"", series_color(5)));
    svg.text(x(arrow.to.first) + 6, y(arrow.to.second) - 6, arrow.label, "start", halo);
  }
  for (const PlaneMap::Walk& walk : map.walks) {
    std::vector<Svg::Point> line;
    for (const auto& [px, py] : walk.points) {
      const Svg::Point at{x(px), y(py)};
      if (std::fabs(at.first) < 1e5 && std::fabs(at.second) < 1e5) line.push_back(at);
    }
    const std::string color = series_color(walk.color);
    svg.begin_group(walk.name);
    svg.path({line}, fmt::format("fill=\"none\" stroke=\"{}\" stroke-width=\"2\"{}", color,
                                 walk.dashed ? " stroke-dasharray=\"7 4\"" : ""));
    const std::size_t every = line.size() / 200 + 1;
    for (std::size_t i = 0; i < line.size(); i += every) {
      svg.circle(line[i].first, line[i].second, 2.6, fmt::format("fill=\"{}\"", color));
    }
    if (!line.empty()) {
      svg.circle(line.back().first, line.back().second, 5.5,
                 fmt::format("fill=\"{}\" stroke=\"#fff\" stroke-width=\"2\"", color));
    }
    svg.end_group();
  }
  if (map.point) {
    svg.circle(x(map.point->first), y(map.point->second), 6,
               fmt::format("fill=\"#fff\" stroke=\"{}\" stroke-width=\"2.5\"", ink_color));
  }
  svg.end_clip();
  return svg.finish();
}

}  // namespace kappa
