#include "function/cut_hessian.h"

#include <algorithm>
#include <array>
#include <span>
#include <unordered_map>
#include <utility>

#include "base/blas.h"
#include "function/colouring.h"
#include "function/weighted_product.h"
#include "kappa/error.h"
#include "transform/batch.h"
#include "transform/split.h"

namespace kappa {
namespace {

constexpr std::int64_t kCacheElements = std::int64_t{1} << 16;  // half a second-level cache
constexpr std::int64_t kStoredSeeds = std::int64_t{1} << 20;
// Entries of J and h_uu beyond those of H itself: 128 MB of each.
constexpr std::int64_t kMaxEntries = std::int64_t{1} << 24;
constexpr std::int64_t kTile = 4096;  // elements of J_b' diag(h) at a time
constexpr std::int64_t kShortestTile = 512;
constexpr double kSmallProduct = 0x1p20;  // multiplications of what gemm computes in registers
constexpr std::int64_t kShortestSmallTile = 128;
constexpr std::int64_t kTransposed = 16;  // rows at a time
constexpr std::int64_t kLongRun = 64;     // that is multiplied where it stands
constexpr std::int64_t kFew = 16;         // variables of blocks that need no library
constexpr double kMultiplicationsPerAddition = 8;
// A cut that is not clearly cheaper is not worth a second way of doing the same.
constexpr double kWorthwhile = 0.6;
constexpr std::size_t kMaxAttempts = 4;     // cuts whose patterns are found
constexpr std::size_t kMaxNodes = 1 << 14;  // of programs taken apart, all together

std::int64_t round_up(std::int64_t bytes) { return (bytes + 63) / 64 * 64; }

std::span<const std::int32_t> row_of(const SparsityPattern& p, std::int64_t i) {
  const auto first = static_cast<std::size_t>(p.starts[static_cast<std::size_t>(i)]);
  const auto last = static_cast<std::size_t>(p.starts[static_cast<std::size_t>(i) + 1]);
  return {p.indices.data() + first, last - first};
}

void append_row(SparsityPattern& pattern, std::span<const std::int32_t> row) {
  pattern.indices.insert(pattern.indices.end(), row.begin(), row.end());
  pattern.starts.push_back(static_cast<std::int64_t>(pattern.indices.size()));
  ++pattern.rows;
}

/// Rows of J_a that are multiplied at a time.
std::int64_t tile_of(std::int64_t rows, std::int64_t columns) {
  const std::int64_t tile = std::max(kShortestTile, kTile / std::max(rows, columns));
  const auto small =
      static_cast<std::int64_t>(kSmallProduct / static_cast<double>(rows * columns)) / 8 * 8;
  return small < kShortestSmallTile ? tile : std::min(tile, small);
}

/// The upper triangle from the lower one, by rows.
void mirror(std::int64_t n, double* h) {
  constexpr std::int64_t width = 32;  // rows whose lines are read and written together
  for (std::int64_t first = 0; first < n; first += width) {
    const std::int64_t last = std::min(first + width, n);
    for (std::int64_t j = 0; j < last; ++j) {
      for (std::int64_t i = std::max(first, j + 1); i < last; ++i) h[j * n + i] = h[i * n + j];
    }
  }
}

struct Hash {
  std::size_t operator()(const std::vector<std::int32_t>& list) const {
    std::size_t hash = list.size();
    for (const std::int32_t i : list) {
      hash = (hash ^ static_cast<std::size_t>(i)) * 0x9E3779B97F4A7C15ULL;
      hash ^= hash >> 29;
    }
    return hash;
  }
};

}  // namespace

double work_of(const Program& program) {
  double total = 0;
  for (const Node& node : program.nodes) {
    if (is_input(node) || is_constant(node) || node.primitive->kernel.view) continue;
    double work = static_cast<double>(num_elements(node.type.shape));
    if (node.primitive->elementwise()) {
      work *= node.primitive->kernel.element_cost;
    } else {
      std::vector<Type> types;
      for (const NodeId id : node.operands) {
        types.push_back(program.nodes[static_cast<std::size_t>(id)].type);
        work = std::max(work, static_cast<double>(num_elements(types.back().shape)));
      }
      if (node.primitive->kernel.flops) {
        work += node.primitive->kernel.flops(node.attributes, types, node.type) /
                (2 * kMultiplicationsPerAddition);
      }
    }
    total += work;
  }
  return total;
}

// ---- what is prepared --------------------------------------------------------------------------

std::optional<CutHessian> CutHessian::through(const Cut& cut, double limit) {
  CutHessian made;
  made.n_ = num_elements(cut.inner.input_type(0).shape);
  made.size_ = num_elements(cut.inner.output_type(0).shape);
  const std::int64_t max_entries = kMaxEntries + made.n_ * made.n_;
  const Split parts = split(cut.product, {false, true, true, true}, 4);
  const Program by_x = prune(parts.apply, std::array<std::size_t, 2>{0, 1});
  const Program by_u = prune(parts.apply, std::array<std::size_t, 1>{2});
  const Program alone = prune(parts.apply, std::array<std::size_t, 1>{3});

  // As many products as the longest row of J has entries are needed at least.
  made.work_ = work_of(parts.setup);
  const double longest = std::max(0.0, limit - made.work_) / std::max(1.0, work_of(by_x));
  const double inner_entries =
      std::min(static_cast<double>(made.size_) * longest, static_cast<double>(max_entries));
  made.make_blocks(jacobian_pattern(cut.inner, static_cast<std::int64_t>(inner_entries)));
  made.choose_products(symmetric_part(jacobian_pattern(cut.inner_gradient, max_entries)));
  made.work_ += made.inner_.count * work_of(by_x);
  if (made.work_ >= limit) return std::nullopt;
  const SparsityPattern direct = symmetric_part(jacobian_pattern(cut.direct_gradient, max_entries));
  made.direct_.colour(direct);
  made.direct_.read(direct);
  made.work_ += made.direct_.count * work_of(alone);
  if (made.work_ >= limit) return std::nullopt;
  const SparsityPattern outer = symmetric_part(jacobian_pattern(cut.outer_gradient, max_entries));
  made.outer_.colour(outer);
  made.work_ += made.outer_.count * work_of(by_u);
  if (made.work_ >= limit || made.outer_.count * made.size_ > max_entries) return std::nullopt;
  made.make_couplings(outer);
  if (made.work_ >= limit) return std::nullopt;

  made.setup_ = std::make_shared<const PooledPlan>(parts.setup);
  for (std::size_t i = 0; i < parts.num_residuals; ++i) {
    made.residual_bytes_.push_back(num_bytes(parts.setup.output_type(i)));
  }
  made.inner_.compile(by_x, 1);
  made.outer_.compile(by_u, 2);
  made.direct_.compile(alone, 3);
  return made;
}

// J and M come from the same products: the columns of a colour share no row of either.
void CutHessian::choose_products(const SparsityPattern& curvature) {
  SparsityPattern stacked = curvature;
  for (const Block& block : blocks_) append_row(stacked, block.columns);
  inner_.colour(stacked);
  inner_.read(curvature);
  block_rows_.resize(static_cast<std::size_t>(inner_.count));
  for (std::size_t b = 0; b < blocks_.size(); ++b) {
    for (std::size_t r = 0; r < blocks_[b].columns.size(); ++r) {
      const std::int32_t c = inner_.colours[static_cast<std::size_t>(blocks_[b].columns[r])];
      block_rows_[static_cast<std::size_t>(c)].emplace_back(b, r);
    }
  }
}

void CutHessian::Directions::colour(const SparsityPattern& pattern) {
  Colouring colouring =
      column_colouring(pattern, std::vector<bool>(static_cast<std::size_t>(pattern.rows), true));
  colours = std::move(colouring.colour);
  count = colouring.count;
}

void CutHessian::Directions::read(const SparsityPattern& symmetric) {
  for (std::int64_t i = 0; i < symmetric.rows; ++i) {
    for (const std::int32_t j : row_of(symmetric, i)) {
      if (j > i) break;
      entries.push_back({static_cast<std::int32_t>(i), j,
                         colours[static_cast<std::size_t>(j)] * symmetric.rows + i});
    }
  }
}

void CutHessian::make_blocks(const SparsityPattern& inner) {
  std::unordered_map<std::vector<std::int32_t>, std::int32_t, Hash> known;
  block_of_.assign(static_cast<std::size_t>(size_), -1);
  place_in_block_.assign(static_cast<std::size_t>(size_), 0);
  std::vector<std::int32_t> columns;
  for (std::int64_t e = 0; e < size_; ++e) {
    const auto row = row_of(inner, e);
    if (row.empty()) continue;
    columns.assign(row.begin(), row.end());
    const auto [found, is_new] = known.emplace(columns, static_cast<std::int32_t>(blocks_.size()));
    if (is_new) blocks_.push_back({columns, {}});
    Block& block = blocks_[static_cast<std::size_t>(found->second)];
    block_of_[static_cast<std::size_t>(e)] = found->second;
    place_in_block_[static_cast<std::size_t>(e)] = static_cast<std::int32_t>(block.rows.size());
    if (!block.rows.empty() && block.rows.back() + 1 != e) block.contiguous = false;
    block.rows.push_back(static_cast<std::int32_t>(e));
  }
  for (Block& block : blocks_) {
    block.offset = jacobian_size_;
    jacobian_size_ += static_cast<std::int64_t>(block.rows.size() * block.columns.size());
  }
}

void CutHessian::make_couplings(const SparsityPattern& outer) {
  std::unordered_map<std::int64_t, std::size_t> known;
  const auto num_blocks = static_cast<std::int64_t>(blocks_.size());
  for (std::int64_t e = 0; e < size_; ++e) {
    const std::int32_t a = block_of_[static_cast<std::size_t>(e)];
    if (a < 0) continue;
    for (const std::int32_t other : row_of(outer, e)) {
      const auto o = static_cast<std::size_t>(other);
      const std::int32_t b = block_of_[o];
      if (b < 0 || b > a) continue;
      const auto [found, is_new] = known.emplace(a * num_blocks + b, couplings_.size());
      if (is_new) couplings_.push_back({a, b, 0, false, {}});
      Coupling& coupling = couplings_[found->second];
      const Run next{place_in_block_[static_cast<std::size_t>(e)], place_in_block_[o], 1,
                     outer_.colours[o] * size_ + e};
      ++coupling.count;
      if (!coupling.runs.empty()) {
        Run& last = coupling.runs.back();
        const std::int64_t stride = next.source - last.source - (last.count - 1) * last.stride;
        if (next.a == last.a + last.count && next.b == last.b + last.count &&
            (last.count == 1 || stride == last.stride)) {
          last.stride = stride;
          ++last.count;
          continue;
        }
      }
      coupling.runs.push_back(next);
    }
  }
  std::sort(couplings_.begin(), couplings_.end(), [](const Coupling& left, const Coupling& right) {
    return std::pair(left.a, left.b) < std::pair(right.a, right.b);
  });
  for (Coupling& coupling : couplings_) {
    const Block& a = blocks_[static_cast<std::size_t>(coupling.a)];
    const auto columns = static_cast<std::int64_t>(a.columns.size());
    const auto rows =
        static_cast<std::int64_t>(blocks_[static_cast<std::size_t>(coupling.b)].columns.size());
    work_ += static_cast<double>(coupling.count) *
             (static_cast<double>(rows + columns) +
              static_cast<double>(rows * columns) / kMultiplicationsPerAddition);
    coupling.in_place = std::max(rows, columns) <= kFew &&
                        std::all_of(coupling.runs.begin(), coupling.runs.end(), [](const Run& run) {
                          return run.stride == 1 && run.count >= kLongRun;
                        });
    scratch_size_ =
        std::max(scratch_size_, rows * columns + (rows + columns) * tile_of(rows, columns));
    if (coupling.in_place) continue;
    transposed_size_ =
        std::max(transposed_size_, columns * static_cast<std::int64_t>(a.rows.size()));
  }
}

void CutHessian::Directions::compile(const Program& product, std::size_t input) {
  if (count == 0) return;
  std::int64_t largest = 1;
  for (const Node& node : product.nodes) {
    if (!is_constant(node) && !is_input(node)) {
      largest = std::max(largest, num_elements(node.type.shape));
    }
  }
  const std::int64_t limit = std::clamp<std::int64_t>(kCacheElements / largest, 1, count);
  num_blocks = (count + limit - 1) / limit;
  block = (count + num_blocks - 1) / num_blocks;
  std::vector<bool> batched(product.inputs.size(), false);
  batched[input] = true;
  plan = std::make_shared<const PooledPlan>(batch(product, batched, block));
  const auto length = static_cast<std::int64_t>(colours.size());
  if (num_blocks * block * length > kStoredSeeds) return;
  seeds.resize(static_cast<std::size_t>(num_blocks * block * length));
  for (std::int64_t k = 0; k < num_blocks; ++k) fill(k, seeds.data() + k * block * length);
}

void CutHessian::Directions::fill(std::int64_t which, double* target) const {
  const std::size_t length = colours.size();
  for (std::int64_t k = which * block; k < (which + 1) * block; ++k, target += length) {
    for (std::size_t i = 0; i < length; ++i) target[i] = colours[i] == k ? 1 : 0;
  }
}

std::optional<CutHessian> CutHessian::find(const Program& scalar, double work) {
  std::optional<CutHessian> best;
  double limit = kWorthwhile * work;
  // From f backwards: what follows the cut is then short, and what it couples few.
  std::vector<NodeId> candidates = cut_candidates(scalar);
  std::reverse(candidates.begin(), candidates.end());
  std::size_t nodes = 0, attempts = 0;
  for (const NodeId node : candidates) {
    nodes += scalar.nodes.size();
    if (nodes > kMaxNodes || attempts == kMaxAttempts) break;
    const std::optional<Cut> cut = cut_at(scalar, node);
    if (!cut) continue;
    ++attempts;
    try {
      if (std::optional<CutHessian> candidate = through(*cut, limit)) {
        limit = candidate->work();
        best = std::move(candidate);
      }
    } catch (const Error& error) {  // a pattern beyond what would be stored
      if (error.kind() != ErrorKind::resource) throw;
    }
  }
  return best;
}

// ---- evaluation --------------------------------------------------------------------------------

void CutHessian::evaluate(const double* x, double* result) const {
  // One buffer for all that is between, kept for the next call: fresh pages cost more than what is
  // computed on them.
  std::int64_t bytes = 0;
  const auto place = [&](std::int64_t size) {
    return std::exchange(bytes, bytes + round_up(size));
  };
  std::vector<std::int64_t> residual_places;
  for (const std::int64_t size : residual_bytes_) residual_places.push_back(place(size));
  const std::int64_t jacobian_place = place(8 * jacobian_size_);
  const std::int64_t curvature_place = place(8 * outer_.num_rows() * size_);
  const std::int64_t rows_place = place(8 * inner_.block * size_);
  const std::int64_t inner_place = place(8 * inner_.num_rows() * n_);
  const std::int64_t direct_place = place(8 * direct_.num_rows() * n_);
  const std::int64_t transposed_place = place(8 * transposed_size_);
  const std::int64_t scratch_place = place(8 * scratch_size_);
  const std::int64_t seeds_place =
      place(8 * std::max(std::max(inner_.block, direct_.block) * n_, outer_.block * size_));
  std::shared_ptr<std::byte[]> buffer = setup_->take_buffer(bytes);
  const auto at = [&](std::int64_t offset) {
    return reinterpret_cast<double*>(buffer.get() + offset);
  };

  std::vector<const void*> inputs{x, nullptr, nullptr, nullptr};
  std::vector<void*> residuals;
  for (const std::int64_t offset : residual_places) {
    residuals.push_back(buffer.get() + offset);
    inputs.push_back(residuals.back());
  }
  setup_->run({x}, residuals);
  const auto run = [&](const Directions& directions, std::size_t input, std::int64_t which,
                       const std::vector<void*>& outputs) {
    const std::size_t length = directions.colours.size();
    inputs[input] = directions.seeds.data() + which * directions.block * length;
    if (directions.seeds.empty()) {
      directions.fill(which, at(seeds_place));
      inputs[input] = at(seeds_place);
    }
    directions.plan->run(inputs, outputs);
  };
  for (std::int64_t k = 0; k < inner_.num_blocks; ++k) {
    const std::int64_t first = k * inner_.block;
    run(inner_, 1, k, {at(rows_place), at(inner_place) + first * n_});
    sort_rows(first, at(rows_place), at(jacobian_place));
  }
  for (std::int64_t k = 0; k < outer_.num_blocks; ++k) {
    run(outer_, 2, k, {at(curvature_place) + k * outer_.block * size_});
  }
  for (std::int64_t k = 0; k < direct_.num_blocks; ++k) {
    run(direct_, 3, k, {at(direct_place) + k * direct_.block * n_});
  }

  // The lower triangle, by rows.
  std::fill_n(result, n_ * n_, 0.0);
  inner_.add_entries(at(inner_place), n_, result);
  direct_.add_entries(at(direct_place), n_, result);
  std::int32_t transposed = -1;
  for (const Coupling& coupling : couplings_) {
    if (!coupling.in_place && coupling.a != transposed) {
      transposed = coupling.a;
      transpose(blocks_[static_cast<std::size_t>(transposed)], at(jacobian_place),
                at(transposed_place));
    }
    add_coupling(coupling, at(jacobian_place), at(transposed_place), at(curvature_place),
                 at(scratch_place), result);
  }
  mirror(n_, result);
  setup_->give_buffer(std::move(buffer));
}

void CutHessian::Directions::add_entries(const double* products, std::int64_t n,
                                         double* result) const {
  for (const Entry& entry : entries) {
    result[entry.row * n + entry.column] += products[entry.source];
  }
}

// From products J v, a row for each colour, to J_a' of each block.
void CutHessian::sort_rows(std::int64_t first, const double* products, double* jacobian) const {
  const std::int64_t last = std::min<std::int64_t>(first + inner_.block, inner_.count);
  for (std::int64_t c = first; c < last; ++c, products += size_) {
    for (const auto& [b, r] : block_rows_[static_cast<std::size_t>(c)]) {
      const Block& block = blocks_[static_cast<std::size_t>(b)];
      const std::size_t count = block.rows.size();
      double* to = jacobian + block.offset + r * static_cast<std::int64_t>(count);
      if (block.contiguous) {
        std::copy_n(products + block.rows[0], count, to);
      } else {
        for (std::size_t k = 0; k < count; ++k) to[k] = products[block.rows[k]];
      }
    }
  }
}

// J_a of the block whose transpose is stored.
void CutHessian::transpose(const Block& block, const double* jacobian, double* result) {
  const auto rows = static_cast<std::int64_t>(block.rows.size());
  const auto columns = static_cast<std::int64_t>(block.columns.size());
  for (std::int64_t first = 0; first < rows; first += kTransposed) {
    const std::int64_t last = std::min(first + kTransposed, rows);
    for (std::int64_t c = 0; c < columns; ++c) {
      const double* from = jacobian + block.offset + c * rows;
      for (std::int64_t r = first; r < last; ++r) result[r * columns + c] = from[r];
    }
  }
}

// Adds J_b' diag(h) J_a and, for two blocks, its transpose.
void CutHessian::add_coupling(const Coupling& coupling, const double* jacobian,
                              const double* transposed, const double* curvature, double* scratch,
                              double* result) const {
  const Block& a = blocks_[static_cast<std::size_t>(coupling.a)];
  const Block& b = blocks_[static_cast<std::size_t>(coupling.b)];
  const auto rows = static_cast<std::int64_t>(b.columns.size());
  const auto columns = static_cast<std::int64_t>(a.columns.size());
  const std::int64_t tile = tile_of(rows, columns);
  double* product = scratch;
  std::fill_n(product, rows * columns, 0.0);
  if (coupling.in_place) {
    multiply_in_place(coupling, jacobian, curvature, tile, product);
  } else {
    multiply_tiles(coupling, jacobian, transposed, curvature, tile, product);
  }
  const bool one = coupling.a == coupling.b;
  for (std::int64_t r = 0; r < rows; ++r) {
    const std::int64_t i = b.columns[static_cast<std::size_t>(r)];
    for (std::int64_t c = 0; c < (one ? r + 1 : columns); ++c) {
      const std::int64_t j = a.columns[static_cast<std::size_t>(c)];
      const double value = product[r * columns + c];
      result[std::max(i, j) * n_ + std::min(i, j)] += i == j && !one ? 2 * value : value;
    }
  }
}

void CutHessian::multiply_in_place(const Coupling& coupling, const double* jacobian,
                                   const double* curvature, std::int64_t tile,
                                   double* product) const {
  const Block& a = blocks_[static_cast<std::size_t>(coupling.a)];
  const Block& b = blocks_[static_cast<std::size_t>(coupling.b)];
  const auto length_a = static_cast<std::int64_t>(a.rows.size());
  const auto length_b = static_cast<std::int64_t>(b.rows.size());
  for (const Run& run : coupling.runs) {
    for (std::int64_t done = 0; done < run.count; done += tile) {
      add_weighted_product(
          jacobian + b.offset + run.b + done, length_b, static_cast<std::int64_t>(b.columns.size()),
          curvature + run.source + done, jacobian + a.offset + run.a + done, length_a,
          static_cast<std::int64_t>(a.columns.size()), std::min(tile, run.count - done), product);
    }
  }
}

// Rows of J_a follow each other in `transposed`. Those of short runs are gathered behind the
// weighted J_b'.
void CutHessian::multiply_tiles(const Coupling& coupling, const double* jacobian,
                                const double* transposed, const double* curvature,
                                std::int64_t tile, double* product) const {
  const Block& b = blocks_[static_cast<std::size_t>(coupling.b)];
  const auto rows = static_cast<std::int64_t>(b.columns.size());
  const auto columns =
      static_cast<std::int64_t>(blocks_[static_cast<std::size_t>(coupling.a)].columns.size());
  const auto length = static_cast<std::int64_t>(b.rows.size());
  double* weighted = product + rows * columns;
  double* gathered = weighted + rows * tile;
  const auto multiply = [&](std::int64_t count, const double* right) {
    gemm({rows, columns, count}, weighted, tile, right, columns, 1, product, columns);
  };
  std::int64_t filled = 0;  // of gathered
  for (const Run& run : coupling.runs) {
    for (std::int64_t done = 0; done < run.count;) {
      const std::int64_t left = run.count - done, pieces = (left + tile - 1) / tile;
      const bool in_place = filled == 0 && left >= kLongRun;
      const std::int64_t count =
          in_place ? (left + pieces - 1) / pieces : std::min(left, tile - filled);
      const double* h = curvature + run.source + done * run.stride;
      for (std::int64_t r = 0; r < rows; ++r) {
        const double* from = jacobian + b.offset + r * length + run.b + done;
        double* to = weighted + r * tile + filled;
        if (run.stride == 1) {
          for (std::int64_t k = 0; k < count; ++k) to[k] = from[k] * h[k];
        } else {
          for (std::int64_t k = 0; k < count; ++k) to[k] = from[k] * h[k * run.stride];
        }
      }
      const double* right = transposed + (run.a + done) * columns;
      if (in_place) {
        multiply(count, right);
      } else {
        std::copy_n(right, count * columns, gathered + filled * columns);
        filled += count;
        if (filled == tile) {
          multiply(filled, gathered);
          filled = 0;
        }
      }
      done += count;
    }
  }
  if (filled > 0) multiply(filled, gathered);
}

}  // namespace kappa
