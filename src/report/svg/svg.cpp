#include "report/svg/svg.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>

namespace kappa {

std::string xml_escape(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '&': out += "&amp;"; break;
      case '"': out += "&quot;"; break;
      case '\'': out += "&#39;"; break;
      case '\n':
      case '\t': out += ' '; break;
      default:
        if (static_cast<unsigned char>(c) < 0x20) {
          out += "\xef\xbf\xbd";  // not allowed in XML at all
        } else {
          out += c;
        }
    }
  }
  return out;
}

const char* series_color(int number) {
  static const std::array<const char*, 6> colors = {"#0072b2", "#c04e00", "#00805e",
                                                    "#a8478a", "#9a6b00", "#2a7fb8"};
  return colors[static_cast<std::size_t>(std::max(number - 1, 0)) % colors.size()];
}

std::string height_color(double share) {
  static constexpr std::array<std::array<int, 3>, 7> stops = {{{0x00, 0x22, 0x4e},
                                                               {0x2b, 0x3f, 0x6c},
                                                               {0x57, 0x5d, 0x6d},
                                                               {0x7d, 0x7c, 0x78},
                                                               {0xa5, 0x9c, 0x74},
                                                               {0xd2, 0xc0, 0x60},
                                                               {0xfe, 0xe8, 0x38}}};
  const double at = std::clamp(share, 0.0, 1.0) * (stops.size() - 1);
  const auto k = std::min(static_cast<std::size_t>(at), stops.size() - 2);
  const double part = at - static_cast<double>(k);
  const auto mix = [&](std::size_t channel) {
    return static_cast<int>(
        std::lround(stops[k][channel] + part * (stops[k + 1][channel] - stops[k][channel])));
  };
  return fmt::format("#{:02x}{:02x}{:02x}", mix(0), mix(1), mix(2));
}

Svg::Svg(double width, double height, std::string_view title, std::string_view description) {
  out_ = fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0:.0f}\" height=\"{1:.0f}\" "
      "viewBox=\"0 0 {0:.0f} {1:.0f}\" role=\"img\" font-family=\"DejaVu Sans, Helvetica, Arial, "
      "sans-serif\" font-size=\"13\">\n"
      "<title>{2}</title>\n<desc>{3}</desc>\n"
      "<rect width=\"{0:.0f}\" height=\"{1:.0f}\" fill=\"#ffffff\"/>\n",
      width, height, xml_escape(title), xml_escape(description));
}

void Svg::line(double x1, double y1, double x2, double y2, std::string_view style) {
  fmt::format_to(std::back_inserter(out_),
                 "<line x1=\"{:.1f}\" y1=\"{:.1f}\" x2=\"{:.1f}\" y2=\"{:.1f}\" {}/>\n", x1, y1, x2,
                 y2, style);
}

void Svg::rect(double x, double y, double width, double height, std::string_view style) {
  fmt::format_to(std::back_inserter(out_),
                 "<rect x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\" {}/>\n", x, y,
                 width, height, style);
}

void Svg::circle(double x, double y, double radius, std::string_view style) {
  fmt::format_to(std::back_inserter(out_),
                 "<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"{:.1f}\" {}/>\n", x, y, radius, style);
}

void Svg::path(const std::vector<std::vector<Point>>& lines, std::string_view style, bool close) {
  std::string d;
  for (const std::vector<Point>& polyline : lines) {
    for (std::size_t i = 0; i < polyline.size(); ++i) {
      fmt::format_to(std::back_inserter(d), "{}{:.1f},{:.1f}", i == 0 ? 'M' : 'L',
                     polyline[i].first, polyline[i].second);
    }
    if (close && !polyline.empty()) d += 'Z';
  }
  if (!d.empty()) fmt::format_to(std::back_inserter(out_), "<path d=\"{}\" {}/>\n", d, style);
}

void Svg::text(double x, double y, std::string_view content, std::string_view anchor,
               std::string_view style, double turn) {
  std::string place = fmt::format("x=\"{:.1f}\" y=\"{:.1f}\"", x, y);
  if (turn != 0)
    place = fmt::format("transform=\"translate({:.1f} {:.1f}) rotate({})\"", x, y, turn);
  fmt::format_to(std::back_inserter(out_), "<text {} text-anchor=\"{}\" fill=\"{}\" {}>{}</text>\n",
                 place, anchor, ink_color, style, xml_escape(content));
}

void Svg::begin_clip(double x, double y, double width, double height) {
  const int id = ++num_clips_;
  fmt::format_to(std::back_inserter(out_),
                 "<clipPath id=\"clip{0}\"><rect x=\"{1:.1f}\" y=\"{2:.1f}\" width=\"{3:.1f}\" "
                 "height=\"{4:.1f}\"/></clipPath>\n<g clip-path=\"url(#clip{0})\">\n",
                 id, x, y, width, height);
}

void Svg::begin_group(std::string_view name) {
  out_ += "<g data-series=\"" + xml_escape(name) + "\">\n";
}

}  // namespace kappa
