#include "report/race_plot.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace kappa {
namespace {

constexpr int kColumns = 64, kRows = 12;

struct Range {
  double low = INFINITY, high = -INFINITY;
  void include(double x) {
    low = std::min(low, x);
    high = std::max(high, x);
  }
  [[nodiscard]] int place(double x, int count) const {
    return static_cast<int>(std::lround((x - low) / (high - low) * (count - 1)));
  }
};

}  // namespace

std::string race_plot(const std::vector<const MinimizeResult*>& runs) {
  double least = INFINITY, most = -INFINITY;
  Range across;
  for (const MinimizeResult* run : runs) {
    for (const IterationRecord& r : run->iterations) {
      if (!std::isfinite(r.value) || !(r.gradient_equivalents > 0)) continue;
      least = std::min(least, r.value);
      most = std::max(most, r.value);
      across.include(std::log10(r.gradient_equivalents));
    }
  }
  if (!(most > least) || !(across.high > across.low)) return "";
  // Below the rounding of the start's value there is nothing to tell apart.
  const double floor = std::max(1e-15 * (most - least), 1e-300);
  Range up;
  up.include(std::log10(floor));
  up.include(std::log10(most - least));
  double lowest = INFINITY;
  for (const MinimizeResult* run : runs) {
    for (const IterationRecord& r : run->iterations) {
      if (r.value > least + floor) lowest = std::min(lowest, r.value - least);
    }
  }
  up.low = std::log10(lowest);
  if (!(up.high > up.low)) up.low = up.high - 1;

  std::vector<std::string> grid(kRows, std::string(kColumns, ' '));
  for (std::size_t i = 0; i < runs.size(); ++i) {
    const char letter = static_cast<char>('a' + i % 26);
    for (const IterationRecord& r : runs[i]->iterations) {
      if (!std::isfinite(r.value) || !(r.gradient_equivalents > 0)) continue;
      const double height = std::log10(std::max(r.value - least, lowest));
      const int row = kRows - 1 - up.place(height, kRows);
      const int column = across.place(std::log10(r.gradient_equivalents), kColumns);
      char& c = grid[static_cast<std::size_t>(row)][static_cast<std::size_t>(column)];
      c = c == ' ' || c == letter ? letter : '*';
    }
  }
  std::string out = "\nf above the least of all, against work (both logarithmic)\n";
  for (int row = 0; row < kRows; ++row) {
    std::string mark;
    if (row == 0) mark = fmt::format("{:.1e}", std::pow(10, up.high));
    if (row == kRows - 1) mark = fmt::format("{:.1e}", lowest);
    std::string& line = grid[static_cast<std::size_t>(row)];
    line.erase(line.find_last_not_of(' ') + 1);
    out += fmt::format("{:>9} |{}\n", mark, line);
  }
  const std::string right = fmt::format("{:.4g}", std::pow(10, across.high));
  out += fmt::format("{:>9} +{}\n", "", std::string(kColumns, '-'));
  out += fmt::format("{:>11}{:<{}}{}\n", "", fmt::format("{:.4g}", std::pow(10, across.low)),
                     kColumns - static_cast<int>(right.size()), right);
  return out;
}

}  // namespace kappa
