#include "report/svg/contours.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <iterator>
#include <map>

namespace kappa {
namespace {

// An edge of the grid: from node (i, j) to the right (0) or up (1).
using Edge = std::array<std::size_t, 3>;

class Tracer {
 public:
  Tracer(const Grid& grid, double level) : grid_(grid), level_(level) {}

  Contour trace() {
    for (std::size_t j = 0; j + 1 < grid_.y.size(); ++j) {
      for (std::size_t i = 0; i + 1 < grid_.x.size(); ++i) cell(i, j);
    }
    Contour lines;
    while (!links_.empty()) lines.push_back(chain());
    return lines;
  }

 private:
  [[nodiscard]] bool above(std::size_t i, std::size_t j) const { return grid_.at(i, j) >= level_; }

  void cell(std::size_t i, std::size_t j) {
    double sum = 0;
    for (const std::size_t a : {i, i + 1}) {
      for (const std::size_t b : {j, j + 1}) sum += grid_.at(a, b);
    }
    if (!std::isfinite(sum)) return;
    const Edge south{i, j, 0}, north{i, j + 1, 0}, west{i, j, 1}, east{i + 1, j, 1};
    const bool sw = above(i, j), se = above(i + 1, j), nw = above(i, j + 1),
               ne = above(i + 1, j + 1);
    std::vector<Edge> cut;
    if (sw != se) cut.push_back(south);
    if (se != ne) cut.push_back(east);
    if (nw != ne) cut.push_back(north);
    if (sw != nw) cut.push_back(west);
    if (cut.size() == 2) {
      link(cut[0], cut[1]);
    } else if (cut.size() == 4) {
      // Two lines: they part the corners that differ from the middle from the rest.
      const bool middle = sum / 4 >= level_;
      if (middle == sw) {
        link(south, east);
        link(north, west);
      } else {
        link(south, west);
        link(north, east);
      }
    }
  }

  void link(const Edge& a, const Edge& b) {
    links_[a].push_back(b);
    links_[b].push_back(a);
  }

  [[nodiscard]] std::pair<double, double> place(const Edge& edge) const {
    const auto [i, j, up] = edge;
    const double from = grid_.at(i, j), to = up != 0 ? grid_.at(i, j + 1) : grid_.at(i + 1, j);
    const double share = (level_ - from) / (to - from);
    if (up != 0) return {grid_.x[i], grid_.y[j] + share * (grid_.y[j + 1] - grid_.y[j])};
    return {grid_.x[i] + share * (grid_.x[i + 1] - grid_.x[i]), grid_.y[j]};
  }

  std::vector<std::pair<double, double>> chain() {
    // From an open end where there is one.
    auto start = std::find_if(links_.begin(), links_.end(),
                              [](const auto& one) { return one.second.size() == 1; });
    if (start == links_.end()) start = links_.begin();
    Edge at = start->first;
    std::vector<std::pair<double, double>> line{place(at)};
    while (true) {
      const auto here = links_.find(at);
      if (here == links_.end() || here->second.empty()) break;
      const Edge next = here->second.back();
      here->second.pop_back();
      if (here->second.empty()) links_.erase(here);
      const auto there = links_.find(next);
      std::vector<Edge>& back = there->second;
      back.erase(std::find(back.begin(), back.end(), at));
      if (back.empty()) links_.erase(there);
      line.push_back(place(next));
      at = next;
    }
    return line;
  }

  const Grid& grid_;
  double level_;
  std::map<Edge, std::vector<Edge>> links_;
};

}  // namespace

Contour contour(const Grid& grid, double level) { return Tracer(grid, level).trace(); }

std::vector<double> contour_levels(const std::vector<double>& values, int count) {
  std::vector<double> sorted;
  std::copy_if(values.begin(), values.end(), std::back_inserter(sorted),
               [](double v) { return std::isfinite(v); });
  std::sort(sorted.begin(), sorted.end());
  std::vector<double> levels;
  if (sorted.empty()) return levels;
  for (int k = 1; k <= count; ++k) {
    const double share = std::pow(static_cast<double>(k) / (count + 1), 2);
    const double at = share * static_cast<double>(sorted.size() - 1);
    const auto i = static_cast<std::size_t>(at);
    const double next = sorted[std::min(i + 1, sorted.size() - 1)];
    levels.push_back(sorted[i] + (at - static_cast<double>(i)) * (next - sorted[i]));
  }
  levels.erase(std::unique(levels.begin(), levels.end()), levels.end());
  return levels;
}

}  // namespace kappa
