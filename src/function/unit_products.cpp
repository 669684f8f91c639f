#include "function/unit_products.h"

#include <algorithm>

#include "function/colouring.h"
#include "program/builder.h"
#include "transform/batch.h"

namespace kappa {
namespace {

constexpr std::int64_t kCacheElements = std::int64_t{1} << 16;  // half a second-level cache
constexpr std::int64_t kStoredSeeds = std::int64_t{1} << 20;

}  // namespace

void UnitProducts::colour(const SparsityPattern& pattern) {
  Colouring colouring =
      column_colouring(pattern, std::vector<bool>(static_cast<std::size_t>(pattern.rows), true));
  colours_ = std::move(colouring.colour);
  count_ = colouring.count;
}

void UnitProducts::arrange(const Program& product) {
  if (count_ == 0) return;
  std::int64_t largest = 1;
  for (const Node& node : product.nodes) {
    if (!is_constant(node) && !is_input(node)) {
      largest = std::max(largest, num_elements(node.type.shape));
    }
  }
  const std::int64_t limit = std::clamp<std::int64_t>(kCacheElements / largest, 1, count_);
  num_runs_ = (count_ + limit - 1) / limit;
  num_a_run_ = (count_ + num_runs_ - 1) / num_runs_;
}

void UnitProducts::compile(const Program& product, std::size_t input) {
  if (count_ == 0) return;
  input_ = input;
  std::vector<bool> batched(product.inputs.size(), false);
  batched[input] = true;
  plan_ = std::make_shared<const PooledPlan>(batch(product, batched, num_a_run_));
  const auto length = static_cast<std::int64_t>(colours_.size());
  if (num_products() * length > kStoredSeeds) return;
  seeds_.resize(static_cast<std::size_t>(num_products() * length));
  for (std::int64_t k = 0; k < num_runs_; ++k) fill(k, seeds_.data() + k * num_a_run_ * length);
}

void UnitProducts::fill(std::int64_t which, double* target) const {
  const std::size_t length = colours_.size();
  for (std::int64_t k = which * num_a_run_; k < (which + 1) * num_a_run_; ++k, target += length) {
    for (std::size_t i = 0; i < length; ++i) target[i] = colours_[i] == k ? 1 : 0;
  }
}

void UnitProducts::run(std::int64_t which, std::vector<const void*>& inputs, double* scratch,
                       const std::vector<void*>& outputs) const {
  if (seeds_.empty()) {
    fill(which, scratch);
    inputs[input_] = scratch;
  } else {
    const auto length = static_cast<std::int64_t>(colours_.size());
    inputs[input_] = seeds_.data() + which * num_a_run_ * length;
  }
  plan_->run(inputs, outputs);
}

void SymmetricEntries::read(const SparsityPattern& symmetric, const UnitProducts& products) {
  for (std::int64_t i = 0; i < symmetric.rows; ++i) {
    const auto first = static_cast<std::size_t>(symmetric.starts[static_cast<std::size_t>(i)]);
    const auto last = static_cast<std::size_t>(symmetric.starts[static_cast<std::size_t>(i) + 1]);
    for (std::size_t k = first; k < last && symmetric.indices[k] <= i; ++k) {
      const std::int32_t j = symmetric.indices[k];
      entries_.push_back(
          {static_cast<std::int32_t>(i), j, products.colour_of(j) * symmetric.rows + i});
    }
  }
}

}  // namespace kappa
