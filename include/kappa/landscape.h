#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "kappa/export.h"
#include "kappa/problem.h"
#include "kappa/progress.h"

namespace kappa {

/// A direction through the parameters and the places on it: w + t d for every t.
struct LandscapeAxis {
  std::string kind;                       ///< for programs, e.g. "eigenvector", "random"
  std::string label;                      ///< for people, e.g. "the steepest eigenvector"
  std::vector<double> direction;          ///< d, n entries, any length
  std::vector<double> t;                  ///< ascending
  std::optional<double> eigenvalue = {};  ///< where d is an eigenvector of unit length
};

/// How a landscape is evaluated, continued and watched.
struct LandscapeOptions {
  /// Points evaluated side by side. Leave at 1 where the problem itself spreads its samples over
  /// threads.
  int num_threads = 1;
  /// The first values of an earlier, interrupted run: the grid is continued behind them.
  std::vector<double> known = {};
  /// Called now and then with all values so far, for checkpoints.
  std::function<void(std::span<const double> values)> on_values = {};
  ProgressCallback progress = {};  ///< called now and then; false stops
};

/// The values on a grid.
struct Landscape {
  /// f(w + t0 d0 + t1 d1), the first axis fastest: value[j * axes[0].t.size() + i]. NaN and
  /// infinity as the function has them. Shorter than the grid where the run was stopped.
  std::vector<double> value;
  bool complete = true;  ///< false where the progress callback stopped it
  double seconds = 0;    ///< of this run
};

/// f on a line (one axis) or in a plane (two) through w, in the order of the grid, so that a
/// prefix of the values can be kept and continued; the same bits for any number of threads.
///
/// Cost: one value a point. Throws Error(shape) where an axis does not have n entries, Error(value)
/// for no or more than two axes, an empty axis, or more known values than points.
KAPPA_EXPORT Landscape landscape(const Problem& problem, std::span<const double> w,
                                 const std::vector<LandscapeAxis>& axes,
                                 const LandscapeOptions& options = {});

/// The quadratic model on those axes: f + slope't + t' curvature t / 2 with slope_i = g'd_i and
/// curvature_ij = d_i'H d_j.
struct LandscapeModel {
  double value = 0;                                  ///< f(w)
  std::array<double, 2> slope{};                     ///< g'd_i
  std::array<std::array<double, 2>, 2> curvature{};  ///< d_i'H d_j
};

/// Cost: one gradient and one Hessian product an axis.
KAPPA_EXPORT LandscapeModel landscape_model(const Problem& problem, std::span<const double> w,
                                            const std::vector<LandscapeAxis>& axes);

/// Parameters that are normalised together, e.g. the weights into one unit: entries offset,
/// offset + 1, ..., offset + size - 1 of w.
struct Filter {
  std::int64_t offset = 0;  ///< of its first entry
  std::int64_t size = 0;    ///< its entries
};

/// n entries from the normal distribution, the same for the same seed and stream everywhere.
KAPPA_EXPORT std::vector<double> random_direction(std::int64_t n, std::uint64_t seed,
                                                  std::uint64_t stream = 0);

/// Scales each filter of d to the length that the filter has in w, and sets what belongs to no
/// filter (biases) to zero (Li, Xu, Taylor, Studer, Goldstein, NeurIPS 2018, section 4). Rescaling
/// the layers around a ReLU then leaves the landscape as it is. A filter that is zero in w becomes
/// zero in d.
KAPPA_EXPORT void filter_normalize(std::span<const double> w, const std::vector<Filter>& filters,
                                   std::span<double> d);

}  // namespace kappa
