#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "function/make_objective.h"
#include "function/objective.h"
#include "kappa/landscape.h"

namespace kappa {

/// What picture is wanted.
struct LandscapeRequest {
  /// One or two of: top[:K], bottom[:K] (K-th eigenvector from that end), gradient, random[:K], a
  /// parameter's name, FILE.npy. A kind given twice means the next K. Empty: chosen.
  std::vector<std::string> along;
  /// The other end of a straight line through w, which is then the first axis; empty: none.
  std::vector<double> to;
  std::string to_name;
  /// From and to on each axis; the last holds for those behind it. Empty: chosen.
  std::vector<std::pair<double, double>> ranges;
  std::int64_t num_points = 0;  ///< an axis; 0: chosen
  std::uint64_t seed = 0;
  double tolerance = 1e-4;  ///< of eigenvectors
  ProgressCallback progress = {};
};

/// The axes asked for. Eigenvectors and the gradient have length 1 and point downhill; random
/// directions of a network are filter-normalised, of a formula of length 1. Costs the gradient or
/// the eigenvectors where they are asked for. What fell short of a tolerance goes to `warnings`.
/// Throws Error for a name that is none of the above, or a direction of length 0.
std::vector<LandscapeAxis> landscape_axes(const Objective& objective, std::span<const double> w,
                                          const LandscapeRequest& request,
                                          std::vector<std::string>& warnings);

/// The filters of an objective's varying parameters: each row (all but the first axis) of an array
/// of two or more axes, which is the weights into one unit.
std::vector<Filter> filters_of(const Parameters& parameters);

/// w with the values of `named` in it. Throws Error(name) for a varying parameter without a value
/// or a name that is no parameter, Error(shape) for one of another shape.
std::vector<double> point_from(const Parameters& parameters, const NamedValues& named,
                               const std::string& where);

}  // namespace kappa
