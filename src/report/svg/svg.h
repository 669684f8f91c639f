#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace kappa {

/// An SVG picture under construction: sizes in pixels, (0, 0) at the top left, text always escaped.
class Svg {
 public:
  using Point = std::pair<double, double>;

  /// Title and description are for those who hear the picture.
  Svg(double width, double height, std::string_view title, std::string_view description);

  void line(double x1, double y1, double x2, double y2, std::string_view style);
  void rect(double x, double y, double width, double height, std::string_view style);
  void circle(double x, double y, double radius, std::string_view style);
  /// Several polylines as one path; `close` joins the ends of each.
  void path(const std::vector<std::vector<Point>>& lines, std::string_view style,
            bool close = false);
  /// `anchor` is start, middle or end; `turn` in degrees.
  void text(double x, double y, std::string_view content, std::string_view anchor = "start",
            std::string_view style = "", double turn = 0);
  /// What follows is cut at this rectangle, until end_clip().
  void begin_clip(double x, double y, double width, double height);
  void end_clip() { out_ += "</g>\n"; }
  /// Elements that belong together; `name` becomes data-series.
  void begin_group(std::string_view name);
  void end_group() { out_ += "</g>\n"; }

  [[nodiscard]] std::string finish() const { return out_ + "</svg>\n"; }

 private:
  std::string out_;
  int num_clips_ = 0;
};

/// Text as it may stand in XML: <, >, &, quotes escaped, control characters replaced.
std::string xml_escape(std::string_view text);

/// Colours of series 1, 2, ... (Okabe-Ito, darkened to 3:1 on white, as in the page).
const char* series_color(int number);
/// A colour for `share` in [0, 1], dark to light, readable without telling red from green (after
/// cividis: Nunez, Anderton, Renslow, PLoS ONE 13, 2018).
std::string height_color(double share);

inline constexpr const char* ink_color = "#1b1f24";
inline constexpr const char* soft_color = "#4d5763";
inline constexpr const char* grid_color = "#e6e9ed";

}  // namespace kappa
