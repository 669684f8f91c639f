#include "function/sparse_plan.h"

#include <algorithm>
#include <array>

#include "function/function_impl.h"
#include "program/builder.h"
#include "transform/batch.h"
#include "transform/derivatives.h"
#include "transform/transpose.h"

namespace kappa {
namespace {

// Elements of a block of directions: 32 MB of doubles.
constexpr std::int64_t kBlockElements = std::int64_t{1} << 22;

std::int64_t block_of(std::int64_t count, std::int64_t length) {
  const std::int64_t limit =
      std::clamp<std::int64_t>(kBlockElements / std::max<std::int64_t>(length, 1), 1, 64);
  const std::int64_t blocks = (count + limit - 1) / limit;
  return (count + blocks - 1) / blocks;
}

/// Inputs x and u (m), output J' u.
Program pull_back_program(const Program& program) {
  Builder builder;
  const Array x = builder.input(program.input_type(0), "x");
  const Array u = builder.input(program.output_type(0), "u");
  const std::array<Array, 1> inputs{x}, cotangents{u};
  const Array pulled = pull_back(builder, program, inputs, {true}, cotangents)[0];
  const std::array<Array, 1> outputs{pulled.defined() ? pulled : full(x, 0, x.shape(), x.dtype())};
  return builder.finish(outputs);
}

/// Elements that a program's nodes make, as a measure of its work.
std::int64_t num_elements_made(const Program& program) {
  std::int64_t total = 0;
  for (const Node& node : program.nodes) {
    if (!node.primitive->kernel.view && !is_constant(node)) total += num_elements(node.type.shape);
  }
  return total;
}

/// The entries of a Jacobian as arrays, where that is at most the work of as many products as its
/// longest line has entries: no colouring does with fewer.
std::optional<JacobianEntries> direct_entries(const Program& program, const Program& product,
                                              const SparsityPattern& pattern) {
  const std::int64_t bound = 4 * pattern.num_entries() + 16 * (pattern.rows + pattern.columns);
  std::optional<JacobianEntries> entries = jacobian_entries(program, bound);
  if (!entries) return std::nullopt;
  std::int64_t longest = 0;
  for (std::size_t i = 0; i + 1 < pattern.starts.size(); ++i) {
    longest = std::max(longest, pattern.starts[i + 1] - pattern.starts[i]);
  }
  if (num_elements_made(entries->values) > longest * num_elements_made(product))
    return std::nullopt;
  return entries;
}

}  // namespace

CompressedProducts::CompressedProducts(const Program& product, std::vector<std::int32_t> colours,
                                       std::int32_t count,
                                       const std::vector<CompressedEntry>& entries)
    : colours_(std::move(colours)), count_(count) {
  const auto directions = static_cast<std::int64_t>(colours_.size());
  length_ = num_elements(product.output_type(0).shape);
  block_ = block_of(count_, std::max(directions, length_));
  chunks_.resize(static_cast<std::size_t>((count_ + block_ - 1) / block_));
  for (const CompressedEntry& e : entries) {
    Chunk& chunk = chunks_[static_cast<std::size_t>(e.colour / block_)];
    chunk.entries.push_back(static_cast<std::int32_t>(e.entry));
    chunk.sources.push_back(static_cast<std::uint32_t>(e.colour % block_ * length_ + e.element));
  }
  const std::vector<std::int32_t>& first = chunks_[0].entries;
  bool in_order = chunks_.size() == 1;
  for (std::size_t k = 0; k < first.size() && in_order; ++k) {
    in_order = first[k] == static_cast<std::int32_t>(k);
  }
  if (in_order) chunks_[0].entries = {};
  plan_ = std::make_shared<const PooledPlan>(batch(product, {false, true}, block_));
  if (chunks_.size() == 1) {
    seeds_.resize(static_cast<std::size_t>(block_ * directions));
    fill_seeds(0, seeds_.data());
  }
}

void CompressedProducts::fill_seeds(std::int64_t first, double* seeds) const {
  const auto n = static_cast<std::int64_t>(colours_.size());
  for (std::int64_t k = 0; k < block_; ++k) {
    for (std::int64_t i = 0; i < n; ++i) {
      seeds[k * n + i] = colours_[static_cast<std::size_t>(i)] == first + k ? 1 : 0;
    }
  }
}

void CompressedProducts::evaluate(const double* x, double* values) const {
  // A buffer of this size is fresh pages each time, which cost more than what is computed on them.
  std::shared_ptr<std::byte[]> products = plan_->take_buffer(block_ * length_ * 8);
  const auto* read = reinterpret_cast<const double*>(products.get());
  std::vector<double> own;
  if (seeds_.empty()) own.resize(static_cast<std::size_t>(block_) * colours_.size());
  std::int64_t first = 0;
  for (const Chunk& chunk : chunks_) {
    if (seeds_.empty()) fill_seeds(first, own.data());
    plan_->run({x, seeds_.empty() ? own.data() : seeds_.data()}, {products.get()});
    const std::size_t count = chunk.sources.size();
    if (chunk.entries.empty()) {
      for (std::size_t k = 0; k < count; ++k) values[k] = read[chunk.sources[k]];
    } else {
      for (std::size_t k = 0; k < count; ++k) values[chunk.entries[k]] = read[chunk.sources[k]];
    }
    first += block_;
  }
  plan_->give_buffer(std::move(products));
}

SparseHessianPlan::SparseHessianPlan(const Program& scalar) {
  const Program gradient = gradient_program(scalar);
  pattern_ = symmetric_part(jacobian_pattern(gradient));
  if (pattern_.num_entries() == 0) return;
  const Program product = product_program(scalar);
  if (const auto entries = direct_entries(gradient, product, pattern_)) {
    entries_.emplace(*entries, pattern_, true);
    return;
  }
  Colouring colouring = star_colouring(pattern_);
  num_dense_ = colouring.num_dense;
  // Row i of the product with colour c is the sum of H_ij over the columns j of that colour: H_ij
  // itself where there is one only.
  const auto n = static_cast<std::size_t>(pattern_.rows);
  const auto colour = [&](std::int64_t i) { return colouring.colour[static_cast<std::size_t>(i)]; };
  std::vector<std::int32_t> seen(static_cast<std::size_t>(colouring.count), -1);
  std::vector<bool> alone(pattern_.indices.size());
  std::vector<std::int32_t> columns_of(static_cast<std::size_t>(colouring.count), 0);
  for (std::size_t i = 0; i < n; ++i) {
    const auto begin = static_cast<std::size_t>(pattern_.starts[i]);
    const auto end = static_cast<std::size_t>(pattern_.starts[i + 1]);
    for (std::size_t k = begin; k < end; ++k) {
      const auto c = static_cast<std::size_t>(colour(pattern_.indices[k]));
      columns_of[c] = seen[c] == static_cast<std::int32_t>(i) ? columns_of[c] + 1 : 1;
      seen[c] = static_cast<std::int32_t>(i);
    }
    for (std::size_t k = begin; k < end; ++k) {
      alone[k] = columns_of[static_cast<std::size_t>(colour(pattern_.indices[k]))] == 1;
    }
  }
  std::vector<CompressedEntry> entries(pattern_.indices.size());
  for (std::size_t i = 0; i < n; ++i) {
    for (auto k = static_cast<std::size_t>(pattern_.starts[i]);
         k < static_cast<std::size_t>(pattern_.starts[i + 1]); ++k) {
      const std::int64_t j = pattern_.indices[k];
      const auto row = static_cast<std::int64_t>(i);
      // The same side for (i, j) and (j, i), so that the matrix is exactly symmetric.
      const auto first = pattern_.indices.begin() + pattern_.starts[static_cast<std::size_t>(j)];
      const auto last = pattern_.indices.begin() + pattern_.starts[static_cast<std::size_t>(j) + 1];
      const bool mirror = alone[static_cast<std::size_t>(
          std::lower_bound(first, last, static_cast<std::int32_t>(i)) - pattern_.indices.begin())];
      const bool here = alone[k] && (!mirror || row <= j);
      entries[k] = {static_cast<std::int64_t>(k), here ? colour(j) : colour(row), here ? row : j};
    }
  }
  products_.emplace(product, std::move(colouring.colour), colouring.count, entries);
}

void SparseHessianPlan::evaluate(const double* x, double* values) const {
  if (entries_) entries_->evaluate(x, values);
  if (products_) products_->evaluate(x, values);
}

SparseJacobianPlan::SparseJacobianPlan(const Program& program) {
  const SparsityPattern rows = jacobian_pattern(program);
  pattern_ = transpose(rows);
  if (rows.num_entries() == 0) return;
  const Program push = prune(jacobian_product(program, {true}), std::array<std::size_t, 1>{1});
  if (const auto entries = direct_entries(program, push, rows)) {
    entries_.emplace(*entries, pattern_, false);
    return;
  }
  const std::vector<bool> short_row = short_rows(rows), short_column = short_rows(pattern_);
  const Colouring columns = column_colouring(rows, short_row);
  const Colouring row_groups = column_colouring(pattern_, short_column);
  const auto count_long = [](const std::vector<bool>& is_short) {
    return std::count(is_short.begin(), is_short.end(), false);
  };
  const bool forward =
      columns.count + count_long(short_row) <= row_groups.count + count_long(short_column);
  // What is long in the chosen direction goes the other way, a product each.
  const std::vector<bool>& is_short = forward ? short_row : short_column;
  std::vector<std::int32_t> single(is_short.size(), -1);
  std::int32_t num_single = 0;
  for (std::size_t i = 0; i < is_short.size(); ++i) {
    if (!is_short[i]) single[i] = num_single++;
  }
  num_dense_ = num_single;
  std::vector<CompressedEntry> compressed, alone;
  for (std::int64_t j = 0; j < pattern_.rows; ++j) {
    for (std::int64_t k = pattern_.starts[static_cast<std::size_t>(j)];
         k < pattern_.starts[static_cast<std::size_t>(j) + 1]; ++k) {
      const std::int64_t i = pattern_.indices[static_cast<std::size_t>(k)];
      const std::int64_t line = forward ? i : j, across = forward ? j : i;
      const Colouring& colouring = forward ? columns : row_groups;
      if (is_short[static_cast<std::size_t>(line)]) {
        compressed.push_back({k, colouring.colour[static_cast<std::size_t>(across)], line});
      } else {
        alone.push_back({k, single[static_cast<std::size_t>(line)], across});
      }
    }
  }
  const auto make = [&](bool by_push, const std::vector<std::int32_t>& colours, std::int32_t count,
                        const std::vector<CompressedEntry>& entries) {
    if (count == 0) return;
    (by_push ? forward_ : reverse_)
        .emplace(by_push ? push : pull_back_program(program), colours, count, entries);
  };
  const Colouring& chosen = forward ? columns : row_groups;
  make(forward, chosen.colour, chosen.count, compressed);
  make(!forward, single, num_single, alone);
}

std::int64_t SparseJacobianPlan::num_products() const {
  return (forward_ ? forward_->num_products() : 0) + (reverse_ ? reverse_->num_products() : 0);
}

void SparseJacobianPlan::evaluate(const double* x, double* values) const {
  if (entries_) entries_->evaluate(x, values);
  if (forward_) forward_->evaluate(x, values);
  if (reverse_) reverse_->evaluate(x, values);
}

}  // namespace kappa
