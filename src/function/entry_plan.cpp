#include "function/entry_plan.h"

#include <algorithm>
#include <array>
#include <utility>

namespace kappa {
namespace {

constexpr std::size_t kMaxPeriod = 12;

template <std::size_t... J>
void interleave_some(const double* const* from, std::int64_t count, double* to,
                     std::index_sequence<J...>) {
  constexpr std::size_t kPeriod = sizeof...(J);
  const std::array<const double*, kPeriod> source{from[J]...};
  for (std::int64_t i = 0; i < count; ++i, to += kPeriod) ((to[J] = source[J][i]), ...);
}
template <std::size_t Period>
void interleave(const double* const* from, std::int64_t count, double* to) {
  interleave_some(from, count, to, std::make_index_sequence<Period>());
}
template <std::size_t... P>
constexpr auto interleavers(std::index_sequence<P...>) {
  return std::array<void (*)(const double* const*, std::int64_t, double*), sizeof...(P)>{
      &interleave<P + 1>...};
}
constexpr auto kInterleave = interleavers(std::make_index_sequence<kMaxPeriod>());

/// Which outputs are needed, renumbered.
JacobianEntries taken(const JacobianEntries& entries, const std::vector<bool>& needed) {
  JacobianEntries result;
  std::vector<std::size_t> outputs;
  for (std::size_t p = 0; p < entries.parts.size(); ++p) {
    if (!needed[p]) continue;
    outputs.push_back(p);
    result.parts.push_back(entries.parts[p]);
  }
  result.values = prune(entries.values, outputs);
  return result;
}

/// Calls visit(part, e, row, column) for all entries, of a symmetric matrix for those of one
/// triangle.
template <class Visit>
void for_each_entry(const JacobianEntries& entries, bool symmetric, const Visit& visit) {
  for (std::size_t p = 0; p < entries.parts.size(); ++p) {
    const std::vector<std::int32_t>& rows = *entries.parts[p].rows;
    const std::vector<std::int32_t>& columns = *entries.parts[p].columns;
    for (std::size_t e = 0; e < rows.size(); ++e) {
      if (rows[e] < 0 || columns[e] < 0 || (symmetric && rows[e] < columns[e])) continue;
      visit(p, e, rows[e], columns[e]);
    }
  }
}

}  // namespace

EntryPlan::EntryPlan(const JacobianEntries& all, const SparsityPattern& columns, bool symmetric) {
  num_values_ = columns.num_entries();
  // Where (row, column) is stored; -1 where the pattern has no such entry.
  const auto place = [&](std::int32_t row, std::int32_t column) -> std::int64_t {
    const auto first = columns.indices.begin() + columns.starts[static_cast<std::size_t>(column)];
    const auto last =
        columns.indices.begin() + columns.starts[static_cast<std::size_t>(column) + 1];
    const auto found = std::lower_bound(first, last, row);
    return found == last || *found != row ? -1 : found - columns.indices.begin();
  };
  std::vector<bool> needed(all.parts.size(), false);
  for_each_entry(all, symmetric, [&](std::size_t p, std::size_t, std::int32_t i, std::int32_t j) {
    needed[p] = needed[p] || place(i, j) >= 0;
  });
  const JacobianEntries entries = taken(all, needed);
  for (const JacobianEntries::Part& part : entries.parts) {
    offsets_.push_back(num_entries_);
    num_entries_ += static_cast<std::int64_t>(part.rows->size());
  }
  std::vector<std::pair<std::uint32_t, std::uint32_t>> pairs;  // value, entry
  for_each_entry(
      entries, symmetric, [&](std::size_t p, std::size_t e, std::int32_t i, std::int32_t j) {
        const std::int64_t at = place(i, j);
        if (at < 0) return;
        const auto source = static_cast<std::uint32_t>(offsets_[p] + static_cast<std::int64_t>(e));
        pairs.emplace_back(static_cast<std::uint32_t>(at), source);
        if (symmetric && i != j) {
          pairs.emplace_back(static_cast<std::uint32_t>(place(j, i)), source);
        }
      });
  starts_.assign(static_cast<std::size_t>(num_values_) + 1, 0);
  for (const auto& [value, entry] : pairs) ++starts_[value + 1];
  const bool one_each = std::all_of(starts_.begin() + 1, starts_.end(),
                                    [](std::uint32_t count) { return count == 1; });
  for (std::size_t k = 1; k < starts_.size(); ++k) starts_[k] += starts_[k - 1];
  sources_.resize(pairs.size());
  std::vector<std::uint32_t> next = starts_;
  for (const auto& [value, entry] : pairs) sources_[next[value]++] = entry;
  if (one_each) {
    starts_ = {};
    find_runs();
  }
  plan_ = std::make_shared<const PooledPlan>(entries.values);
}

// Entries of shifted slices stand in the matrix in turn: value k + period is the next entry of the
// array that value k is from.
void EntryPlan::find_runs() {
  const std::size_t size = sources_.size();
  std::vector<Run> runs;
  std::size_t covered = 0;
  for (std::size_t k = 0; k < size;) {
    Run best;
    std::size_t best_length = 0;
    for (std::size_t period = 1; period <= kMaxPeriod && k + period <= size; ++period) {
      std::size_t end = k + period;
      while (end < size && sources_[end] == sources_[end - period] + 1) ++end;
      const std::size_t length = (end - k) / period * period;
      if (length <= best_length) continue;
      best_length = length;
      best = {static_cast<std::int64_t>(k),
              static_cast<std::int64_t>(length / period),
              {sources_.begin() + static_cast<std::ptrdiff_t>(k),
               sources_.begin() + static_cast<std::ptrdiff_t>(k + period)}};
      if (best.count > 64) break;
    }
    if (best.count > 8) covered += best_length;
    runs.push_back(std::move(best));
    k += best_length;
    if (runs.size() > 64 && covered < k / 2) return;  // irregular: one by one
  }
  if (covered < size / 2) return;
  runs_ = std::move(runs);
  sources_ = {};
}

void EntryPlan::evaluate(const double* x, double* values) const {
  std::shared_ptr<std::byte[]> buffer = plan_->take_buffer(num_entries_ * 8);
  auto* entries = reinterpret_cast<double*>(buffer.get());
  std::vector<void*> outputs;
  for (const std::int64_t offset : offsets_) outputs.push_back(entries + offset);
  plan_->run({x}, outputs);
  if (!runs_.empty()) {
    for (const Run& run : runs_) {
      std::array<const double*, kMaxPeriod> from;
      for (std::size_t j = 0; j < run.base.size(); ++j) from[j] = entries + run.base[j];
      kInterleave[run.base.size() - 1](from.data(), run.count, values + run.first);
    }
  } else if (starts_.empty()) {
    for (std::int64_t k = 0; k < num_values_; ++k) {
      values[k] = entries[sources_[static_cast<std::size_t>(k)]];
    }
  } else {
    for (std::size_t k = 0; k + 1 < starts_.size(); ++k) {
      double sum = 0;
      for (std::uint32_t s = starts_[k]; s < starts_[k + 1]; ++s) sum += entries[sources_[s]];
      values[k] = sum;
    }
  }
  plan_->give_buffer(std::move(buffer));
}

}  // namespace kappa
