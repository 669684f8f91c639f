#include "minimize/iteration_table.h"

namespace kappa {
namespace {

void archive_record(Archive& a, IterationRecord& r) {
  a(r.iteration, r.stage, r.value, r.gradient_norm, r.gradient_norm_inf, r.step_norm, r.seconds,
    r.gradient_equivalents);
  std::uint64_t size = r.measures.size();
  a(size);
  if (a.reading()) r.measures.resize(size);
  for (Measure& m : r.measures) a(m.name, m.value);
}

}  // namespace

void IterationTable::add(IterationRecord record) {
  const bool first = record.iteration == 0;
  if (++num_seen_ % every_ != 0 && !first) return;
  records_.push_back(std::move(record));
  if (max_records_ <= 0 || static_cast<std::int64_t>(records_.size()) <= max_records_) return;
  std::size_t kept = 0;
  for (std::size_t i = 0; i < records_.size(); i += 2) {
    if (kept != i) records_[kept] = std::move(records_[i]);
    ++kept;
  }
  records_.resize(kept);
  every_ *= 2;
}

void IterationTable::archive(Archive& a) {
  a(every_, num_seen_);
  std::uint64_t size = records_.size();
  a(size);
  if (a.reading()) records_.resize(size);
  for (IterationRecord& r : records_) archive_record(a, r);
}

}  // namespace kappa
