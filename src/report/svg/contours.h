#pragma once

#include <utility>
#include <vector>

namespace kappa {

/// Values on a grid of columns x and rows y, value[j * x.size() + i] at (x_i, y_j); NaN where there
/// is none.
struct Grid {
  std::vector<double> x, y, value;

  [[nodiscard]] double at(std::size_t i, std::size_t j) const { return value[j * x.size() + i]; }
};

/// A contour as polylines in the coordinates of the grid; a closed one ends where it begins.
using Contour = std::vector<std::vector<std::pair<double, double>>>;

/// The lines on which the values are `level`: marching squares with linear interpolation along the
/// edges, saddles decided by the cell's mean. Cells with a value that is not finite are left out.
Contour contour(const Grid& grid, double level);

/// Heights that spread over the values there are, denser near the lowest, where minimisers look.
std::vector<double> contour_levels(const std::vector<double>& values, int count = 14);

}  // namespace kappa
