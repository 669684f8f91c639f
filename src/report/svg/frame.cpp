#include "report/svg/frame.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace kappa {
namespace {

constexpr double row_height = 18, key_width = 30;

std::size_t columns(const std::string& text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xc0) != 0x80;
  }));
}

// Text of a known number of columns: SVG does not wrap.
std::string cut(const std::string& text, std::size_t most) {
  if (columns(text) <= most) return text;
  std::string out;
  std::size_t count = 0;
  for (const char c : text) {
    if ((static_cast<unsigned char>(c) & 0xc0) != 0x80 && ++count >= most) break;
    out += c;
  }
  return out + "\u2026";
}

double text_width(const std::string& text) { return 7.6 * static_cast<double>(columns(text)); }

// Where each entry of the legend stands: (x, row).
std::vector<std::pair<double, int>> places(const std::vector<LegendEntry>& entries, double width) {
  std::vector<std::pair<double, int>> list;
  double x = 16;
  int row = 0;
  for (const LegendEntry& entry : entries) {
    const double wide = key_width + text_width(cut(entry.name, 60)) + 22;
    if (x > 16 && x + wide > width - 10) {
      x = 16;
      ++row;
    }
    list.emplace_back(x, row);
    x += wide;
  }
  return list;
}

}  // namespace

double head_height(const std::vector<LegendEntry>& entries, double width) {
  if (entries.empty()) return 34;
  return 36 + row_height * (places(entries, width).back().second + 1);
}

void draw_head(Svg& svg, const std::string& title, const std::vector<LegendEntry>& entries,
               double width) {
  svg.text(16, 22, cut(title, static_cast<std::size_t>(width / 8.4)), "start",
           "font-weight=\"bold\" font-size=\"14\"");
  const auto at = places(entries, width);
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const double x = at[i].first, y = 42 + row_height * at[i].second;
    const std::string& color = entries[i].color;
    if (entries[i].block) {
      svg.rect(x + 8, y - 9, 10, 10, fmt::format("fill=\"{}\"", color));
    } else {
      svg.line(x, y - 4, x + 24, y - 4,
               fmt::format("stroke=\"{}\" stroke-width=\"2.2\"{}", color,
                           entries[i].dashed ? " stroke-dasharray=\"7 4\"" : ""));
    }
    svg.text(x + key_width, y, cut(entries[i].name, 60));
  }
}

void draw_axes(Svg& svg, const Frame& frame, const Scale& x, const Scale& y,
               const std::string& x_title, const std::string& y_title,
               const std::vector<std::string>& names, bool integer) {
  const std::string grid = fmt::format("stroke=\"{}\"", grid_color);
  const std::string soft = fmt::format("font-size=\"12\" style=\"fill:{}\"", soft_color);
  if (names.empty()) {
    for (const double tick :
         x.ticks(std::max(3, static_cast<int>((frame.right - frame.left) / 90)))) {
      if (integer && tick != std::round(tick)) continue;
      svg.line(x(tick), frame.top, x(tick), frame.bottom, grid);
      svg.text(x(tick), frame.bottom + 17, tick_text(tick),
               x(tick) > frame.right - 16 ? "end" : "middle", soft);
    }
  } else {
    const double room = (frame.right - frame.left) / static_cast<double>(names.size());
    for (std::size_t i = 0; i < names.size(); ++i) {
      svg.text(x(static_cast<double>(i + 1)), frame.bottom + 17,
               cut(names[i], std::max<std::size_t>(3, static_cast<std::size_t>(room / 7.6))),
               "middle", soft);
    }
  }
  for (const double tick : y.ticks(6)) {
    svg.line(frame.left, y(tick), frame.right, y(tick), grid);
    svg.text(frame.left - 7, y(tick) + 4, tick_text(tick), "end", soft);
  }
  svg.text((frame.left + frame.right) / 2, frame.bottom + 40, cut(x_title, 80), "middle");
  svg.text(16, (frame.top + frame.bottom) / 2, cut(y_title, 48), "middle", "", -90);
}

}  // namespace kappa
