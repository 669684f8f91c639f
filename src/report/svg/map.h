#pragma once

#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "report/svg/contours.h"

namespace kappa {

/// A function of two variables from above.
struct PlaneMap {
  struct Walk {
    std::string name;
    int color = 2;
    bool dashed = false;
    std::vector<std::pair<double, double>> points;
  };
  struct Arrow {
    std::pair<double, double> from, to;
    std::string label;
  };

  std::string title, x_title, y_title;
  Grid grid;
  /// The quadratic model, drawn dashed at the same heights.
  std::function<double(double x, double y)> model = {};
  std::vector<Arrow> arrows = {};  ///< eigenvectors
  std::vector<Walk> walks = {};
  std::optional<std::pair<double, double>> point = {};
};

std::string to_svg(const PlaneMap& map);

/// The same grid as a surface seen from the side, far cells first.
struct Surface {
  std::string title, x_title, y_title, z_title;
  Grid grid;
  double turn_degrees = -60;
  double tilt_degrees = 28;
};

std::string to_svg(const Surface& surface);

}  // namespace kappa
