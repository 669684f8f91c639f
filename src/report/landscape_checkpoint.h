#pragma once

#include <span>
#include <string>
#include <vector>

#include "kappa/landscape.h"

namespace kappa {

/// The values of an unfinished grid in a folder, so that a killed run can go on: the file is
/// replaced whole (see write_checkpoint), so at any moment it holds one complete state.
///
/// It carries a fingerprint of point, axes and f at the point. A folder of another picture is
/// refused with Error(data), not overwritten.
class LandscapeCheckpoint {
 public:
  LandscapeCheckpoint(std::string directory, std::span<const double> w,
                      const std::vector<LandscapeAxis>& axes, double value_at_point);

  /// The values kept there; none where there is no file yet.
  [[nodiscard]] std::vector<double> read() const;
  void write(std::span<const double> values) const;

 private:
  std::string directory_;
  std::uint64_t fingerprint_;
};

}  // namespace kappa
