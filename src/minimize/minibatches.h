#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace kappa {

/// The order in which samples are visited: every epoch is a permutation that depends on seed and
/// epoch alone (Fisher-Yates), cut into mini-batches; the last one of an epoch may be shorter.
class Minibatches {
 public:
  Minibatches(std::int64_t num_samples, std::int64_t batch_size, std::uint64_t seed);

  /// Mini-batch number `index` of all mini-batches ever (index 0 opens epoch 0). Valid until the
  /// next call. Empty (all samples) where there are no samples or a batch holds them all.
  [[nodiscard]] std::span<const std::int64_t> batch(std::int64_t index);

  [[nodiscard]] std::int64_t num_per_epoch() const { return num_per_epoch_; }
  [[nodiscard]] std::int64_t batch_size() const { return batch_size_; }

 private:
  std::int64_t num_samples_, batch_size_, num_per_epoch_;
  std::uint64_t seed_;
  std::int64_t epoch_ = -1;
  std::vector<std::int64_t> order_;
};

}  // namespace kappa
