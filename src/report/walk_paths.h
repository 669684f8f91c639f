#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "kappa/minimize.h"
#include "report/json.h"

namespace kappa {

/// Where walks went, for pictures: the points of two parameters as they are, those of many on the
/// two principal directions of all walks together (of w_i - w_end; Li et al. 2018, section 7).
///
/// Points are kept in single precision, at most 64 MB of them: beyond that every second is dropped.
class WalkPaths {
 public:
  explicit WalkPaths(std::int64_t dimension);

  void begin() { runs_.emplace_back(); }
  void record(const IterationRecord& record, std::span<const double> w);
  /// The walk is over: it was by `method` and ended at w.
  void end(const std::string& method, std::span<const double> w, double value);

  /// {"space": "parameters" | "principal", "names": [2], "explained"?: [2],
  ///  "runs": [{"method", "iteration", "value", "coordinates": [[a, b], ...]}],
  ///  "plane"?: {"x", "y", "value"}}, the plane being f on a grid of `grid` x `grid` places around
  /// the walks (0: none), through the end of the first. Empty where there is nothing to draw.
  [[nodiscard]] Json to_json(const Problem& problem, int grid, int num_threads,
                             const ProgressCallback& progress) const;

 private:
  struct Run {
    std::string method;
    std::vector<std::int64_t> iteration;
    std::vector<double> value;
    std::vector<std::vector<double>> exact;  // of up to max_exact parameters
    std::vector<std::vector<float>> rounded;
    std::int64_t every = 1, count = 0;
  };
  void keep(Run& run, std::int64_t iteration, double value, std::span<const double> w) const;
  [[nodiscard]] std::vector<double> point(const Run& run, std::size_t i) const;

  std::int64_t dimension_;
  std::size_t most_points_;
  std::vector<Run> runs_;
};

}  // namespace kappa
