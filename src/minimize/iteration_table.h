#pragma once

#include <vector>

#include "kappa/minimize.h"
#include "minimize/archive.h"

namespace kappa {

/// The records of a run. Beyond `max_records` (0: no limit) every second one goes, and from then on
/// only every 2nd, 4th, ... is kept.
class IterationTable {
 public:
  explicit IterationTable(std::int64_t max_records) : max_records_(max_records) {}
  void add(IterationRecord record);
  [[nodiscard]] std::vector<IterationRecord> take() { return std::move(records_); }
  void archive(Archive& archive);

 private:
  std::int64_t max_records_, every_ = 1, num_seen_ = 0;
  std::vector<IterationRecord> records_;
};

}  // namespace kappa
