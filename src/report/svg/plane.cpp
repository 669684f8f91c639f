#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "report/json_numbers.h"
#include "report/svg/grid_json.h"
#include "report/svg/map.h"
#include "report/svg/pictures.h"
#include "report/text.h"

namespace kappa {
namespace {

using Pair = std::pair<double, double>;

std::vector<Pair> pairs(const Json& json) {
  std::vector<Pair> list;
  for (const Json& item : json) {
    list.emplace_back(number_or_nan(item.at(0)), number_or_nan(item.at(1)));
  }
  return list;
}

// Of the walks of one method the one whose rate is nearest to what is advised.
const Json* advised(const Json& walks, const std::string& method, double rate) {
  const Json* best = nullptr;
  for (const Json& walk : walks) {
    if (text_or(walk, "method", "") != method) continue;
    const auto off = [&](const Json& one) {
      return std::fabs(number_or_nan(one, "learning_rate") - rate);
    };
    if (best == nullptr || off(walk) < off(*best)) best = &walk;
  }
  return best;
}

}  // namespace

// A function of two variables: contours with eigenvectors and walks, and the surface.
void add_plane(const Json& result, std::vector<Picture>& list) {
  if (!has(result, "slices") || !has(result["slices"], "plane")) return;
  const Json& slices = result["slices"];
  PlaneMap map;
  map.title = "Map of the function and of its quadratic model";
  map.grid = grid_of(slices["plane"]);
  const std::vector<double> point = numbers_or_nan(result.at("point").at("values"));
  map.x_title = result["point"].at("names").at(0).get<std::string>();
  map.y_title = result["point"].at("names").at(1).get<std::string>();
  map.point = {point.at(0), point.at(1)};
  const double radius = (map.grid.x.back() - map.grid.x.front()) / 2;
  if (has(result, "hessian") && has(result.at("gradient"), "vector")) {
    const double f = number_or_nan(result, "value");
    const std::vector<double> g = numbers_or_nan(result["gradient"]["vector"]);
    const std::vector<double> top = numbers_or_nan(result["hessian"].at(0));
    const std::vector<double> bottom = numbers_or_nan(result["hessian"].at(1));
    map.model = [=](double x, double y) {
      const double dx = x - point[0], dy = y - point[1];
      return f + g.at(0) * dx + g.at(1) * dy +
             (top.at(0) * dx * dx + (top.at(1) + bottom.at(0)) * dx * dy + bottom.at(1) * dy * dy) /
                 2;
    };
  }
  if (has(result, "eigenvalues") && has(result["eigenvalues"], "vectors")) {
    const std::vector<double> all = numbers_or_nan(result["eigenvalues"].at("all"));
    std::vector<double> newton;
    if (has(result, "model") && has(result["model"], "newton_step")) {
      newton = numbers_or_nan(result["model"]["newton_step"]);
    }
    double largest = 0;
    for (const double value : all) largest = std::max(largest, std::fabs(value));
    for (std::size_t k = 0; k < all.size(); ++k) {
      const std::vector<double> v = numbers_or_nan(result["eigenvalues"]["vectors"].at(k));
      const double length =
          0.55 * radius * std::max(0.12, largest > 0 ? std::fabs(all[k]) / largest : 0);
      // The label stands at the end that points away from the walks.
      const double side =
          newton.size() == 2 && newton[0] * v.at(0) + newton[1] * v.at(1) > 0 ? -1 : 1;
      map.arrows.push_back(
          {{point[0] - side * length * v.at(0), point[1] - side * length * v.at(1)},
           {point[0] + side * length * v.at(0), point[1] + side * length * v.at(1)},
           "\u03bb = " + number(all[k])});
    }
  }
  if (has(slices, "walks")) {
    const Json rates = result.value("learning_rate", Json::object());
    double rate = number_or_nan(rates, "fastest_fixed");
    if (!std::isfinite(rate)) rate = number_or_nan(rates, "stability_limit") / 2;
    if (!std::isfinite(rate)) rate = 0;
    int color = 2;
    for (const char* method : {"gradient descent", "momentum", "Newton"}) {
      if (const Json* walk = advised(slices["walks"], method, rate)) {
        const double used = number_or_nan(*walk, "learning_rate");
        const std::string name =
            std::isfinite(used) ? fmt::format("{}, rate {}", method, number(used)) : method;
        map.walks.push_back({name, color, color == 3, pairs(walk->at("points"))});
      }
      ++color;
    }
  }
  list.push_back({"map", to_svg(map)});
  Surface surface{"Surface of the function", map.x_title, map.y_title, "f", map.grid};
  list.push_back({"surface", to_svg(surface)});
}

}  // namespace kappa
