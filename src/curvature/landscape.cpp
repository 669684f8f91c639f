#include "kappa/landscape.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "base/threads.h"
#include "curvature/tall.h"
#include "kappa/error.h"

namespace kappa {
namespace {

std::size_t check(const Problem& problem, std::span<const double> w,
                  const std::vector<LandscapeAxis>& axes) {
  const auto n = static_cast<std::size_t>(problem.dimension());
  if (w.size() != n) {
    throw Error(ErrorKind::shape, fmt::format("landscape: the point has {} entries, the function "
                                              "{} parameters",
                                              w.size(), n));
  }
  if (axes.empty() || axes.size() > 2) {
    throw Error(ErrorKind::value,
                fmt::format("landscape: {} axes; a picture has one or two", axes.size()));
  }
  std::size_t points = 1;
  for (const LandscapeAxis& axis : axes) {
    if (axis.direction.size() != n) {
      throw Error(ErrorKind::shape, fmt::format("landscape: the direction {} has {} entries, the "
                                                "function {} parameters",
                                                axis.label, axis.direction.size(), n));
    }
    if (axis.t.empty()) {
      throw Error(ErrorKind::value, fmt::format("landscape: no places on axis {}", axis.label));
    }
    points *= axis.t.size();
  }
  return points;
}

}  // namespace

Landscape landscape(const Problem& problem, std::span<const double> w,
                    const std::vector<LandscapeAxis>& axes, const LandscapeOptions& options) {
  const auto start = std::chrono::steady_clock::now();
  const std::size_t points = check(problem, w, axes);
  if (options.known.size() > points) {
    throw Error(ErrorKind::value, fmt::format("landscape: {} known values for a grid of {} points",
                                              options.known.size(), points));
  }
  Landscape result;
  result.value = options.known;
  result.value.reserve(points);
  const std::size_t width = axes[0].t.size();
  // Several points a thread between two reports: cheap functions would wait for each other.
  const std::size_t at_a_time =
      options.num_threads > 1 ? static_cast<std::size_t>(options.num_threads) * 16 : 1;
  while (result.value.size() < points) {
    const Progress progress{"landscape", static_cast<std::int64_t>(result.value.size()),
                            static_cast<std::int64_t>(points), ""};
    if (options.progress && !options.progress(progress)) {
      result.complete = false;
      break;
    }
    const std::size_t first = result.value.size();
    const std::size_t count = std::min(at_a_time, points - first);
    result.value.resize(first + count);
    parallel_for(options.num_threads, static_cast<std::int64_t>(count), [&](std::int64_t k) {
      const std::size_t index = first + static_cast<std::size_t>(k);
      std::vector<double> at(w.begin(), w.end());
      for (std::size_t a = 0; a < axes.size(); ++a) {
        const double t = axes[a].t[a == 0 ? index % width : index / width];
        const std::vector<double>& d = axes[a].direction;
        for (std::size_t i = 0; i < at.size(); ++i) at[i] += t * d[i];
      }
      result.value[index] = problem.value(at.data());
    });
    if (options.on_values) options.on_values(result.value);
  }
  result.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return result;
}

LandscapeModel landscape_model(const Problem& problem, std::span<const double> w,
                               const std::vector<LandscapeAxis>& axes) {
  check(problem, w, axes);
  const std::int64_t n = problem.dimension();
  const auto size = static_cast<std::size_t>(n);
  const auto linearization = problem.linearize(w.data());
  std::vector<double> directions, products(axes.size() * size);
  for (const LandscapeAxis& axis : axes) {
    directions.insert(directions.end(), axis.direction.begin(), axis.direction.end());
  }
  linearization->hessian_product(static_cast<std::int64_t>(axes.size()), directions.data(),
                                 products.data());
  LandscapeModel model;
  model.value = linearization->value();
  for (std::size_t i = 0; i < axes.size(); ++i) {
    const double* d = directions.data() + i * size;
    model.slope[i] = tall_dot(n, linearization->gradient().data(), d);
    for (std::size_t j = 0; j < axes.size(); ++j) {
      model.curvature[i][j] = tall_dot(n, d, products.data() + j * size);
    }
  }
  return model;
}

}  // namespace kappa
