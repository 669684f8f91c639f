// Pictures without a browser: contours of the textbook shapes in numbers, SVG that draws every
// value and no markup from a name, and characters for the terminal.
#include "report/svg/pictures.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <string>
#include <vector>

#include "function/make_objective.h"
#include "kappa/error.h"
#include "report/plot_text.h"
#include "report/slices.h"
#include "report/svg/chart.h"
#include "report/svg/contours.h"
#include "report/svg/scale.h"
#include "report/svg/svg.h"

namespace kappa {
namespace {

Grid grid_of(const std::function<double(double, double)>& f) {
  Grid grid;
  for (int i = 0; i < 41; ++i) {
    grid.x.push_back(i / 20.0 - 1);
    grid.y.push_back(i / 20.0 - 1);
  }
  for (const double y : grid.y) {
    for (const double x : grid.x) grid.value.push_back(f(x, y));
  }
  return grid;
}

double turned(const std::vector<std::pair<double, double>>& line) {
  double angle = 0;
  for (std::size_t i = 0; i + 1 < line.size(); ++i) {
    const auto [ax, ay] = line[i];
    const auto [bx, by] = line[i + 1];
    angle += std::atan2(ax * by - ay * bx, ax * bx + ay * by);
  }
  return angle;
}

// Linear interpolation between places h = 1/20 apart puts a contour of x^2 wrong by h^2/8 / |2x|.
constexpr double tolerance = 1.0 / 400 / 8 * 4;

TEST(Contours, BowlAndDomeAreClosedCircles) {
  for (const double sign : {1.0, -1.0}) {
    const Contour c =
        contour(grid_of([&](double x, double y) { return sign * (x * x + y * y); }), sign * 0.3);
    ASSERT_EQ(c.size(), 1U);
    EXPECT_EQ(c[0].front(), c[0].back());
    EXPECT_GT(c[0].size(), 40U);
    for (const auto& [x, y] : c[0]) EXPECT_NEAR(std::hypot(x, y), std::sqrt(0.3), tolerance);
    EXPECT_NEAR(std::fabs(turned(c[0])), 2 * M_PI, 1e-9);  // once around
  }
}

TEST(Contours, TroughIsTwoParallelLines) {
  const Contour c = contour(grid_of([](double x, double) { return x * x; }), 0.2);
  ASSERT_EQ(c.size(), 2U);
  for (const auto& line : c) {
    EXPECT_EQ(line.size(), 41U);
    for (const auto& [x, y] : line) EXPECT_NEAR(std::fabs(x), std::sqrt(0.2), tolerance);
    EXPECT_EQ(std::fabs(line.front().second), 1);
    EXPECT_EQ(line.back().second, -line.front().second);
  }
}

TEST(Contours, SaddleIsAHyperbola) {
  for (const double level : {0.1, -0.1}) {
    const Contour c = contour(grid_of([](double x, double y) { return x * x - y * y; }), level);
    ASSERT_EQ(c.size(), 2U);  // two branches, open towards x for a positive level
    for (const auto& line : c) {
      EXPECT_NE(line.front(), line.back());
      for (const auto& [x, y] : line) {
        EXPECT_NEAR(x * x - y * y, level, 2.0 / 400);
        EXPECT_GT(level > 0 ? std::fabs(x) : std::fabs(y), 0.3);
      }
    }
  }
}

TEST(Contours, HolesAreLeftOutAndFlatHasNone) {
  Grid grid = grid_of([](double x, double y) { return x + y; });
  grid.value[20 * 41 + 20] = NAN;  // the middle, on the contour
  EXPECT_EQ(contour(grid, 0.0).size(), 2U);
  EXPECT_TRUE(contour(grid_of([](double, double) { return 1; }), 1.5).empty());
  EXPECT_TRUE(contour_levels({NAN, INFINITY}).empty());
  EXPECT_EQ(contour_levels({2, 2, 2}).size(), 1U);
}

TEST(Scale, TicksAreRoundAndWithin) {
  const Scale linear(-0.31, 0.31, 0, 100);
  for (const double tick : linear.ticks(6)) {
    EXPECT_NEAR(tick * 10, std::round(tick * 10), 1e-9);
    EXPECT_LE(std::fabs(tick), 0.31);
  }
  EXPECT_DOUBLE_EQ(linear(0), 50);
  const Scale log(1e-7, 2, 0, 100, true);
  EXPECT_GE(log.ticks(6).size(), 3U);
  for (const double tick : log.ticks(6)) {
    EXPECT_NEAR(std::log10(tick), std::round(std::log10(tick)), 1e-9);
  }
  EXPECT_FALSE(Scale(3, 3, 0, 100).ticks(5).empty());
}

std::size_t count(const std::string& text, const std::string& what) {
  std::size_t number = 0;
  for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) {
    ++number;
  }
  return number;
}

// The points of the path inside the group of this series.
std::size_t points_of(const std::string& svg, const std::string& series) {
  const std::size_t group = svg.find("data-series=\"" + series + "\"");
  if (group == std::string::npos) return 0;
  const std::string part = svg.substr(group, svg.find("</g>", group) - group);
  const std::size_t d = part.find(" d=\"");
  if (d == std::string::npos) return count(part, "<rect") + count(part, "<circle");
  const std::string path = part.substr(d + 4, part.find('"', d + 4) - d - 4);
  return count(path, "M") + count(path, "L");
}

const std::string& picture(const std::vector<Picture>& list, const std::string& name) {
  const auto found =
      std::find_if(list.begin(), list.end(), [&](const Picture& p) { return p.name == name; });
  if (found == list.end()) throw std::runtime_error("no picture " + name);
  return found->svg;
}

Json analysis_of(const std::string& formula, const NamedValues& at) {
  const FormulaObjective made = make_formula_objective(formula, at, {}, nullptr, true, {});
  const std::vector<double> w = made.scalar->parameters().start();
  Analysis analysis = analyze(*made.scalar, w);
  analysis.objective.text = formula;
  Json json = to_json(analysis);
  json["slices"] = slices_json(*made.scalar, w, analysis);
  return json;
}

Tensor scalar(double v) { return Tensor::scalar(v, DType::f64); }

TEST(Pictures, EveryValueIsDrawn) {
  const Json result = analysis_of("x^4 + 3*y^2 + x*y", {{"x", scalar(0.7)}, {"y", scalar(-0.4)}});
  const std::vector<Picture> list = pictures(result);
  for (const Json& line : result["slices"]["lines"]) {
    const std::string& svg = picture(list, "slice-" + line["kind"].get<std::string>());
    EXPECT_EQ(points_of(svg, "function"), line["t"].size());
    EXPECT_EQ(points_of(svg, "quadratic model"), line["t"].size());
  }
  EXPECT_EQ(points_of(picture(list, "spectrum"), "eigenvalue"), 2U);
  EXPECT_EQ(count(picture(list, "surface"), "<path"), 50U * 50U + 1U);
  const std::string& map = picture(list, "map");
  EXPECT_GT(count(map, "<path"), 10U);
  EXPECT_NE(map.find("gradient descent, rate"), std::string::npos);
  for (const Picture& p : list) {
    EXPECT_NE(p.svg.find("<title>"), std::string::npos) << p.name;
    EXPECT_EQ(p.svg.find("nan"), std::string::npos) << p.name;
    EXPECT_EQ(p.svg.find("inf,"), std::string::npos) << p.name;
  }
}

TEST(Pictures, NamesStayText) {
  Json result = analysis_of("x^2 + 2*y^2", {{"x", scalar(1)}, {"y", scalar(1)}});
  const std::string hostile = "</title><script>alert('x')</script>\x01\"&\xff";
  result["point"]["names"] = {hostile, hostile};
  for (Json& line : result["slices"]["lines"]) line["label"] = hostile;
  for (const Picture& p : pictures(result)) {
    EXPECT_EQ(p.svg.find("<script"), std::string::npos) << p.name;
    EXPECT_EQ(p.svg.find('\x01'), std::string::npos) << p.name;
    EXPECT_EQ(p.svg.find('\xff'), std::string::npos) << p.name;
  }
}

TEST(Pictures, NothingToDrawIsSaid) {
  Chart chart{"t", {"x"}, {"y"}, {{"s", 1, SeriesKind::line, {{0, NAN}, {1, INFINITY}}}}};
  EXPECT_NE(to_svg(chart).find("None of the 2 values can be drawn"), std::string::npos);
  chart.series[0].points.push_back({2, 5});
  EXPECT_NE(to_svg(chart).find("2 of 3 values"), std::string::npos);
  chart.series[0].points.clear();
  EXPECT_NE(to_svg(chart).find("There is no data"), std::string::npos);

  Json result;
  result["kappa"] = "0";
  result["objective"]["text"] = "f";
  result["landscape"] = Json::parse(R"({"axes": [{"label": "a", "t": [0, 1]}, {"label": "b",
    "t": [0, 1]}], "model": {"value": null, "slope": [null, null],
    "curvature": [[null, null], [null, null]]}, "value": [[null, null], [null, null]]})");
  for (const Picture& p : pictures(result)) {
    EXPECT_NE(p.svg.find("nothing to draw"), std::string::npos) << p.name;
  }
  EXPECT_NE(plot_text(result, {}).find("nothing to draw"), std::string::npos);
  result["landscape"] = 3;
  EXPECT_THROW((void)pictures(result), Error);
}

TEST(PlotText, CurvesAndMapsHaveTheirShape) {
  Json result;
  result["landscape"]["axes"] = Json::array({{{"label", "x"}, {"t", {-1, -0.5, 0, 0.5, 1}}}});
  result["landscape"]["value"] = {1, 0.25, 0, 0.25, 1};
  result["landscape"]["model"] = Json::parse(R"({"value": 0, "slope": [0], "curvature": [[2]]})");
  const std::string text = plot_text(result, {});
  std::vector<std::string> lines;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = text.find('\n', at);
    lines.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  // Highest at both ends, lowest in the middle, never wider than a terminal.
  EXPECT_EQ(lines[3].substr(0, 13), "         1 |*");
  EXPECT_EQ(lines[3].back(), '*');
  EXPECT_NE(lines[16].find('O'), std::string::npos);
  for (const std::string& line : lines) EXPECT_LE(line.size(), 80U);
}

}  // namespace
}  // namespace kappa
