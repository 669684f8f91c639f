#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <numeric>

#include "report/svg/frame.h"
#include "report/svg/map.h"

namespace kappa {
namespace {

constexpr double width = 720, height = 640;

/// Parallel projection of the cube [-1, 1]^3 after a turn about the vertical and a tilt.
class View {
 public:
  View(double turn, double tilt)
      : turn_(turn * std::numbers::pi / 180), tilt_(tilt * std::numbers::pi / 180) {}
  [[nodiscard]] Svg::Point operator()(double x, double y, double z) const {
    const double across = x * std::cos(turn_) - y * std::sin(turn_);
    return {width / 2 + 225 * across, height / 2 + 12 - 200 * (z * std::cos(tilt_) * 0.75) +
                                          200 * depth(x, y) * std::sin(tilt_)};
  }
  /// Larger is nearer.
  [[nodiscard]] double depth(double x, double y) const {
    return -(x * std::sin(turn_) + y * std::cos(turn_));
  }

 private:
  double turn_, tilt_;
};

}  // namespace

std::string to_svg(const Surface& surface) {
  const Grid& g = surface.grid;
  Svg svg(width, height, surface.title,
          fmt::format("{} over {} and {} as a surface.", surface.z_title, surface.x_title,
                      surface.y_title));
  draw_head(svg, surface.title, {}, width);
  std::vector<double> sorted;
  for (const double v : g.value) {
    if (std::isfinite(v)) sorted.push_back(v);
  }
  if (sorted.empty() || g.x.size() < 2 || g.y.size() < 2) {
    svg.text(84, 80, "No value of this plane is finite: there is nothing to draw.");
    return svg.finish();
  }
  std::sort(sorted.begin(), sorted.end());
  const double low = sorted.front(), high = sorted.back();
  const auto across = [](const std::vector<double>& t, double v) {
    return 2 * (v - t.front()) / (t.back() - t.front()) - 1;
  };
  const auto up = [&](double v) { return high > low ? 2 * (v - low) / (high - low) - 1 : 0; };
  const View view(surface.turn_degrees, surface.tilt_degrees);
  const auto corner = [&](double x, double y, double z) { return view(x, y, z); };

  // The floor, then the cells from far to near.
  const std::string soft = fmt::format("fill=\"none\" stroke=\"{}\"", soft_color);
  svg.path({{corner(-1, -1, -1), corner(1, -1, -1), corner(1, 1, -1), corner(-1, 1, -1)}}, soft,
           true);
  std::vector<std::pair<std::size_t, std::size_t>> cells;
  for (std::size_t j = 0; j + 1 < g.y.size(); ++j) {
    for (std::size_t i = 0; i + 1 < g.x.size(); ++i) cells.emplace_back(i, j);
  }
  const auto depth = [&](const std::pair<std::size_t, std::size_t>& cell) {
    return view.depth(across(g.x, g.x[cell.first]), across(g.y, g.y[cell.second]));
  };
  std::stable_sort(cells.begin(), cells.end(),
                   [&](const auto& a, const auto& b) { return depth(a) < depth(b); });
  svg.begin_group(surface.z_title);
  for (const auto& [i, j] : cells) {
    std::vector<Svg::Point> quad;
    double sum = 0;
    const std::size_t around[4][2] = {{i, j}, {i + 1, j}, {i + 1, j + 1}, {i, j + 1}};
    for (const auto& [a, b] : around) {
      const double v = g.at(a, b);
      sum += v;
      quad.push_back(corner(across(g.x, g.x[a]), across(g.y, g.y[b]), up(v)));
    }
    if (!std::isfinite(sum)) continue;
    // Coloured by rank, so that a valley far below the walls still has shades of its own.
    const auto rank = std::lower_bound(sorted.begin(), sorted.end(), sum / 4) - sorted.begin();
    const std::string color =
        height_color(static_cast<double>(rank) / static_cast<double>(sorted.size()));
    svg.path({quad}, fmt::format("fill=\"{0}\" stroke=\"{0}\" stroke-width=\"0.4\"", color), true);
  }
  svg.end_group();

  // Axes: titles and ends at the edges of the floor that are near.
  const std::string small = fmt::format("font-size=\"12\" style=\"fill:{}\"", soft_color);
  const double near_y = view.depth(0, -1) > view.depth(0, 1) ? -1 : 1;
  const double near_x = view.depth(-1, 0) > view.depth(1, 0) ? -1 : 1;
  const auto label = [&](double x, double y, const std::string& text, bool title) {
    const Svg::Point p = corner(x, y, -1);
    svg.text(p.first, p.second + (title ? 40 : 16), text, "middle", title ? "" : small);
  };
  label(-0.8, near_y * 1.1, tick_text(g.x.front()), false);
  label(0.8, near_y * 1.1, tick_text(g.x.back()), false);
  label(0, near_y * 1.12, surface.x_title, true);
  label(near_x * 1.1, -0.8, tick_text(g.y.front()), false);
  label(near_x * 1.1, 0.8, tick_text(g.y.back()), false);
  label(near_x * 1.12, 0, surface.y_title, true);
  svg.text(16, 60,
           fmt::format("{} from {} to {}", surface.z_title, tick_text(low), tick_text(high)));
  return svg.finish();
}

}  // namespace kappa
