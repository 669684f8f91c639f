#pragma once

#include <string>
#include <vector>

#include "report/svg/scale.h"
#include "report/svg/svg.h"

namespace kappa {

/// Title, legend and axes, which all pictures share.
struct Frame {
  double left, top, right, bottom;
};

struct LegendEntry {
  std::string name;
  std::string color;
  bool dashed = false;
  bool block = false;  ///< a square in place of a line
};

/// Makes text readable over lines.
inline constexpr const char* halo =
    "paint-order=\"stroke\" stroke=\"#fff\" stroke-width=\"4\" stroke-linejoin=\"round\"";

/// Height that title and legend take.
double head_height(const std::vector<LegendEntry>& entries, double width);
void draw_head(Svg& svg, const std::string& title, const std::vector<LegendEntry>& entries,
               double width);

/// Grid lines, tick labels and axis titles; `names` replaces the numbers 1, 2, ... of the x axis.
void draw_axes(Svg& svg, const Frame& frame, const Scale& x, const Scale& y,
               const std::string& x_title, const std::string& y_title,
               const std::vector<std::string>& names = {}, bool integer = false);

}  // namespace kappa
