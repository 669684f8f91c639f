#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "data/dataset.h"
#include "data/table.h"
#include "program/type.h"

namespace kappa {

/// The data inputs of an objective's program: for a micro-batch of samples, the arrays that stand
/// between the parameters and the sample weights.
class SampleSource {
 public:
  virtual ~SampleSource() = default;
  [[nodiscard]] virtual std::int64_t num_samples() const = 0;
  /// Types of the data inputs for a micro-batch of `batch` samples.
  [[nodiscard]] virtual std::vector<Type> types(std::int64_t batch) const = 0;
  /// Writes data input `input` for these samples.
  virtual void fill(std::size_t input, const Rows& rows, void* target) const = 0;
};

/// x and targets of a data set: input 0 is x (batch, features...), input 1, if the loss has
/// targets, labels (batch) or numbers (batch, targets).
std::shared_ptr<const SampleSource> dataset_samples(std::shared_ptr<const Dataset> data,
                                                    DType dtype, bool labels, bool has_targets);

/// Columns of a table, each an input of shape (batch).
std::shared_ptr<const SampleSource> table_samples(std::shared_ptr<const Table> table,
                                                  const std::vector<std::string>& columns,
                                                  DType dtype);

}  // namespace kappa
