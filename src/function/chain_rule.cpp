#include "function/chain_rule.h"

#include <algorithm>

#include "function/weighted_product.h"

namespace kappa {
namespace {

constexpr double kRunWork = 16;  // of one run, beside its elements

}  // namespace

ChainRule::ChainRule(const CoupledBlocks& j, const Factor& g, const CoupledBlocks& c,
                     const Factor& d) {
  // Of the columns in a block's rows; -1 elsewhere.
  std::vector<std::int32_t> place_of(static_cast<std::size_t>(d.pattern.columns), -1);
  for (const CoupledBlocks::Block& block : j.blocks()) {
    run_starts_.push_back(runs_.size());
    row_starts_.push_back(cleared_.size());
    add_block(block, g, c, d, place_of);
  }
  run_starts_.push_back(runs_.size());
  row_starts_.push_back(cleared_.size());
  for (const Run& run : runs_) work_ += kRunWork + static_cast<double>(run.count);
}

void ChainRule::add_block(const CoupledBlocks::Block& block, const Factor& g,
                          const CoupledBlocks& c, const Factor& d,
                          std::vector<std::int32_t>& place_of) {
  const std::size_t begin = runs_.size();
  for (std::size_t r = 0; r < block.columns.size(); ++r) {
    place_of[static_cast<std::size_t>(block.columns[r])] = static_cast<std::int32_t>(r);
  }
  // The k-th terms of rows that follow each other are mostly a run.
  std::vector<std::size_t> open;
  std::size_t term = 0;
  const auto add = [&](Run next) {
    if (term == open.size()) open.push_back(runs_.size());
    std::size_t& last_index = open[term++];
    if (last_index < runs_.size()) {
      Run& last = runs_[last_index];
      const std::int64_t factor_stride =
          next.factor - last.factor - (last.count - 1) * last.factor_stride;
      const std::int64_t source_stride =
          next.source - last.source - (last.count - 1) * last.source_stride;
      const bool strides =
          last.count == 1 || (source_stride == last.source_stride &&
                              (next.factor < 0 || factor_stride == last.factor_stride));
      if (next.target == last.target + last.count && (next.factor < 0) == (last.factor < 0) &&
          strides) {
        last.source_stride = source_stride;
        if (next.factor >= 0) last.factor_stride = factor_stride;
        ++last.count;
        return;
      }
    }
    last_index = runs_.size();
    runs_.push_back(next);
  };
  for (std::size_t p = 0; p < block.rows.size(); ++p) {
    const std::int32_t e = block.rows[p];
    term = 0;
    const auto target = [&](std::int32_t column) -> std::int64_t {
      const std::int32_t r = place_of[static_cast<std::size_t>(column)];
      return r < 0 ? -1 : block.places[static_cast<std::size_t>(r)] + static_cast<std::int64_t>(p);
    };
    for (const std::int32_t element : g.pattern.row(e)) {
      const auto [inner, place] = c.find(element);
      if (inner == nullptr) continue;
      const std::int64_t factor = g.products.colour_of(element) * g.pattern.rows + e;
      for (std::size_t r = 0; r < inner->columns.size(); ++r) {
        const std::int64_t to = target(inner->columns[r]);
        if (to >= 0) {
          add({.target = to, .factor = factor, .source = inner->places[r] + place});
        }
      }
    }
    for (const std::int32_t column : d.pattern.row(e)) {
      const std::int64_t to = target(column);
      if (to < 0) continue;
      add({.target = to, .source = d.products.colour_of(column) * d.pattern.rows + e});
    }
  }
  for (const std::int32_t column : block.columns) place_of[static_cast<std::size_t>(column)] = -1;

  const auto first = runs_.begin() + static_cast<std::ptrdiff_t>(begin);
  std::stable_sort(first, runs_.end(), [](const Run& left, const Run& right) {
    return left.target != right.target ? left.target < right.target : left.count > right.count;
  });
  const auto count = static_cast<std::int64_t>(block.rows.size());
  for (const std::int64_t place : block.places) {
    const auto found =
        std::lower_bound(first, runs_.end(), place,
                         [](const Run& run, std::int64_t target) { return run.target < target; });
    if (found != runs_.end() && found->target == place && found->count == count) {
      found->first = true;
    } else {
      cleared_.push_back({place, count});
    }
  }
}

void ChainRule::write(std::size_t block, const double* g, const double* c, const double* d,
                      double* j) const {
  for (std::size_t k = row_starts_[block]; k < row_starts_[block + 1]; ++k) {
    std::fill_n(j + cleared_[k].place, cleared_[k].count, 0.0);
  }
  for (std::size_t r = run_starts_[block]; r < run_starts_[block + 1]; ++r) {
    const Run& run = runs_[r];
    double* to = j + run.target;
    const auto each = [&](const auto& value) {
      if (run.first) {
        for (std::int64_t k = 0; k < run.count; ++k) to[k] = value(k);
      } else {
        for (std::int64_t k = 0; k < run.count; ++k) to[k] += value(k);
      }
    };
    const std::int64_t stride = run.source_stride, factor_stride = run.factor_stride;
    if (run.factor < 0) {
      const double* from = d + run.source;
      if (stride == 1) {
        each([=](std::int64_t k) { return from[k]; });
      } else {
        each([=](std::int64_t k) { return from[k * stride]; });
      }
      continue;
    }
    const double *factor = g + run.factor, *from = c + run.source;
    if (stride == 1 && factor_stride == 1) {
      multiply_elements(factor, from, run.count, !run.first, to);
    } else {
      each([=](std::int64_t k) { return factor[k * factor_stride] * from[k * stride]; });
    }
  }
}

}  // namespace kappa
