#include "function/unit_products.h"

#include <algorithm>
#include <utility>

#include "function/colouring.h"
#include "program/builder.h"
#include "runtime/cpu/fill.h"
#include "transform/batch.h"

namespace kappa {
namespace {

constexpr std::int64_t kCacheElements = std::int64_t{1} << 16;  // half a second-level cache

}  // namespace

void UnitProducts::colour(const SparsityPattern& pattern) {
  Colouring colouring =
      column_colouring(pattern, std::vector<bool>(static_cast<std::size_t>(pattern.rows), true));
  colours_ = std::move(colouring.colour);
  count_ = colouring.count;
  columns_.resize(static_cast<std::size_t>(count_));
  for (std::size_t i = 0; i < colours_.size(); ++i) {
    if (colours_[i] < 0) continue;
    std::vector<Columns>& list = columns_[static_cast<std::size_t>(colours_[i])];
    const auto column = static_cast<std::int32_t>(i);
    if (!list.empty() && list.back().first + list.back().count == column) {
      ++list.back().count;
    } else {
      list.push_back({column, 1});
    }
  }
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
}

void UnitProducts::write_ones(std::int64_t which, double value, double* seeds) const {
  const std::int64_t last = std::min(count_, (which + 1) * num_a_run_);
  for (std::int64_t c = which * num_a_run_; c < last; ++c, seeds += colours_.size()) {
    for (const Columns& run : columns_[static_cast<std::size_t>(c)]) {
      fill_elements(seeds + run.first, run.count, value);
    }
  }
}

void UnitProducts::run(std::int64_t which, std::vector<const void*>& inputs,
                       const std::vector<void*>& outputs) const {
  // Zero between runs, so that nothing but the ones is written.
  const auto bytes = static_cast<std::int64_t>(sizeof(double) * colours_.size()) * num_a_run_;
  std::shared_ptr<std::byte[]> buffer = plan_->take_buffer(bytes);
  auto* seeds = reinterpret_cast<double*>(buffer.get());
  write_ones(which, 1, seeds);
  inputs[input_] = seeds;
  plan_->run(inputs, outputs);
  write_ones(which, 0, seeds);
  plan_->give_buffer(std::move(buffer));
}

void SymmetricEntries::read(const SparsityPattern& symmetric, const UnitProducts& products) {
  for (std::int64_t i = 0; i < symmetric.rows; ++i) {
    for (const std::int32_t j : symmetric.row(i)) {
      if (j > i) break;
      entries_.push_back(
          {static_cast<std::int32_t>(i), j, products.colour_of(j) * symmetric.rows + i});
    }
  }
}

}  // namespace kappa
