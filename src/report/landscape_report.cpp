#include "report/landscape_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>

#include "kappa/curvature.h"
#include "kappa/version.h"
#include "report/analysis_text.h"

namespace kappa {
namespace {

double norm(const std::vector<double>& v) {
  double sum = 0;
  for (const double x : v) sum += x * x;
  return std::sqrt(sum);
}

std::size_t width(const LandscapeReport& r) { return r.axes[0].t.size(); }

std::size_t num_points(const LandscapeReport& r) {
  return width(r) * (r.axes.size() == 2 ? r.axes[1].t.size() : 1);
}

// Where a value stands on axis a.
double place(const LandscapeReport& r, std::size_t a, std::size_t index) {
  return r.axes[a].t[a == 0 ? index % width(r) : index / width(r)];
}

double model_at(const LandscapeReport& r, std::size_t index) {
  double sum = r.model.value;
  for (std::size_t i = 0; i < r.axes.size(); ++i) {
    sum += r.model.slope[i] * place(r, i, index);
    for (std::size_t j = 0; j < r.axes.size(); ++j) {
      sum += r.model.curvature[i][j] * place(r, i, index) * place(r, j, index) / 2;
    }
  }
  return sum;
}

// The index of the lowest finite value, or the number of values.
std::size_t lowest(const LandscapeReport& r) {
  const std::vector<double>& v = r.grid.value;
  std::size_t best = v.size();
  for (std::size_t i = 0; i < v.size(); ++i) {
    if (std::isfinite(v[i]) && (best == v.size() || v[i] < v[best])) best = i;
  }
  return best;
}

// Shape of the 2 x 2 (or 1 x 1) curvature: congruence keeps the signs, so lengths do not matter.
const char* shape_of(const LandscapeReport& r) {
  const auto n = static_cast<std::int64_t>(r.axes.size());
  std::vector<double> matrix;
  for (std::int64_t i = 0; i < n; ++i) {
    for (std::int64_t j = 0; j < n; ++j) {
      const double entry =
          r.model.curvature[static_cast<std::size_t>(i)][static_cast<std::size_t>(j)];
      if (!std::isfinite(entry)) return nullptr;
      matrix.push_back(entry);
    }
  }
  const std::optional<SurfaceShape> found = shape(known(dense_spectrum(n, matrix)));
  return found ? to_string(*found) : nullptr;
}

// Largest distance on axis a, the other at 0, up to which the model is off by at most a tenth of
// how much f changed so far; negative where the axis has no place at 0.
double trusted(const LandscapeReport& r, std::size_t a) {
  const std::size_t count = r.axes[a].t.size();
  const auto zero_of = [&](std::size_t axis) {
    const auto& t = r.axes[axis].t;
    return static_cast<std::size_t>(std::find(t.begin(), t.end(), 0.0) - t.begin());
  };
  std::size_t offset = 0, stride = 1;
  if (r.axes.size() == 2) {
    const std::size_t other = zero_of(1 - a);
    if (other == r.axes[1 - a].t.size()) return -1;
    offset = a == 0 ? other * width(r) : other;
    stride = a == 0 ? 1 : width(r);
  }
  const std::size_t zero = zero_of(a);
  if (zero == count) return -1;
  double reach = 0, change = 0;
  for (std::size_t k = 1; zero >= k || zero + k < count; ++k) {
    double off = 0;
    for (const int side : {-1, 1}) {
      if (side < 0 ? zero < k : zero + k >= count) continue;
      const std::size_t index = offset + stride * (side < 0 ? zero - k : zero + k);
      if (index >= r.grid.value.size()) return reach;
      change = std::max(change, std::fabs(r.grid.value[index] - r.model.value));
      off = std::max(off, std::fabs(r.grid.value[index] - model_at(r, index)));
    }
    if (!(off <= 0.1 * change)) return reach;
    reach = std::fabs(r.axes[a].t[zero + k < count ? zero + k : zero - k]);
  }
  return reach;
}

}  // namespace

Json to_json(const LandscapeReport& r) {
  Json json;
  json["kappa"] = version();
  json["objective"] = to_json(r.objective);
  Json& scape = json["landscape"];
  scape["axes"] = Json::array();
  for (const LandscapeAxis& axis : r.axes) {
    Json entry;
    entry["kind"] = axis.kind;
    entry["label"] = axis.label;
    entry["norm"] = norm(axis.direction);
    if (axis.eigenvalue) entry["eigenvalue"] = *axis.eigenvalue;
    if (axis.direction.size() <= 64) entry["direction"] = axis.direction;
    entry["t"] = axis.t;
    scape["axes"].push_back(std::move(entry));
  }
  Json& model = scape["model"];
  model["value"] = r.model.value;
  model["slope"] = Json::array();
  model["curvature"] = Json::array();
  for (std::size_t i = 0; i < r.axes.size(); ++i) {
    model["slope"].push_back(r.model.slope[i]);
    Json row = Json::array();
    for (std::size_t j = 0; j < r.axes.size(); ++j) row.push_back(r.model.curvature[i][j]);
    model["curvature"].push_back(std::move(row));
  }
  const auto at = [&](std::size_t index) {
    return index < r.grid.value.size() ? Json(r.grid.value[index]) : Json(nullptr);
  };
  scape["value"] = Json::array();
  for (std::size_t first = 0; first < num_points(r); first += width(r)) {
    Json row = Json::array();
    for (std::size_t i = 0; i < width(r); ++i) row.push_back(at(first + i));
    if (r.axes.size() == 1) {
      scape["value"] = std::move(row);
    } else {
      scape["value"].push_back(std::move(row));
    }
  }
  scape["num_points"] = num_points(r);
  scape["num_done"] = r.grid.value.size();
  scape["complete"] = r.grid.complete;
  const std::size_t best = lowest(r);
  if (best < r.grid.value.size()) {
    scape["lowest"]["value"] = r.grid.value[best];
    scape["lowest"]["t"] = Json::array();
    for (std::size_t a = 0; a < r.axes.size(); ++a) {
      scape["lowest"]["t"].push_back(place(r, a, best));
    }
  }
  if (const char* shape = shape_of(r)) scape["shape"] = shape;
  json["cost"]["num_values"] = r.grid.value.size();
  json["cost"]["seconds"] = r.seconds;
  std::vector<std::string> warnings = r.warnings;
  if (replace_non_finite(json)) {
    warnings.push_back("null stands for a number that is infinite or not defined");
  }
  json["warnings"] = warnings;
  return json;
}

std::string to_text(const LandscapeReport& r, const TextStyle& style) {
  Text text(style);
  write_objective(text, r.objective);
  const char* const names[] = {"t", "u"};
  text.label(r.axes.size() == 1 ? "Line" : "Plane");
  for (std::size_t a = 0; a < r.axes.size(); ++a) {
    const LandscapeAxis& axis = r.axes[a];
    std::string line = fmt::format("{}: {}", names[a], axis.label);
    if (axis.eigenvalue) line += fmt::format(" (eigenvalue {})", number(*axis.eigenvalue));
    text.words(line);
    text.line(fmt::format("   {} to {} in {} places, length of a unit {}", number(axis.t.front()),
                          number(axis.t.back()), axis.t.size(), number(norm(axis.direction))));
  }
  text.label("At the point");
  text.line("f = " + number(r.model.value));
  for (std::size_t a = 0; a < r.axes.size(); ++a) {
    text.line(fmt::format("along {}: slope {}, curvature {}", names[a], number(r.model.slope[a]),
                          number(r.model.curvature[a][a])));
  }
  if (const char* shape = shape_of(r)) {
    text.line(fmt::format("shape on this {}: {}", r.axes.size() == 1 ? "line" : "plane", shape));
  }
  const std::size_t best = lowest(r);
  if (best < r.grid.value.size()) {
    text.label("Lowest place");
    std::string line =
        fmt::format("f = {} at t = {}", number(r.grid.value[best]), number(place(r, 0, best)));
    if (r.axes.size() == 2) line += fmt::format(", u = {}", number(place(r, 1, best)));
    text.line(line);
    const double gain = r.model.value - r.grid.value[best];
    const bool at_edge = [&] {
      for (std::size_t a = 0; a < r.axes.size(); ++a) {
        const double t = place(r, a, best);
        if (t == r.axes[a].t.front() || t == r.axes[a].t.back()) return true;
      }
      return false;
    }();
    if (at_edge) {
      text.meaning("it lies at the edge: a wider --range may go lower");
    } else if (gain > 0) {
      text.meaning(fmt::format("{} below the point itself", number(gain)));
    } else {
      text.meaning("no place of this picture is lower than the point itself");
    }
  }
  text.label("Model");
  for (std::size_t a = 0; a < r.axes.size(); ++a) {
    const double reach = trusted(r, a);
    if (reach < 0) continue;
    text.words(fmt::format(
        "along {} the quadratic model is off by less than a tenth of the change {}", names[a],
        reach == 0 ? "only closer than one place of the grid"
                   : fmt::format("up to {}", number(reach))));
  }
  const auto bad = std::count_if(r.grid.value.begin(), r.grid.value.end(),
                                 [](double v) { return !std::isfinite(v); });
  if (bad > 0) {
    text.label("Not defined");
    text.words(
        fmt::format("{} of {} values are infinite or not a number and are left out of "
                    "pictures",
                    bad, r.grid.value.size()));
  }
  text.label("Cost");
  text.words(fmt::format("{}, {}", counted(static_cast<long long>(r.grid.value.size()), "value"),
                         time_text(r.seconds)));
  return text.str();
}

}  // namespace kappa
