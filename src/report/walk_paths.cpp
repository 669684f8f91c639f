#include "report/walk_paths.h"

#include <algorithm>
#include <cmath>

#include "kappa/curvature.h"
#include "kappa/landscape.h"

namespace kappa {
namespace {

constexpr std::int64_t max_exact = 1000;      // parameters kept in double
constexpr std::int64_t max_bytes = 64 << 20;  // of all points of a walk

double dot(std::span<const double> a, std::span<const double> b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
  return sum;
}

}  // namespace

WalkPaths::WalkPaths(std::int64_t dimension) : dimension_(dimension) {
  const std::int64_t bytes = dimension <= max_exact ? 8 : 4;
  const std::int64_t most = dimension <= 2 ? 2000 : 200;
  most_points_ = static_cast<std::size_t>(std::clamp<std::int64_t>(
      max_bytes / (bytes * std::max<std::int64_t>(dimension, 1)), 8, most));
}

void WalkPaths::keep(Run& run, std::int64_t iteration, double value,
                     std::span<const double> w) const {
  run.iteration.push_back(iteration);
  run.value.push_back(value);
  if (dimension_ <= max_exact) {
    run.exact.emplace_back(w.begin(), w.end());
  } else {
    run.rounded.emplace_back(w.begin(), w.end());
  }
}

void WalkPaths::record(const IterationRecord& record, std::span<const double> w) {
  if (dimension_ < 2 || runs_.empty()) return;
  Run& run = runs_.back();
  if (run.count++ % run.every != 0) return;
  keep(run, record.iteration, record.value, w);
  if (run.iteration.size() < most_points_) return;
  const auto halve = [](auto& list) {
    std::size_t kept = 1;  // the first stays where it is: moved onto itself it would be lost
    for (std::size_t i = 2; i < list.size(); i += 2) list[kept++] = std::move(list[i]);
    if (!list.empty()) list.resize(kept);
  };
  halve(run.iteration);
  halve(run.value);
  halve(run.exact);
  halve(run.rounded);
  run.every *= 2;
}

void WalkPaths::end(const std::string& method, std::span<const double> w, double value) {
  if (dimension_ < 2 || runs_.empty() || w.empty()) return;
  Run& run = runs_.back();
  run.method = method;
  const std::int64_t last = run.iteration.empty() ? 0 : run.iteration.back();
  if (!run.iteration.empty() && run.count > 0 && (run.count - 1) % run.every == 0) {
    const std::vector<double> before = point(run, run.iteration.size() - 1);
    // The best point may be the one just recorded.
    if (std::equal(before.begin(), before.end(), w.begin(),
                   [](double a, double b) { return a == b || a == static_cast<float>(b); })) {
      return;
    }
  }
  keep(run, std::max(last, run.count - 1), value, w);
}

std::vector<double> WalkPaths::point(const Run& run, std::size_t i) const {
  if (dimension_ <= max_exact) return run.exact[i];
  return {run.rounded[i].begin(), run.rounded[i].end()};
}

Json WalkPaths::to_json(const Problem& problem, int grid, int num_threads,
                        const ProgressCallback& progress) const {
  std::size_t total = 0;
  for (const Run& run : runs_) total += run.iteration.size();
  if (dimension_ < 2 || total < 2) return Json::object();
  const auto n = static_cast<std::size_t>(dimension_);
  Json json;
  LandscapeAxis axes[2];
  std::vector<double> origin(n, 0.0);
  std::vector<double> along[2];  // coordinates of all points

  std::vector<std::vector<double>> points;
  for (const Run& run : runs_) {
    for (std::size_t i = 0; i < run.iteration.size(); ++i) points.push_back(point(run, i));
  }
  if (dimension_ == 2) {
    json["space"] = "parameters";
    json["names"] = {problem.parameter_name(0), problem.parameter_name(1)};
    for (std::size_t k = 0; k < 2; ++k) {
      axes[k].direction = {k == 0 ? 1.0 : 0.0, k == 1 ? 1.0 : 0.0};
      for (const auto& p : points) along[k].push_back(p[k]);
    }
  } else {
    origin = points[runs_[0].iteration.size() - 1];
    for (auto& p : points) {
      for (std::size_t i = 0; i < n; ++i) p[i] -= origin[i];
    }
    // Principal directions from the Gram matrix: the points are few, the parameters many.
    std::vector<double> gram(total * total);
    for (std::size_t i = 0; i < total; ++i) {
      for (std::size_t j = 0; j <= i; ++j) {
        gram[i * total + j] = gram[j * total + i] = dot(points[i], points[j]);
      }
    }
    if (!std::all_of(gram.begin(), gram.end(), [](double x) { return std::isfinite(x); })) {
      return Json::object();
    }
    const Spectrum spectrum = dense_spectrum(static_cast<std::int64_t>(total), gram);
    double sum = 0;
    for (const double value : spectrum.values) sum += std::max(value, 0.0);
    if (!(sum > 0)) return Json::object();
    json["space"] = "principal";
    json["names"] = {"first principal direction", "second principal direction"};
    json["explained"] = Json::array();
    for (std::size_t k = 0; k < 2; ++k) {
      const std::size_t column = total - 1 - k;
      const double variance = std::max(spectrum.values[column], 0.0);
      const double length = std::sqrt(variance);
      json["explained"].push_back(variance / sum);
      const double* u = spectrum.vectors.data() + column * total;
      // The first walk begins at the positive side of both axes.
      const double sign = u[0] < 0 ? -1 : 1;
      axes[k].direction.assign(n, 0.0);
      for (std::size_t i = 0; i < total; ++i) {
        along[k].push_back(sign * length * u[i]);
        for (std::size_t j = 0; j < n && length > 0; ++j) {
          axes[k].direction[j] += sign * u[i] / length * points[i][j];
        }
      }
    }
  }
  json["runs"] = Json::array();
  std::size_t next = 0;
  for (const Run& run : runs_) {
    Json entry;
    entry["method"] = run.method;
    entry["iteration"] = run.iteration;
    entry["value"] = run.value;
    entry["coordinates"] = Json::array();
    for (std::size_t i = 0; i < run.iteration.size(); ++i, ++next) {
      entry["coordinates"].push_back({along[0][next], along[1][next]});
    }
    json["runs"].push_back(std::move(entry));
  }
  if (grid > 1) {
    double centre[2], half = 0;
    for (std::size_t k = 0; k < 2; ++k) {
      const auto [low, high] = std::minmax_element(along[k].begin(), along[k].end());
      if (!std::isfinite(*low) || !std::isfinite(*high)) return json;
      centre[k] = (*low + *high) / 2;
      half = std::max(half, 0.6 * (*high - *low));
    }
    if (!(half > 0)) half = 1;
    for (std::size_t k = 0; k < 2; ++k) {
      for (int i = 0; i < grid; ++i) {
        axes[k].t.push_back(centre[k] + half * (2.0 * i / (grid - 1) - 1));
      }
    }
    LandscapeOptions options;
    options.num_threads = num_threads;
    options.progress = progress;
    const Landscape plane = landscape(problem, origin, {axes[0], axes[1]}, options);
    if (!plane.complete) return json;
    json["plane"]["x"] = axes[0].t;
    json["plane"]["y"] = axes[1].t;
    json["plane"]["value"] = Json::array();
    for (auto row = plane.value.begin(); row != plane.value.end(); row += grid) {
      json["plane"]["value"].push_back(std::vector<double>(row, row + grid));
    }
  }
  replace_non_finite(json);
  return json;
}

}  // namespace kappa
