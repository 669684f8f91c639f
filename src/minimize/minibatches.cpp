#include "minimize/minibatches.h"

#include <algorithm>
#include <numeric>

#include "base/random.h"

namespace kappa {
namespace {

/// Uniform on 0 .. bound-1 without bias (Lemire 2019).
std::uint64_t below(Random& random, std::uint64_t bound) {
  for (;;) {
    const auto product = static_cast<unsigned __int128>(random.bits()) * bound;
    const auto low = static_cast<std::uint64_t>(product);
    if (low >= bound || low >= (0 - bound) % bound)
      return static_cast<std::uint64_t>(product >> 64);
  }
}

}  // namespace

Minibatches::Minibatches(std::int64_t num_samples, std::int64_t batch_size, std::uint64_t seed)
    : num_samples_(num_samples),
      batch_size_(std::min(num_samples, batch_size > 0 ? batch_size : 128)),
      num_per_epoch_(num_samples > 0 ? (num_samples + batch_size_ - 1) / batch_size_ : 1),
      seed_(seed) {}

std::span<const std::int64_t> Minibatches::batch(std::int64_t index) {
  if (num_per_epoch_ == 1) return {};
  const std::int64_t epoch = index / num_per_epoch_;
  if (epoch != epoch_) {
    order_.resize(static_cast<std::size_t>(num_samples_));
    std::iota(order_.begin(), order_.end(), std::int64_t{0});
    Random random(seed_, static_cast<std::uint64_t>(epoch));
    for (std::size_t i = order_.size() - 1; i > 0; --i) {
      std::swap(order_[i], order_[below(random, i + 1)]);
    }
    epoch_ = epoch;
  }
  const std::int64_t first = index % num_per_epoch_ * batch_size_;
  const std::int64_t size = std::min(batch_size_, num_samples_ - first);
  return {order_.data() + first, static_cast<std::size_t>(size)};
}

}  // namespace kappa
