#include "report/slices.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <string>
#include <vector>

#include "report/true_walks.h"

namespace kappa {
namespace {

struct Line {
  std::string kind, label;
  std::vector<double> direction;  // of length 1
  std::optional<double> curvature;
};

double dot(std::span<const double> a, std::span<const double> b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
  return sum;
}

double norm(std::span<const double> v) { return std::sqrt(dot(v, v)); }

Json number_or_null(double value) { return std::isfinite(value) ? Json(value) : Json(nullptr); }

// d'Hd where the dense matrix is known.
std::optional<double> curvature_along(const Analysis& a, std::span<const double> d) {
  const std::size_t n = d.size();
  if (a.matrix != CurvatureMatrix::hessian || a.hessian.size() != n * n) return {};
  double sum = 0;
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = 0; j < n; ++j) sum += d[i] * a.hessian[i * n + j] * d[j];
  }
  return sum;
}

void add_line(std::vector<Line>& lines, Line line) {
  const double length = norm(line.direction);
  if (!(length > 0) || !std::isfinite(length)) return;
  for (double& entry : line.direction) entry /= length;
  lines.push_back(std::move(line));
}

std::vector<Line> choose_lines(const Analysis& a, std::size_t n) {
  std::vector<Line> lines;
  if (n == 1) {
    const std::string name = a.parameter_names.empty() ? "x" : a.parameter_names[0];
    add_line(lines, {"axis", name, {1.0}, curvature_along(a, std::vector<double>{1.0})});
    return lines;
  }
  if (a.gradient.size() == n) {
    std::vector<double> downhill(n);
    std::transform(a.gradient.begin(), a.gradient.end(), downhill.begin(),
                   [](double g) { return -g; });
    std::optional<double> curvature;
    if (a.matrix == CurvatureMatrix::hessian && a.learning_rate) {
      curvature = a.learning_rate->curvature_along_gradient;
    }
    add_line(lines, {"gradient", "against the gradient", downhill, curvature});
  }
  if (a.model && a.model->step.size() == n) {
    const double length = norm(a.model->step);
    std::vector<double> unit = a.model->step;
    for (double& entry : unit) entry /= length;
    add_line(lines, {"newton", "along the Newton step", unit, curvature_along(a, unit)});
  }
  if (a.matrix == CurvatureMatrix::hessian && a.eigenvalues) {
    const EigenvalueLists& e = *a.eigenvalues;
    if (e.top_vector.size() == n && !e.top.empty()) {
      add_line(lines, {"top", "along the steepest eigenvector", e.top_vector, e.top[0].value});
    }
    if (e.bottom_vector.size() == n && !e.bottom.empty()) {
      add_line(lines, {"bottom", "along the flattest or lowest eigenvector", e.bottom_vector,
                       e.bottom[0].value});
    }
  }
  return lines;
}

// How far a picture reaches: twice the Newton step where there is one, and not a speck beside w.
double reach(const Analysis& a, std::span<const double> w) {
  const double size = std::max(1.0, norm(w));
  const double step = a.model ? a.model->newton_step_norm : 0;
  if (!(step > 1e-9 * size)) return 0.5 * size;
  return std::min(2 * step, 10 * size);
}

// Along one line: the distance over which the quadratic model has its say.
double reach_along(double value, double slope, std::optional<double> curvature, double otherwise) {
  if (!curvature || *curvature == 0) return otherwise;
  const double to_extremum = 2 * std::abs(slope / *curvature);
  const double to_doubling = std::sqrt(2 * std::abs(value / *curvature));
  const double length = std::max(to_extremum, std::min(to_doubling, otherwise));
  return length > 0 && std::isfinite(length) ? std::min(length, 20 * otherwise) : otherwise;
}

// Where the quadratic model ceases to hold: the largest |t| up to which, on both sides, it is off
// by at most a tenth of how much f changed so far. Infinite where it holds to the ends.
double model_holds_to(const Json& t, const Json& values, double f, double slope, double curvature) {
  const int half = static_cast<int>(t.size()) / 2;
  double change = 0, holds = 0;
  for (int k = 1; k <= half; ++k) {
    double off = 0;
    for (const int side : {-1, 1}) {
      const auto i = static_cast<std::size_t>(half + side * k);
      if (values[i].is_null()) return holds;
      const double at = t[i].get<double>(), value = values[i].get<double>();
      change = std::max(change, std::fabs(value - f));
      off = std::max(off, std::fabs(value - (f + slope * at + curvature / 2 * at * at)));
    }
    if (off > 0.1 * change + 1e-12 * std::fabs(f)) return holds;
    holds = t[static_cast<std::size_t>(half + k)].get<double>();
  }
  return INFINITY;
}

}  // namespace

Json slices_json(const Problem& problem, std::span<const double> w, const Analysis& a) {
  Json json = Json::object();
  const std::size_t n = w.size();
  if (!a.value || n == 0 || a.interrupted) return json;
  const double otherwise = reach(a, w);
  const int half = problem.num_samples() > 0 ? 10 : 20;
  std::vector<double> at(n);

  Json lines = Json::array();
  for (const Line& line : choose_lines(a, n)) {
    const double slope = a.gradient.size() == n ? dot(a.gradient, line.direction) : 0;
    const double length =
        n == 1 ? otherwise : reach_along(*a.value, slope, line.curvature, otherwise);
    Json entry;
    entry["kind"] = line.kind;
    entry["label"] = line.label;
    if (n <= 64) entry["direction"] = line.direction;
    entry["slope"] = number_or_null(slope);
    if (line.curvature) entry["curvature"] = number_or_null(*line.curvature);
    Json t = Json::array(), values = Json::array();
    for (int i = -half; i <= half; ++i) {
      const double distance = length * i / half;
      for (std::size_t k = 0; k < n; ++k) at[k] = w[k] + distance * line.direction[k];
      t.push_back(distance);
      values.push_back(number_or_null(problem.value(at.data())));
    }
    if (line.curvature) {
      const double holds = model_holds_to(t, values, *a.value, slope, *line.curvature);
      if (std::isfinite(holds)) entry["model_holds_to"] = holds;
    }
    entry["t"] = std::move(t);
    entry["value"] = std::move(values);
    lines.push_back(std::move(entry));
  }
  json["lines"] = std::move(lines);

  if (n == 2) {
    constexpr int side = 51;
    const auto coordinate = [&](double centre, int i) {
      return centre + otherwise * (2.0 * i / (side - 1) - 1);
    };
    Json x = Json::array(), y = Json::array(), rows = Json::array();
    for (int i = 0; i < side; ++i) {
      x.push_back(coordinate(w[0], i));
      y.push_back(coordinate(w[1], i));
    }
    for (int j = 0; j < side; ++j) {
      Json row = Json::array();
      for (int i = 0; i < side; ++i) {
        at = {coordinate(w[0], i), coordinate(w[1], j)};
        row.push_back(number_or_null(problem.value(at.data())));
      }
      rows.push_back(std::move(row));
    }
    json["plane"]["x"] = std::move(x);
    json["plane"]["y"] = std::move(y);
    json["plane"]["value"] = std::move(rows);
    Json walks = true_walks(problem, w, a, otherwise);
    if (!walks.empty()) json["walks"] = std::move(walks);
  }
  return json;
}

}  // namespace kappa
